import type { Schema } from '../operation.ts'
import { isVisible } from '../text.ts'
import { portablePattern } from './pattern.ts'
import { defined, distinct, isRecord, own, type Raw } from './records.ts'

/** Types of JSON. A document's own words for others are not among them. */
const types = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
type Type = typeof types[number]

const isType = (value: unknown): value is Type => types.some((type) => type === value)

/** Keywords that say something only about values of one type. */
const numeric = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const
const ofStrings = ['minLength', 'maxLength'] as const
const ofArrays = ['minItems', 'maxItems'] as const
const ofObjects = ['minProperties', 'maxProperties'] as const

/** The types that a value may have, and `undefined` where it may be anything. */
export function typesOf (raw: Raw): Type[] | undefined {
  const { type } = raw
  const listed = (Array.isArray(type) ? type : [type]).map((entry: unknown) => entry === null ? 'null' : entry === 'file' ? 'string' : entry)
  const known = distinct(listed.filter(isType))
  if (known.length > 0) return known.includes('number') ? known.filter((entry) => entry !== 'integer') : known
  const has = (...names: string[]): boolean => names.some((name) => own(raw, name) !== undefined)
  if (has('enum', 'const')) return undefined
  if (has('properties', 'patternProperties') || (has('allOf') && has('required') && !has('oneOf', 'anyOf'))) return ['object']
  // Other words are about values of one type, if any of those that the parts allow.
  if (has('oneOf', 'anyOf', 'allOf', '$ref')) return undefined
  if (has('additionalProperties', 'required', ...ofObjects)) return ['object']
  if (has('items', 'prefixItems', 'uniqueItems', ...ofArrays)) return ['array']
  if (has('pattern', ...ofStrings)) return ['string']
  return has(...numeric) ? ['number'] : undefined
}

/** A list of types as it is written: one alone without the list. */
export function written (known: readonly string[]): string | readonly string[] | undefined {
  return known.length === 0 ? undefined : known.length === 1 ? known[0] : known
}

function typeOfValue (value: unknown): Type | undefined {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  const type = typeof value
  return isType(type) ? type : undefined
}

/** A list of choices: without repetitions and what nobody can see, and with the types of the values that are there. */
export function enumOf (values: readonly unknown[], known: readonly Type[] | undefined): Schema {
  const choices = distinct(values.filter((value) => typeof value !== 'string' || isVisible(value)))
  if (choices.length === 0) return known === undefined ? {} : defined({ type: written(known) })
  const found = distinct(choices.flatMap((value) => typeOfValue(value) ?? []))
  const type = found.includes('number') ? found.filter((entry) => entry !== 'integer') : found
  return defined({ type: written(type), enum: choices })
}

function numbers (raw: Raw, names: readonly string[]): Raw {
  return Object.fromEntries(names.flatMap((name) => {
    const value = own(raw, name)
    return typeof value === 'number' && Number.isFinite(value) ? [[name, value]] : []
  }))
}

/** Bounds that are those of the column in the database, and no rule of the API. */
function isStorageBound (value: unknown): boolean {
  return typeof value === 'number' && (Math.abs(value) >= 2 ** 53 - 1 || value === 2_147_483_647 || value === -2_147_483_648)
}

function bounds (raw: Raw): Raw {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = raw
  const found = numbers({
    ...raw,
    // Up to 3.0 the words say whether the bound itself is left out.
    minimum: exclusiveMinimum === true ? undefined : minimum,
    maximum: exclusiveMaximum === true ? undefined : maximum,
    exclusiveMinimum: exclusiveMinimum === true ? minimum : exclusiveMinimum,
    exclusiveMaximum: exclusiveMaximum === true ? maximum : exclusiveMaximum
  }, numeric)
  return Object.fromEntries(Object.entries(found).filter(([name, value]) => !isStorageBound(value) && (name !== 'multipleOf' || (typeof value === 'number' && value > 0))))
}

function counts (raw: Raw, names: readonly string[]): Raw {
  return Object.fromEntries(Object.entries(numbers(raw, names)).filter(([, value]) => Number.isInteger(value) && Number(value) >= 0))
}

/** Formats that say nothing about how a value is written in JSON, or something else than Django does. */
const emptyFormats = new Set(['int32', 'int64', 'float', 'double', 'string', 'password', 'regex', 'slug', 'enum', 'duration', 'json', 'object', 'integer', 'number', 'boolean', 'array', ''])

function formatOf (raw: Raw): string | undefined {
  const { format, type, contentEncoding, contentMediaType } = raw
  if (type === 'file') return 'binary'
  if (contentEncoding === 'base64') return 'byte'
  if (contentMediaType === 'application/octet-stream') return 'binary'
  return typeof format === 'string' && /^[\w-]{1,40}$/.test(format) && !emptyFormats.has(format) ? format : undefined
}

/** The keywords that hold no other schema, for values of these types. */
export function assertionsOf (raw: Raw, known: readonly Type[] | undefined): Schema {
  const { enum: choices, const: constant, pattern, uniqueItems, type } = raw
  if (Array.isArray(choices)) return enumOf(choices, known)
  if (constant !== undefined) return enumOf([constant], known)
  if (known === undefined) return {}
  const text = known.includes('string')
  return defined({
    type: written(known),
    ...known.includes('integer') || known.includes('number') ? bounds(raw) : {},
    ...text ? counts(raw, ofStrings) : {},
    ...text ? { format: formatOf(raw), pattern: typeof pattern === 'string' && isVisible(pattern) && type !== 'file' ? portablePattern(pattern) : undefined } : {},
    ...known.includes('array') ? { ...counts(raw, ofArrays), uniqueItems: uniqueItems === true ? true : undefined } : {},
    ...known.includes('object') ? counts(raw, ofObjects) : {}
  })
}

/** Whether a schema may be left empty by a value `null`. */
export function takesNull (schema: Schema): boolean {
  const { type, enum: choices, anyOf, $ref } = schema
  if (Array.isArray(choices)) return choices.includes(null)
  if (type !== undefined) return type === 'null' || (Array.isArray(type) && type.includes('null'))
  if (Array.isArray(anyOf)) return anyOf.some((branch) => isRecord(branch) && takesNull(branch))
  return $ref === undefined && schema.allOf === undefined
}

const annotationNames = new Set(['title', 'description', 'default', 'deprecated', 'readOnly', 'writeOnly'])

/** What a schema says about a value without narrowing it, and the rest. */
export function split (schema: Schema): { annotations: Schema, rest: Schema } {
  const entries = Object.entries(schema)
  return {
    annotations: Object.fromEntries(entries.filter(([name]) => annotationNames.has(name))),
    rest: Object.fromEntries(entries.filter(([name]) => !annotationNames.has(name)))
  }
}

/** The schema with `null` as one more value. */
export function withNull (schema: Schema): Schema {
  if (takesNull(schema)) return schema
  const { type, enum: choices, anyOf } = schema
  if (Array.isArray(choices) || typeof type === 'string' || Array.isArray(type)) {
    const known = [...Array.isArray(type) ? type : type === undefined ? [] : [type], 'null']
    return defined({ ...schema, type: known, enum: Array.isArray(choices) ? [...choices, null] : undefined })
  }
  const { annotations, rest } = split(schema)
  return { ...annotations, anyOf: [...Array.isArray(anyOf) && Object.keys(rest).length === 1 ? anyOf : [rest], { type: 'null' }] }
}
