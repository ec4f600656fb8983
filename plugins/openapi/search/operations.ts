import { grants, withIncluded, type Principal } from '../../auth/principal.ts'
import type { Tool } from '../../catalog/index.ts'
import type { GeneratedTool } from '../generated.ts'
import type { OperationMethod } from '../operation.ts'
import { Bm25Index, type Indexed } from './bm25.ts'
import { indexWords, questionWords, verbsFor } from './words.ts'

/** An operation that is found instead of being listed: what is known of it, and the tool that calls it. */
export interface SearchedOperation {
  readonly generated: GeneratedTool
  readonly tool: Tool
}

export interface Question {
  /** What is looked for, in words; everything where it is left out. */
  readonly query?: string | undefined
  readonly tag?: string | undefined
  readonly method?: OperationMethod | undefined
  /** A part of the path. */
  readonly path?: string | undefined
}

/** Characters of an operation's own description that are searched: what comes after is examples and notes. */
const searchedText = 400
/** How much each segment of a path takes off: of two that fit, the one that is about less is meant. */
const depthDiscount = 0.05

function indexed ({ generated: { name, title, description, synonyms, bindings, operation } }: SearchedOperation): Indexed {
  const segments = operation.path.split('/').filter((segment) => segment !== '')
  const texts = [operation.summary, operation.description.slice(0, searchedText)]
  return {
    fields: [
      { weight: 3, words: indexWords(`${name} ${operation.operationId ?? ''}`) },
      { weight: 3, words: indexWords(synonyms.join(' ')) },
      { weight: 2, words: indexWords(segments.filter((segment) => !segment.includes('{')).join(' ')) },
      { weight: 2, words: indexWords(`${title ?? ''} ${firstSentence(description)}`) },
      { weight: 1, words: indexWords([description, ...texts.filter((text) => !description.includes(text))].join(' ')) },
      { weight: 1, words: indexWords(operation.tags.join(' ')) },
      { weight: 0.5, words: indexWords(bindings.map(({ argument }) => argument).join(' ')) },
      { weight: 2, words: verbsFor(operation.method, operation.path) }
    ],
    prior: 1 / (1 + depthDiscount * segments.length)
  }
}

/** The first sentence of a text, on one line and cut where it is long. */
export function firstSentence (text: string, longest = 160): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const sentence = /^.*?[.!?](?= |$)/.exec(line)?.[0] ?? line
  return sentence.length > longest ? `${sentence.slice(0, longest - 1).trimEnd()}…` : sentence
}

/** Operations of an API that is too big to be listed. Made once for a document; each caller finds what it may call. */
export class Operations {
  readonly #all: readonly SearchedOperation[]
  readonly #byName: ReadonlyMap<string, SearchedOperation>
  readonly #index: Bm25Index

  constructor (operations: readonly SearchedOperation[]) {
    this.#all = operations
    this.#byName = new Map(operations.map((operation) => [operation.generated.name, operation]))
    this.#index = new Bm25Index(operations.map(indexed))
  }

  /** The operation of that name, where the caller may call it. */
  get (principal: Principal, name: string): SearchedOperation | undefined {
    const operation = this.#byName.get(name)
    return operation !== undefined && grants(principal, operation.tool.scopes) ? operation : undefined
  }

  /** What fits, the best first, of what the caller may call. */
  find (principal: Principal, { query, tag, method, path }: Question): SearchedOperation[] {
    return (query === undefined ? this.#all : this.#ranked(query)).filter(({ generated: { operation }, tool }) => (
      grants(principal, tool.scopes) &&
      (method === undefined || operation.method === method) &&
      (tag === undefined || operation.tags.some((own) => own.toLowerCase() === tag.toLowerCase())) &&
      (path === undefined || operation.path.toLowerCase().includes(path.toLowerCase()))
    ))
  }

  #ranked (query: string): SearchedOperation[] {
    const { words, verbs } = questionWords(query)
    // "Show all" looks for whatever can be shown.
    const found = words.size === 0 ? this.#index.search(verbs, words) : this.#index.search(words, verbs)
    return found.flatMap((index) => this.#all[index] ?? [])
  }

  /** Tags of what the caller may call, with the number of operations, the largest first. */
  tags (principal: Principal): Array<[tag: string, count: number]> {
    const counts = new Map<string, number>()
    for (const { generated: { operation }, tool } of this.#all) {
      if (grants(principal, tool.scopes)) for (const tag of operation.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
    }
    return [...counts].toSorted(([, left], [, right]) => right - left)
  }
}

/** The scopes that every one of these operations needs: a caller without them can call none. */
export function commonScopes (operations: readonly SearchedOperation[]): string[] {
  const [first, ...others] = operations.map(({ tool }) => withIncluded(tool.scopes))
  return [...first ?? []].filter((scope) => others.every((scopes) => scopes.has(scope)))
}
