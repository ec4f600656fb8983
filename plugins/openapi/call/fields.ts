import { isObject } from './json.ts'
import type { Page } from './pages.ts'

/** A field that is wanted, and what is wanted of it: all of it where nothing is named. */
interface Wanted {
  readonly path: string
  readonly below: Map<string, Wanted>
  /** Whether some object had it, and whether some object did not. */
  found: boolean
  absent: boolean
}

function wanted (path: string): Wanted {
  return { path, below: new Map(), found: false, absent: false }
}

/** Dotted paths as a tree. A field that is named itself is wanted whole, whatever is named below it. */
function treeOf (paths: readonly string[]): Wanted {
  const root = wanted('')
  const whole = new Set(paths)
  for (const path of paths) {
    let node = root
    for (const name of path.split('.')) {
      const below = node === root ? name : `${node.path}.${name}`
      const next = node.below.get(name) ?? wanted(below)
      node.below.set(name, next)
      node = next
      if (whole.has(below)) break
    }
  }
  return root
}

function cutDown (value: unknown, node: Wanted): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => cutDown(entry, node))
  if (!isObject(value)) return value
  const entries: Array<[string, unknown]> = []
  for (const [name, child] of node.below) {
    if (Object.hasOwn(value, name)) {
      child.found = true
      entries.push([name, child.below.size === 0 ? value[name] : cutDown(value[name], child)])
    } else child.absent = true
  }
  return Object.fromEntries(entries)
}

function missingIn ({ below }: Wanted): string[] {
  return [...below.values()].flatMap((node) => node.found ? missingIn(node) : node.absent ? [node.path] : [])
}

/** Names that the objects of a list, or an object, have. */
function namesIn (value: unknown): string[] {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
  return [...new Set(entries.filter(isObject).flatMap((entry) => Object.keys(entry)))]
}

export interface Projected {
  readonly value: unknown
  /** Fields that nothing has. */
  readonly missing: readonly string[]
  /** Fields that there are, at the first level, where something is missing. */
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
  const tree = treeOf(paths)
  const inEnvelope = name !== undefined && isObject(value)
  const whole = inEnvelope ? value[name] : value
  const cut = cutDown(whole, tree)
  const missing = missingIn(tree)
  return { value: inEnvelope ? { ...value, [name]: cut } : cut, missing, there: missing.length === 0 ? [] : namesIn(whole) }
}
