import { CallError } from '../../../errors.ts'
import type { GeneratedTool, Place } from '../generated.ts'
import { withContent } from '../make/paging.ts'
import type { Operation, Schema } from '../operation.ts'
import { isRecord, listAt, own, recordAt } from '../read/records.ts'
import { definitionOf } from '../read/schemas.ts'

/*
 * The check of a tool's arguments goes by what is listed, which is shortened within values. What a document declares
 * there counts all the same: Django must not be given a field that nobody has said it takes, or it could be one that
 * the caller has no business with (mass assignment).
 */

/** A value without what is only for reading, and what of it the schema has no place for, by path. */
interface Sifted {
  readonly value: unknown
  readonly unknown: readonly string[]
}

function mayBe (type: 'array' | 'object', schema: Schema): boolean {
  return schema.type === undefined || schema.type === type || listAt(schema, 'type').includes(type)
}

/** A branch with what is said beside its union. */
function withinUnion (branch: Schema, union: Schema): Schema {
  return {
    ...branch,
    properties: { ...recordAt(union, 'properties'), ...recordAt(branch, 'properties') },
    additionalProperties: branch.additionalProperties ?? union.additionalProperties
  }
}

class Sieve {
  readonly #definitions: Operation['definitions']

  constructor (definitions: Operation['definitions']) {
    this.#definitions = definitions
  }

  /** @param within definitions that this value is looked at by already: a union that holds itself says nothing more */
  sift (value: unknown, schema: Schema, path: string, within: readonly string[] = []): Sifted {
    if (!Array.isArray(value) && !isRecord(value)) return { value, unknown: [] }
    const whole = withContent(schema, this.#definitions)
    const type = Array.isArray(value) ? 'array' : 'object'
    const names = [...within, definitionOf(schema) ?? '']
    const branches = listAt(whole, 'anyOf').filter(isRecord).filter((branch) => !names.includes(definitionOf(branch) ?? '-') && mayBe(type, withContent(branch, this.#definitions)))
    if (branches.length > 0) {
      const [best = { value, unknown: [] }] = branches
        .map((branch) => this.sift(value, withinUnion(withContent(branch, this.#definitions), whole), path, [...names, definitionOf(branch) ?? '']))
        .toSorted((left, right) => left.unknown.length - right.unknown.length)
      return best
    }
    if (Array.isArray(value)) return this.#list(value, whole, path)
    return this.#object(value, whole, path)
  }

  #list (value: readonly unknown[], { items }: Schema, path: string): Sifted {
    if (!isRecord(items)) return { value, unknown: [] }
    const entries = value.map((entry, index) => this.sift(entry, items, `${path}.${index}`))
    return { value: entries.map((entry) => entry.value), unknown: entries.flatMap(({ unknown }) => unknown) }
  }

  #object (value: Readonly<Record<string, unknown>>, schema: Schema, path: string): Sifted {
    const properties = recordAt(schema, 'properties')
    const { additionalProperties } = schema
    const isClosed = Object.keys(properties).length > 0 && additionalProperties !== true && !isRecord(additionalProperties)
    const unknown: string[] = []
    const kept: Array<[string, unknown]> = []
    for (const [name, entry] of Object.entries(value)) {
      const property = own(properties, name) ?? additionalProperties
      if (isRecord(property)) {
        // The API takes no notice of it either, and whoever sends back what was read has it.
        if (property.readOnly === true) continue
        const sifted = this.sift(entry, property, `${path}.${name}`)
        kept.push([name, sifted.value])
        unknown.push(...sifted.unknown)
      } else if (isClosed) unknown.push(`${path}.${name}`)
      else kept.push([name, entry])
    }
    return { value: Object.fromEntries(kept), unknown }
  }
}

/** What the document says of a value that goes there. */
function schemaAt (place: Place, { operation, bodyType = '' }: GeneratedTool): Schema | undefined {
  // A variable of a path is one text, however much is written into it.
  if (place.kind === 'parameter') return place.parameter.in === 'path' ? undefined : place.parameter.schema
  const body = operation.body?.content.get(bodyType)?.schema
  if (body === undefined || place.kind === 'fields') return undefined
  if (place.kind === 'body') return body
  const property = own(recordAt(withContent(body, operation.definitions), 'properties'), place.property)
  return isRecord(property) ? property : undefined
}

/**
 * Arguments without what the document says is only for reading, at any depth.
 * @throws {CallError} `invalid_input`, naming them, for fields within values that the document does not declare
 */
export function declared (tool: GeneratedTool, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const sieve = new Sieve(tool.operation.definitions)
  const unknown: string[] = []
  const changed: Record<string, unknown> = {}
  for (const { argument, place } of tool.bindings) {
    const value = own(args, argument)
    if (typeof value !== 'object' || value === null || tool.fileArguments.includes(argument)) continue
    const schema = schemaAt(place, tool)
    if (schema === undefined) continue
    const sifted = sieve.sift(value, schema, argument)
    changed[argument] = sifted.value
    unknown.push(...sifted.unknown)
  }
  if (unknown.length > 0) throw new CallError('invalid_input', 'The arguments are not valid.', { problems: unknown.map((path) => ({ path, message: 'is not known here' })) })
  return { ...args, ...changed }
}
