import type { Operation, OperationMethod } from './operation.ts'

/*
 * Which operations become tools. A selector is a method, a target, or both with a space between them:
 *   `POST`                  every operation of that method; `all` stands for every method
 *   `/api/books/*`          operations at such a path: `*` is a part of one segment, `**` any number of segments; a
 *                           slash at the end does not count
 *   `tag:Books`             operations with that tag
 *   `books_*`               operations with such an operation id
 *   `POST tag:Books`        both
 */

/** Why a text is no selector. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError'
}

export interface Selector {
  readonly text: string
  readonly matches: (operation: Pick<Operation, 'method' | 'path' | 'tags' | 'operationId'>) => boolean
  /** Whether it names a method, or `all`. */
  readonly namesMethod: boolean
}

const methods: readonly OperationMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Stars of a pattern by what they stand for; everything else stands for itself. */
const stars: Readonly<Record<string, string>> = { '/**': '(?:/.*)?', '**': '.*', '*': '[^/]+' }

function glob (pattern: string): RegExp {
  const source = pattern.replaceAll(/\/?\*\*|\*|[^*/]+|\//g, (part) => stars[part] ?? part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${source}$`, 'i')
}

const withoutSlash = (path: string): string => path.replace(/\/$/, '')

function targetOf (text: string): (operation: Pick<Operation, 'path' | 'tags' | 'operationId'>) => boolean {
  if (text.startsWith('/')) {
    const path = glob(withoutSlash(text))
    return (operation) => path.test(withoutSlash(operation.path))
  }
  const [, tag] = /^tag:(.+)$/i.exec(text) ?? []
  const pattern = glob(tag?.trim() ?? text)
  return tag === undefined
    ? (operation) => operation.operationId !== undefined && pattern.test(operation.operationId)
    : (operation) => operation.tags.some((own) => pattern.test(own))
}

/**
 * Reads a selector.
 * @throws {SelectorError} for a text that is none
 */
export function parseSelector (text: string): Selector {
  const trimmed = text.trim()
  const [first = '', ...others] = trimmed.split(/\s+/)
  const method = methods.find((candidate) => candidate === first.toUpperCase())
  const all = first.toLowerCase() === 'all'
  const target = method === undefined && !all ? trimmed : others.join(' ')
  if (trimmed === '' || /^tag:\s*$/i.test(target)) {
    throw new SelectorError(`expected a method, a path, "tag:NAME" or an operation id, such as "POST /api/books/*", got ${JSON.stringify(text)}`)
  }
  const matchesTarget = target === '' ? () => true : targetOf(target)
  return {
    text: trimmed,
    namesMethod: method !== undefined || all,
    matches: (operation) => (method === undefined || operation.method === method) && matchesTarget(operation)
  }
}

/**
 * Reads a selector that allows methods, so one that names some.
 * @throws {SelectorError} for a text that is none
 */
export function parseMethodSelector (text: string): Selector {
  const selector = parseSelector(text)
  if (!selector.namesMethod) throw new SelectorError(`expected a method or "all", alone or before a path, "tag:NAME" or an operation id, got ${JSON.stringify(text)}`)
  return selector
}

function isRead (read: (text: string) => unknown, text: string): boolean {
  try {
    read(text)
    return true
  } catch {
    return false
  }
}

export function isSelector (text: string): boolean {
  return isRead(parseSelector, text)
}

export function isMethodSelector (text: string): boolean {
  return isRead(parseMethodSelector, text)
}

export interface Selection {
  /** What is allowed; everything that reads where it is left out. */
  readonly methods?: readonly string[] | undefined
  /** Of what is allowed, only this; everything where it is left out. */
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
}

export interface Selected {
  /** Why an operation is not selected, or undefined where it is. */
  readonly whyNot: (operation: Operation) => string | undefined
  /** Selectors that select nothing. */
  readonly idle: readonly string[]
}

/**
 * Applies a selection to the operations of a document.
 * @throws {SelectorError} for a selector that cannot be read
 */
export function select (operations: readonly Operation[], { methods: allowing = ['GET'], include = [], exclude = [] }: Selection): Selected {
  const allowed = allowing.map(parseMethodSelector)
  const included = include.map(parseSelector)
  const excluded = exclude.map(parseSelector)
  const idle = [...allowed.filter(({ text }) => !/^(?:\w+)$/.test(text)), ...included, ...excluded].filter((selector) => !operations.some(selector.matches))
  return {
    idle: idle.map(({ text }) => text),
    whyNot (operation) {
      if (!allowed.some((selector) => selector.matches(operation))) return `${operation.method} is not among the allowed methods`
      if (included.length > 0 && !included.some((selector) => selector.matches(operation))) return 'it is not among those that are included'
      const by = excluded.find((selector) => selector.matches(operation))
      return by === undefined ? undefined : `it is excluded by ${JSON.stringify(by.text)}`
    }
  }
}
