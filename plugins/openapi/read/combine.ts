import type { Schema } from '../operation.ts'
import { enumOf, split, takesNull, withNull, written } from './keywords.ts'
import { defined, distinct, isRecord, listAt, recordAt, same, textsAt } from './records.ts'

function isNullOnly ({ type, enum: choices }: Schema): boolean {
  return type === 'null' || (Array.isArray(choices) && choices.length > 0 && choices.every((choice) => choice === null))
}

const only = (schema: Schema, name: string): boolean => Object.keys(split(schema).rest).every((key) => key === name)

/** The branches of unions within the union, in their places. */
function flat (branches: readonly Schema[]): Schema[] {
  return branches.flatMap((branch) => Array.isArray(branch.anyOf) && only(branch, 'anyOf') ? branch.anyOf.filter(isRecord) : [branch])
}

/** One list of choices out of several, which drf-spectacular makes of one with blank and null. */
function choicesOf (branches: readonly Schema[]): Schema | undefined {
  if (!branches.every(({ enum: choices }) => Array.isArray(choices))) return undefined
  const description = branches.map((branch) => branch.description).find((text) => typeof text === 'string')
  return defined({ ...enumOf(branches.flatMap((branch) => listAt(branch, 'enum')), undefined), description })
}

/** One list of types out of several branches that say nothing else. */
function typesOf (branches: readonly Schema[]): Schema | undefined {
  if (!branches.every((branch) => branch.type !== undefined && Object.keys(branch).length === 1)) return undefined
  return defined({ type: written(distinct(branches.flatMap(({ type }) => Array.isArray(type) ? type.map(String) : [String(type)]))) })
}

/**
 * What is valid for any of these. `oneOf` becomes this as well: documents seldom mean that a value must not fit twice,
 * and a text that is a date also is a text.
 */
export function union (all: readonly Schema[]): Schema {
  const branches = distinct(flat(all))
  // An empty branch takes everything.
  if (branches.length === 0 || branches.some((branch) => Object.keys(split(branch).rest).length === 0)) return {}
  const others = branches.filter((branch) => !isNullOnly(branch))
  const nullable = others.length < branches.length || others.some(takesNull)
  const [first] = others
  if (first === undefined) return { type: 'null' }
  const simple = others.length === 1 ? first : choicesOf(others) ?? typesOf(others)
  if (simple !== undefined) return nullable ? withNull(simple) : simple
  return { anyOf: others.length < branches.length && !others.some(takesNull) ? [...others, { type: 'null' }] : others }
}

function isObject ({ type, properties, additionalProperties }: Schema): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || properties !== undefined || additionalProperties !== undefined
}

function mergedProperties (parts: readonly Schema[]): Schema {
  const merged = new Map<string, Schema>()
  for (const part of parts) {
    for (const [name, schema] of Object.entries(recordAt(part, 'properties'))) {
      const other = merged.get(name)
      if (isRecord(schema)) merged.set(name, other === undefined ? schema : intersection([other, schema]))
    }
  }
  return Object.fromEntries(merged)
}

function mergedObject (parts: readonly Schema[]): Schema {
  const properties = mergedProperties(parts)
  const required = distinct(parts.flatMap((part) => textsAt(part, 'required')))
  const additional = parts.map(({ additionalProperties }) => additionalProperties).find((value) => isRecord(value) || value === true)
  const type = parts.some(takesNull) && parts.every((part) => part.type === undefined || takesNull(part)) ? ['object', 'null'] : 'object'
  return defined({
    ...Object.assign({}, ...parts),
    type,
    properties: Object.keys(properties).length === 0 ? undefined : properties,
    required: required.length === 0 ? undefined : required,
    // One that allows no more than its own properties cannot be combined with another.
    additionalProperties: parts.length === 1 ? parts[0]?.additionalProperties : additional
  })
}

/**
 * What is valid for all of these, as one schema without `allOf`. What cannot be brought together, such as two unions,
 * is left to Django: the first of them stays.
 */
export function intersection (all: readonly Schema[]): Schema {
  const annotations: Schema = Object.assign({}, ...all.map((part) => split(part).annotations))
  const parts = all.map((part) => split(part).rest).filter((rest) => Object.keys(rest).length > 0)
  const [first, ...others] = parts
  if (first === undefined) return annotations
  if (others.length === 0) return { ...first, ...annotations }
  if (parts.every((part) => isObject(part) || (part.type === undefined && part.enum === undefined))) return { ...mergedObject(parts), ...annotations }
  const agreeing = others.filter((other) => Object.entries(other).every(([name, value]) => first[name] === undefined || same(first[name], value)))
  return { ...Object.assign({}, ...agreeing), ...first, ...annotations }
}
