import type { Schema } from '../operation.ts'
import { defined, isRecord, listAt, recordAt, textAt, textsAt, type Raw } from '../read/records.ts'
import { isVisible, shortened } from '../text.ts'

/** Characters of the description of an argument or of a property within one. */
export const longestDescription = 100

/** Characters from which on the bound of a text is that of its column, and seldom reached. */
const longText = 128

/** Names of properties that clients take. Only those of arguments can be translated; within a value they are as they are. */
export function isLegalName (name: string): boolean {
  return /^[\w.-]{1,64}$/.test(name) && !(name in {})
}

/** Words of Django REST Framework's own that only say again what the name of a parameter says. */
const boilerplate = [
  /^A unique (?:integer )?value identifying this [^.]*\.?$/i,
  /^A UUID string identifying this [^.]*\.?$/i,
  /^A search term\.?$/i,
  /^Number of results to return per page\.?(?: Use with \S+)?$/i,
  /^A page number within the paginated result set\.?$/i,
  /^The initial index from which to return the results\.?(?: Use with \S+)?$/i,
  /^The pagination cursor value\.?$/i,
  /^Multiple values may be separated by commas\.?$/i
]

/** Words that say nothing beside the name of what they are about. */
const idle = new Set('a an the of for by in on to this that with and or is be its it field fields value values filter filters simple equality exact only id identifier unique name parameter param query optional required given parent'.split(' '))

const wordsOf = (text: string): string[] => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')

/** Whether a description only says again what the name says. */
function repeats (text: string, name: string): boolean {
  if (boilerplate.some((words) => words.test(text))) return true
  const known = new Set([...wordsOf(name), ...wordsOf(name.replaceAll('_', ' '))])
  return wordsOf(text.replaceAll('_', ' ')).every((word) => idle.has(word) || known.has(word) || known.has(word.replace(/s$/, '')))
}

/** What is said of a value beside its type: what it is, and what Django takes where it is left out. */
export function described (text: string, name: string, fallback: unknown, longest = longestDescription): string | undefined {
  const useful = repeats(text, name) ? '' : text.replace(/^Which field to use when ordering the results\.?/i, 'Field to order by; a leading "-" reverses.')
  const shown = typeof fallback === 'boolean' || typeof fallback === 'number' || (typeof fallback === 'string' && fallback !== '' && fallback.length <= 40 && isVisible(fallback) && !fallback.includes('://'))
  const note = shown && !/\bdefaults?\b/i.test(useful) ? `Default: ${String(fallback)}.` : ''
  const said = shortened(useful, longest - (note === '' ? 0 : note.length + 1))
  const line = said === '' || note === '' ? said : `${said}${/[.!?…]$/.test(said) ? '' : '.'}`
  return [line, note].filter((part) => part !== '').join(' ') || undefined
}

/** Whether a default is a value that the schema itself would take: others are mistakes, and would mislead. */
function isTaken (fallback: unknown, { type, enum: choices }: Schema): boolean {
  if (Array.isArray(choices)) return choices.includes(fallback)
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  return type === undefined || types.includes(typeof fallback) || (typeof fallback === 'number' && types.includes('integer') && Number.isInteger(fallback))
}

export interface TrimOptions {
  /** Whether to tell what Django takes for what is left out. Where a change is partial, that is nothing. */
  readonly defaults: boolean
}

/**
 * A schema as it is shown for input: without what cannot be written, without titles, with short descriptions. Defaults
 * become words: a keyword would have them sent, and what is not given must not be.
 */
export function trimmed (schema: Schema, name: string, options: TrimOptions): Schema {
  const { title, description, default: fallback, readOnly: _readOnly, writeOnly: _writeOnly, properties, required: _required, additionalProperties, items, anyOf, ...rest } = schema
  const text = typeof description === 'string' ? description : typeof title === 'string' ? title : ''
  const within = isRecord(properties) ? writable(schema) : {}
  const { legal, illegal } = byLegality(within)
  const shown = Object.fromEntries(Object.entries(legal).map(([key, value]) => [key, trimmed(value, key, options)]))
  const unnamed = illegal.length === 0 ? '' : `${text === '' ? '' : ' '}Also: ${illegal.join(', ')}.`
  const required = textsAt(schema, 'required').filter((key) => Object.hasOwn(shown, key))
  const { minLength, maxLength } = schema
  return defined({
    ...rest,
    // What Django checks anyway, and no model gets wrong.
    minLength: minLength === 1 ? undefined : minLength,
    maxLength: typeof maxLength === 'number' && maxLength >= longText ? undefined : maxLength,
    description: described(`${text}${unnamed}`, name, options.defaults && isTaken(fallback, schema) ? fallback : undefined),
    properties: Object.keys(shown).length === 0 ? undefined : shown,
    required: required.length === 0 ? undefined : required,
    additionalProperties: isRecord(additionalProperties) ? trimmed(additionalProperties, '', options) : undefined,
    items: isRecord(items) ? trimmed(items, '', options) : undefined,
    anyOf: Array.isArray(anyOf) ? anyOf.filter(isRecord).map((branch) => trimmed(branch, '', options)) : undefined
  })
}

/** The properties of an object that may be sent. */
export function writable (schema: Schema): Readonly<Record<string, Schema>> {
  return Object.fromEntries(Object.entries(recordAt(schema, 'properties')).flatMap(([name, value]) => (
    isRecord(value) && value.readOnly !== true ? [[name, value] as const] : []
  )))
}

function byLegality (properties: Readonly<Record<string, Schema>>): { legal: Record<string, Schema>, illegal: string[] } {
  const entries = Object.entries(properties)
  return {
    legal: Object.fromEntries(entries.filter(([name]) => isLegalName(name))),
    illegal: entries.map(([name]) => name).filter((name) => !isLegalName(name) && isVisible(name) && name.length <= 64)
  }
}

/** A schema of a value that is written into a path, a query or a header, where `null` has no form. */
export function withoutNull (schema: Schema): Schema {
  const { type, enum: choices, anyOf } = schema
  const branches: Raw[] = listAt(schema, 'anyOf').filter(isRecord).filter((branch) => branch.type !== 'null')
  const [only] = branches
  if (Array.isArray(anyOf) && branches.length === 1 && only !== undefined) return { ...only, ...defined({ description: textAt(schema, 'description') || undefined, default: schema.default }) }
  // Of what can only be null, nothing is left but a text.
  if (type === 'null' || (Array.isArray(choices) && choices.every((choice) => choice === null))) return defined({ type: 'string', description: textAt(schema, 'description') || undefined })
  const types = Array.isArray(type) ? type.filter((entry) => entry !== 'null') : type
  return defined({
    ...schema,
    type: Array.isArray(types) && types.length === 1 ? types[0] : types,
    enum: Array.isArray(choices) ? choices.filter((choice) => choice !== null) : undefined,
    anyOf: Array.isArray(anyOf) ? branches : undefined,
    items: isRecord(schema.items) ? withoutNull(schema.items) : undefined
  })
}
