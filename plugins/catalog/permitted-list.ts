import { createHmac } from 'node:crypto'
import { grants, type Principal } from '../auth/principal.ts'

/** Lists that are kept at most, one for each set of entries that callers may see. */
const capacity = 64

/** Puts the scopes that a name could need into an order that nobody can foresee. */
export type Rank = (name: string, scopes: readonly string[]) => string

/** @param secret what all replicas have, so that they answer alike, and nobody else */
export function rankedBy (secret: string): Rank {
  return (name, scopes) => createHmac('sha256', secret).update(JSON.stringify([name, scopes])).digest('base64')
}

/**
 * A list of which callers see the entries that their scopes permit. Callers who may see the same get the same array,
 * never a changed one, so that what is made of it can be kept by it.
 */
export class PermittedList<Entry> {
  readonly #items: ReadonlyArray<{ scopes: readonly string[], entry: Entry }>
  /** Every combination of scopes that an entry needs, once. */
  readonly #needs: ReadonlyArray<readonly string[]>
  readonly #lists = new Map<string, readonly Entry[]>()

  constructor (items: ReadonlyArray<{ scopes: readonly string[], entry: Entry }>) {
    this.#items = items
    this.#needs = [...new Map(items.map(({ scopes }) => [JSON.stringify(scopes), scopes])).values()]
  }

  /** What a caller may see. */
  of (principal: Principal): readonly Entry[] {
    const key = this.#needs.map((scopes) => grants(principal, scopes) ? '1' : '0').join('')
    const known = this.#lists.get(key)
    if (known !== undefined) return known
    const list = this.#items.filter(({ scopes }) => grants(principal, scopes)).map(({ entry }) => entry)
    if (this.#lists.size >= capacity) this.#lists.clear()
    this.#lists.set(key, list)
    return list
  }

  /**
   * The scopes that a caller lacks for a name that is not in the list: those of something that is hidden from it, the
   * same ones as long as they are lacking, or none where nothing is hidden. Whoever is refused with them cannot tell
   * that there is nothing: which ones they are follows from a secret, or they could be worked out beforehand.
   */
  scopesOfUnknown (principal: Principal, name: string, rank: Rank): readonly string[] {
    const [first] = this.#needs.filter((scopes) => !grants(principal, scopes))
      .map((scopes) => ({ scopes, rank: rank(name, scopes) })).toSorted((left, right) => left.rank < right.rank ? -1 : 1)
    return first?.scopes ?? []
  }
}
