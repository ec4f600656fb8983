import { isNode, type Node } from './oracle/document.ts'

/** A schema within a schema, and where it is. */
export interface Found {
  readonly schema: Node
  readonly at: string
}

const single = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames', 'unevaluatedProperties', 'unevaluatedItems', 'contentSchema'] as const
const lists = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const
const maps = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'] as const

/** Every schema in a schema: what stands where JSON Schema has a schema, and not what only looks like one. */
export function * schemasIn (value: unknown, at = ''): Generator<Found> {
  if (!isNode(value)) return
  yield { schema: value, at: at === '' ? '/' : at }
  for (const keyword of single) yield * schemasIn(value[keyword], `${at}/${keyword}`)
  for (const keyword of lists) {
    const entries = value[keyword]
    if (Array.isArray(entries)) for (const [index, entry] of entries.entries()) yield * schemasIn(entry, `${at}/${keyword}/${index}`)
  }
  for (const keyword of maps) {
    const entries = value[keyword]
    if (isNode(entries)) for (const [name, entry] of Object.entries(entries)) yield * schemasIn(entry, `${at}/${keyword}/${name}`)
  }
}

/** What a local reference in a schema points to. */
export function target (root: Node, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined
  let current: unknown = root
  for (const part of reference.split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    current = isNode(current) && Object.hasOwn(current, key) ? current[key] : undefined
  }
  return current
}
