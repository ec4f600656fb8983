/** A part of a document and how much its words count. */
export interface Field {
  readonly weight: number
  readonly words: readonly string[]
}

export interface Indexed {
  readonly fields: readonly Field[]
  /** What its score is multiplied by, whatever is looked for. */
  readonly prior: number
}

/** How soon further occurrences of a word add nothing, and how much a long field counts less. */
const k1 = 2
const b = 0.75
/** How much a word of the index counts that is only like the word of the question. */
const likeness = 0.5
/** Letters that two words must share to be alike. */
const shared = 4

/**
 * Ranks documents of several weighted fields by BM25F (Robertson and Zaragoza, "The Probabilistic Relevance
 * Framework: BM25 and Beyond", section 3.6). Made once; a search changes nothing.
 */
export class Bm25Index {
  /** By word, how often it is in which documents: less in a long field, more in one that counts more. */
  readonly #postings = new Map<string, Map<number, number>>()
  readonly #priors: readonly number[]

  /** @param documents all with the same fields in the same order */
  constructor (documents: readonly Indexed[]) {
    this.#priors = documents.map(({ prior }) => prior)
    const lengths: number[][] = []
    for (const { fields } of documents) {
      // A field that is empty in most documents must not look long in the others.
      for (const [place, { words }] of fields.entries()) if (words.length > 0) (lengths[place] ??= []).push(words.length)
    }
    const averages = lengths.map((all) => all.reduce((sum, length) => sum + length, 0) / all.length)
    for (const [index, { fields }] of documents.entries()) {
      for (const [place, { weight, words }] of fields.entries()) {
        const share = weight / (1 - b + b * words.length / (averages[place] ?? 1))
        for (const word of words) this.#add(word, index, share)
      }
    }
  }

  /**
   * The documents that have one of these words, by their place, the best first; equal ones in their order.
   * @param also words that only rank what has been found
   */
  search (words: ReadonlyMap<string, number>, also: ReadonlyMap<string, number>): number[] {
    const scores = new Map<number, number>()
    for (const [word, weight] of words) {
      for (const [index, score] of this.#scores(word, weight)) scores.set(index, (scores.get(index) ?? 0) + score)
    }
    for (const [word, weight] of also) {
      for (const [index, score] of this.#scores(word, weight)) {
        const before = scores.get(index)
        if (before !== undefined) scores.set(index, before + score)
      }
    }
    return [...scores].toSorted(([left, one], [right, other]) => other - one || left - right).map(([index]) => index)
  }

  * #scores (word: string, weight: number): Iterable<[index: number, score: number]> {
    for (const { posting, factor } of this.#found(word)) {
      const rarity = Math.log(1 + (this.#priors.length - posting.size + 0.5) / (posting.size + 0.5))
      for (const [index, frequency] of posting) yield [index, (this.#priors[index] ?? 1) * weight * factor * rarity * frequency / (k1 + frequency)]
    }
  }

  #add (word: string, index: number, share: number): void {
    const posting = this.#postings.get(word) ?? new Map<number, number>()
    posting.set(index, (posting.get(index) ?? 0) + share)
    this.#postings.set(word, posting)
  }

  /** Where a word is; for one that is nowhere, where words are that begin with it, or that it begins or ends with. */
  #found (word: string): Array<{ posting: ReadonlyMap<number, number>, factor: number }> {
    const exact = this.#postings.get(word)
    if (exact !== undefined) return [{ posting: exact, factor: 1 }]
    if (word.length < shared) return []
    return [...this.#postings].filter(([known]) => known.length >= shared && (known.startsWith(word) || word.startsWith(known) || word.endsWith(known)))
      .map(([, posting]) => ({ posting, factor: likeness }))
  }
}
