import { isNode, listOf, type Node, type OpenApiDocument } from './document.ts'

/** A property of a body, with whatever `allOf` and references add to it. */
export interface WireProperty {
  readonly schema: Node
  readonly required: boolean
  readonly readOnly: boolean
}

/** What was made of a schema before: one that is used twice by one that is used twice would be made a billion times. */
const known = new WeakMap<object, Node>()

/** A schema with its references followed and its `allOf` laid into it, one level deep. */
export function merged (document: OpenApiDocument, value: unknown): Node {
  if (!isNode(value)) return {}
  const before = known.get(value)
  if (before !== undefined) return before
  const made = mergedAnew(document, value, new Set())
  known.set(value, made)
  return made
}

function mergedAnew (document: OpenApiDocument, value: unknown, seen: Set<unknown>): Node {
  const schema = document.resolve(value)
  // What is laid into it once need not be again, and may be itself.
  if (!isNode(schema) || seen.has(schema)) return {}
  seen.add(schema)
  const parts = listOf(schema.allOf).map((part) => mergedAnew(document, part, seen))
  const { allOf: _allOf, ...rest } = schema
  // In 3.1 what stands beside a reference counts as well.
  const beside: Node = isNode(value) && value !== schema ? Object.fromEntries(Object.entries(value).filter(([key]) => key !== '$ref')) : {}
  const all = [...parts, rest, beside]
  const properties = all.flatMap((part) => isNode(part.properties) ? Object.entries(part.properties) : [])
  const required = all.flatMap((part) => listOf(part.required))
  return {
    ...Object.assign({}, ...all),
    ...properties.length === 0 ? {} : { properties: Object.fromEntries(properties) },
    ...required.length === 0 ? {} : { required: [...new Set(required)] }
  }
}

export function typesOf (schema: Node): readonly unknown[] {
  return Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type]
}

/** Whether a body is one object and not a choice between several; what is not is an argument of its own. */
export function isFlatObject (document: OpenApiDocument, value: unknown): boolean {
  const schema = merged(document, value)
  const types = typesOf(schema).filter((type) => type !== 'null')
  const isObject = types.length === 0 ? isNode(schema.properties) : types.length === 1 && types[0] === 'object'
  return isObject && schema.oneOf === undefined && schema.anyOf === undefined && isNode(schema.properties)
}

/** Whether an object may hold properties that are not named. */
export function isOpen (document: OpenApiDocument, value: unknown): boolean {
  const { additionalProperties } = merged(document, value)
  return isNode(additionalProperties) || additionalProperties === true
}

export function propertiesOf (document: OpenApiDocument, value: unknown): ReadonlyMap<string, WireProperty> {
  const schema = merged(document, value)
  const required = new Set(listOf(schema.required))
  // What is neither a schema nor `true` allows nothing, or means nothing.
  const properties = isNode(schema.properties) ? Object.entries(schema.properties).filter(([, property]) => isNode(property) || property === true) : []
  return new Map(properties.map(([name, property]) => {
    const own = merged(document, property)
    return [name, { schema: own, required: required.has(name), readOnly: own.readOnly === true }]
  }))
}

/** Whether a value is a file: `binary` in 3.0, `file` in 2.0, raw bytes in 3.1. */
export function isFile (document: OpenApiDocument, value: unknown, depth = 0): boolean {
  // One that consists of itself is none.
  if (depth > 20) return false
  const schema = merged(document, value)
  const types = typesOf(schema)
  if (types.includes('array')) return isFile(document, schema.items, depth + 1)
  if (types.includes('file')) return true
  if ([...listOf(schema.anyOf), ...listOf(schema.oneOf)].some((branch) => isFile(document, branch, depth + 1))) return true
  return types.includes('string') && (schema.format === 'binary' || (schema.contentMediaType !== undefined && schema.contentEncoding === undefined))
}
