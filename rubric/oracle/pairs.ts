import { isDeepStrictEqual } from 'node:util'

/** Values by name, in their order: the order between names means nothing. */
export function grouped (pairs: Iterable<readonly [string, string]>): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [name, value] of pairs) groups.set(name, [...groups.get(name) ?? [], value])
  return groups
}

export function comparePairs (what: string, expected: ReadonlyMap<string, string[]>, seen: ReadonlyMap<string, string[]>): string[] {
  const problems: string[] = []
  for (const [name, values] of expected) {
    if (!isDeepStrictEqual(values, seen.get(name))) problems.push(`${what} ${name}: ${JSON.stringify(seen.get(name) ?? null)} was sent, not ${JSON.stringify(values)}`)
  }
  for (const name of seen.keys()) if (!expected.has(name)) problems.push(`${what} ${name} was sent, which has no value`)
  return problems
}

/** A text before and after the first of these characters. */
export function split (text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

/** A text without its escapes, or what is wrong with it. */
export function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return `(not percent-encoded: ${text})`
  }
}
