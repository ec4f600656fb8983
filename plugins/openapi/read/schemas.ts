import type { Schema } from '../operation.ts'
import { plain } from '../text.ts'
import { labelled } from './choices.ts'
import { intersection, union } from './combine.ts'
import { assertionsOf, split, typesOf, withNull } from './keywords.ts'
import { pointedAt, PointerError } from './pointer.ts'
import { defined, distinct, isRecord, listAt, own, recordAt, textAt, textsAt, type Raw } from './records.ts'

const prefix = '#/$defs/'

/** Words that narrow what a reference leads to, where they stand beside it: OpenAPI 3.1 reads both. */
const narrowing = ['properties', 'required', 'additionalProperties', 'patternProperties', 'items', 'enum', 'const', 'allOf', 'oneOf', 'anyOf', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'] as const

/** Name of the shared schema that a reference leads to, or undefined where the schema is none. */
export function definitionOf (schema: Schema): string | undefined {
  const { $ref } = schema
  return typeof $ref === 'string' ? $ref.slice(prefix.length) : undefined
}

/** Whether a schema is so small that a reference to it would only hide what it says. */
function isScalar (schema: Schema): boolean {
  return ['$ref', 'properties', 'items', 'anyOf', 'additionalProperties'].every((name) => schema[name] === undefined)
}

/**
 * The schemas of a document as JSON Schema 2020-12 of few words: no `allOf`, `oneOf` or `const`, no keyword that only
 * OpenAPI knows, each keyword only beside the types it is about. References lead to `definitions`.
 */
export class Schemas {
  /** Schemas that are referred to, by name. It grows while the document is read. */
  readonly definitions: Record<string, Schema> = {}
  readonly #document: Raw
  readonly #warn: (warning: string) => void
  readonly #names = new Map<string, string>()
  readonly #taken = new Set<string>()

  constructor (document: Raw, warn: (warning: string) => void) {
    this.#document = document
    this.#warn = warn
  }

  convert (raw: unknown): Schema {
    if (!isRecord(raw)) return {}
    const reference = own(raw, '$ref')
    const schema = typeof reference === 'string' ? this.#referred(reference, raw) : this.#written(raw)
    return raw.nullable === true || raw['x-nullable'] === true ? withNull(schema) : schema
  }

  /** The schema itself, where it is a reference. */
  resolve (schema: Schema): Schema {
    const name = definitionOf(schema)
    if (name === undefined) return schema
    const { $ref: _, ...others } = schema
    return { ...this.#lookUp(name), ...others }
  }

  #lookUp (name: string): Schema {
    const found = this.definitions[name]
    if (found === undefined) {
      this.#warn(`The schema ${name} consists of itself; what is not clear about it is left open.`)
      return {}
    }
    const next = definitionOf(found)
    return next === undefined || next === name ? found : this.resolve(found)
  }

  #referred (reference: string, raw: Raw): Schema {
    const annotations = this.#annotations(raw, undefined)
    let name: string
    try {
      name = this.#define(reference)
    } catch (error) {
      if (!(error instanceof PointerError)) throw error
      this.#warn(`A schema is left open: ${error.message}.`)
      return annotations
    }
    const schema = this.definitions[name]
    // One that is being read, which contains this one, cannot be taken apart yet.
    if (schema !== undefined && narrowing.some((word) => own(raw, word) !== undefined)) {
      const { $ref: _, ...beside } = raw
      return this.#written({ ...beside, allOf: [{ $ref: reference }, ...listAt(raw, 'allOf')] })
    }
    if (schema !== undefined && isScalar(schema)) return { ...schema, ...annotations }
    const inherited = schema?.readOnly === true ? { readOnly: true } : {}
    return { $ref: `${prefix}${name}`, ...inherited, ...annotations }
  }

  /** Converts what a reference leads to, once; gives its name among the definitions. */
  #define (reference: string): string {
    const known = this.#names.get(reference)
    if (known !== undefined) return known
    const raw = pointedAt(this.#document, reference)
    const name = this.#nameFor(reference)
    this.#names.set(reference, name)
    const schema = this.convert(raw)
    this.definitions[name] = this.#leadsTo(schema, name, new Set()) ? this.#withoutItself(schema, name) : schema
    return name
  }

  #nameFor (reference: string): string {
    const last = reference.slice(reference.lastIndexOf('/') + 1).replaceAll(/%[0-9a-f]{2}|~[01]|[^\w.-]/gi, '_')
    const base = last === '' || last in {} ? `${last}_` : last
    let name = base
    for (let number = 2; this.#taken.has(name); number++) name = `${base}_${number}`
    this.#taken.add(name)
    return name
  }

  /** Whether a schema is the named one itself, or one of several that a value may be. */
  #leadsTo (schema: Schema, name: string, seen: Set<string>): boolean {
    const next = definitionOf(schema)
    if (next === name) return true
    if (next !== undefined && !seen.has(next)) {
      const definition = this.definitions[next]
      return definition !== undefined && this.#leadsTo(definition, name, seen.add(next))
    }
    return listAt(schema, 'anyOf').some((branch) => isRecord(branch) && this.#leadsTo(branch, name, seen))
  }

  #withoutItself (schema: Schema, name: string): Schema {
    this.#warn(`The schema ${name} consists of itself; what is not clear about it is left open.`)
    const { annotations } = split(schema)
    return { ...annotations, ...union(listAt(schema, 'anyOf').filter(isRecord).filter((branch) => !this.#leadsTo(branch, name, new Set()))) }
  }

  #written (raw: Raw): Schema {
    const annotations = this.#annotations(raw, raw.enum)
    const parts = [this.#own(raw), ...listAt(raw, 'allOf').map((part) => this.convert(part)), ...this.#unions(raw)]
      .filter((part) => Object.keys(part).length > 0)
    const [first, ...others] = parts
    if (first === undefined) return annotations
    // One reference with words of its own beside it is how 3.0 describes a property.
    if (others.length === 0) return { ...first, ...annotations }
    return { ...intersection(parts.map((part) => this.resolve(part))), ...annotations }
  }

  /** The part of a schema that is no combination of others. */
  #own (raw: Raw): Schema {
    const known = typesOf(raw)
    const combined = ['allOf', 'oneOf', 'anyOf'].some((name) => listAt(raw, name).length > 0)
    return {
      ...assertionsOf(raw, known),
      ...known?.includes('object') === true && !Array.isArray(raw.enum) ? this.#object(raw, combined) : {},
      ...known?.includes('array') === true && !Array.isArray(raw.enum) ? { items: this.#items(raw) } : {}
    }
  }

  #object (raw: Raw, combined: boolean): Schema {
    const properties = Object.fromEntries(Object.entries(recordAt(raw, 'properties')).filter(([, value]) => isRecord(value) || value === true).map(([name, value]) => [name, this.convert(value)]))
    const names = Object.keys(properties)
    const required = distinct(textsAt(raw, 'required')).filter((name) => combined || Object.hasOwn(properties, name))
    return defined({
      properties: names.length === 0 ? undefined : properties,
      required: required.length === 0 ? undefined : required,
      additionalProperties: this.#additional(raw, names.length > 0, combined)
    })
  }

  #additional (raw: Raw, named: boolean, combined: boolean): Schema | boolean | undefined {
    const { additionalProperties } = raw
    const patterns = Object.values(recordAt(raw, 'patternProperties'))
    const schema = isRecord(additionalProperties) ? this.convert(additionalProperties)
      : patterns.length > 0 ? union(patterns.map((pattern) => this.convert(pattern))) : undefined
    if (schema !== undefined && Object.keys(schema).length > 0) return schema
    if (additionalProperties === false && patterns.length === 0) return named && !combined ? false : undefined
    return named && (additionalProperties === true || schema !== undefined) ? true : undefined
  }

  #items (raw: Raw): Schema {
    const tuple = [...listAt(raw, 'prefixItems'), ...listAt(raw, 'items')]
    return tuple.length > 0 ? union(tuple.map((item) => this.convert(item))) : this.convert(raw.items)
  }

  #unions (raw: Raw): Schema[] {
    return ['oneOf', 'anyOf'].flatMap((name) => {
      const branches = listAt(raw, name)
      return branches.length === 0 ? [] : [union(branches.map((branch) => this.#discriminated(branch, recordAt(raw, 'discriminator'))))]
    })
  }

  /** A branch with the value that tells it from the others, which OpenAPI writes beside the union. */
  #discriminated (branch: unknown, discriminator: Raw): Schema {
    const schema = this.convert(branch)
    const property = textAt(discriminator, 'propertyName')
    const reference = isRecord(branch) ? textAt(branch, '$ref') : ''
    if (property === '' || reference === '') return schema
    const name = reference.slice(reference.lastIndexOf('/') + 1)
    const mapped = Object.entries(recordAt(discriminator, 'mapping')).filter(([, target]) => target === reference || target === name).map(([value]) => value)
    const content = this.resolve(schema)
    const properties = recordAt(content, 'properties')
    const told = own(properties, property)
    if (isRecord(told) && (Array.isArray(told.enum) || this.resolve(told).enum !== undefined)) return schema
    return {
      ...content,
      type: 'object',
      properties: { ...properties, [property]: { type: 'string', enum: mapped.length > 0 ? mapped : [name] } },
      required: distinct([...textsAt(content, 'required'), property])
    }
  }

  #annotations (raw: Raw, choices: unknown): Schema {
    const { deprecated, readOnly, writeOnly, format } = raw
    const text = Array.isArray(choices) ? labelled(textAt(raw, 'description'), choices) : plain(textAt(raw, 'description'))
    const written = format === 'duration' ? 'Written as "days hours:minutes:seconds".' : ''
    const description = [text, written].filter((part) => part !== '').join(' ')
    const title = plain(textAt(raw, 'title'))
    const fallback = own(raw, 'default')
    return defined({
      title: title === '' ? undefined : title,
      description: description === '' ? undefined : description,
      default: fallback === null ? undefined : fallback,
      deprecated: deprecated === true ? true : undefined,
      readOnly: readOnly === true ? true : undefined,
      writeOnly: writeOnly === true ? true : undefined
    })
  }
}
