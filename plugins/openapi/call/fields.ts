import { isObject } from './json.ts'
import type { Page } from './pages.ts'

/** Dotted paths by their first name, each with what is wanted of it: all of it where nothing is named. A field that is named itself is wanted whole, whatever is named below it. */
function treeOf (paths: readonly string[]): Map<string, string[]> {
  const tree = new Map<string, string[]>()
  for (const path of paths) {
    const [name = '', ...rest] = path.split('.')
    const deeper = tree.get(name)
    if (rest.length === 0) tree.set(name, [])
    else if (deeper === undefined) tree.set(name, [rest.join('.')])
    else if (deeper.length > 0) deeper.push(rest.join('.'))
  }
  return tree
}

/** Paths that some object had, paths that some object did not have, and names at the first level. */
interface Seen { readonly found: Set<string>, readonly absent: Set<string>, readonly there: Set<string> }

function cutDown (value: unknown, paths: readonly string[], prefix: string, seen: Seen): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => cutDown(entry, paths, prefix, seen))
  if (!isObject(value)) return value
  const tree = treeOf(paths)
  if (prefix === '') for (const name of Object.keys(value)) seen.there.add(name)
  return Object.fromEntries([...tree].flatMap(([name, deeper]): Array<[string, unknown]> => {
    const path = `${prefix}${name}`
    const has = Object.hasOwn(value, name)
    seen[has ? 'found' : 'absent'].add(path)
    if (!has) return []
    return [[name, deeper.length === 0 ? value[name] : cutDown(value[name], deeper, `${path}.`, seen)]]
  }))
}

export interface Projected {
  readonly value: unknown
  /** Fields that nothing has. */
  readonly missing: readonly string[]
  /** Fields that there are, at the first level. */
  readonly there: readonly string[]
}

/** Fields that a value gives for `fields`: a list of texts, or one text with commas. */
export function fieldsFrom (value: unknown): string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  return [...new Set(texts.flatMap((text) => typeof text === 'string' ? text.split(',') : []).map((text) => text.trim().replace(/^\.+|\.+$/g, '')).filter((text) => text !== ''))]
}

/** An answer with only these fields, of each entry where it is a list; the envelope of a page stays. */
export function project (value: unknown, page: Page | undefined, fields: readonly string[]): Projected {
  const name = page?.name
  const paths = name === undefined ? fields : fields.map((field) => field.startsWith(`${name}.`) ? field.slice(name.length + 1) : field).filter((field) => field !== name)
  if (paths.length === 0) return { value, missing: [], there: [] }
  const seen: Seen = { found: new Set(), absent: new Set(), there: new Set() }
  const isEnvelope = name !== undefined && isObject(value)
  const cut = cutDown(isEnvelope ? value[name] : value, paths, '', seen)
  return { value: isEnvelope ? { ...value, [name]: cut } : cut, missing: [...seen.absent].filter((path) => !seen.found.has(path)), there: [...seen.there] }
}
