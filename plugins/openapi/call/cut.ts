import { isObject, jsonBytes } from './json.ts'

/** Something that was shortened so that an answer fits. */
export interface Cut {
  /** Where it is, as a dotted path; empty for the answer itself. */
  readonly path: string
  readonly what: 'entries' | 'fields' | 'characters'
  readonly kept: number
  readonly of: number
}

/** Levels below which a value is left out rather than shortened: each takes another look at all that is below it. */
const mostLevels = 16
/** Bytes below which a value is left out rather than shortened. */
const leastShare = 60
/** Bytes that quotes, commas and the words about a cut take. */
const markBytes = 40

function below (path: string, name: string | number): string {
  return path === '' ? String(name) : `${path}.${name}`
}

function cutText (text: string, bytes: number, path: string, cuts: Cut[]): string {
  const characters = Array.from(text.slice(0, bytes))
  let kept = characters.length
  // What is escaped takes more bytes than it has characters, so that a second look is needed.
  for (let size = jsonBytes(characters.join('')); size > bytes - markBytes && kept > 0; size = jsonBytes(characters.slice(0, kept).join(''))) {
    kept = Math.min(kept - 1, Math.floor(kept * Math.max(bytes - markBytes, 0) / size))
  }
  const head = characters.slice(0, kept).join('')
  cuts.push({ path, what: 'characters', kept: head.length, of: text.length })
  return `${head}… [${text.length - head.length} more characters]`
}

function cutList (list: readonly unknown[], bytes: number, path: string, cuts: Cut[], level: number): unknown[] {
  const kept: unknown[] = []
  let size = 2
  for (const entry of list) {
    size += jsonBytes(entry) + 1
    if (size > bytes) break
    kept.push(entry)
  }
  // One that is too large by itself is shortened, so that something is seen of the list.
  if (kept.length === 0 && bytes >= leastShare && level < mostLevels) kept.push(shorten(list[0], bytes - 3, below(path, 0), cuts, level + 1))
  if (kept.length < list.length) cuts.push({ path, what: 'entries', kept: kept.length, of: list.length })
  return kept
}

function cutObject (value: Readonly<Record<string, unknown>>, bytes: number, path: string, cuts: Cut[], level: number): Record<string, unknown> {
  const entries = Object.entries(value)
  const sizes = new Map(entries.map(([name, entry]) => [name, jsonBytes(name) + jsonBytes(entry) + 2]))
  // Small fields stay whole; what is left is shared evenly by the large ones.
  let left = bytes - 2
  let share = 0
  let sharing = sizes.size
  for (const size of [...sizes.values()].toSorted((one, other) => one - other)) {
    share = left / sharing
    if (size > share) break
    left -= size
    sharing -= 1
  }
  const result: Array<[string, unknown]> = []
  let room = bytes - 2
  for (const [name, entry] of entries) {
    const size = sizes.get(name) ?? 0
    if (size <= share || sharing === 0) result.push([name, entry])
    else if (share >= leastShare && level < mostLevels) result.push([name, shorten(entry, share - jsonBytes(name) - 2, below(path, name), cuts, level + 1)])
    else if (size <= room) result.push([name, entry])
    else break
    room -= size
  }
  if (result.length < entries.length) cuts.push({ path, what: 'fields', kept: result.length, of: entries.length })
  return Object.fromEntries(result)
}

function shorten (value: unknown, bytes: number, path: string, cuts: Cut[], level: number): unknown {
  if (jsonBytes(value) <= bytes) return value
  if (typeof value === 'string') return cutText(value, bytes, path, cuts)
  if (Array.isArray(value)) return cutList(value, bytes, path, cuts, level)
  return isObject(value) ? cutObject(value, bytes, path, cuts, level) : value
}

/** A value that takes at most so many bytes as JSON, shortened along its structure: whole entries of lists first. */
export function cutToFit (value: unknown, bytes: number): { value: unknown, cuts: readonly Cut[] } {
  const cuts: Cut[] = []
  return { value: shorten(value, bytes, '', cuts, 0), cuts }
}
