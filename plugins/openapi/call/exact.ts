import { wrongArgument } from '../../django/path.ts'
import type { GeneratedTool } from '../generated.ts'
import type { Schema } from '../operation.ts'
import { isRecord, listAt, own, recordAt } from '../read/records.ts'
import { definitionOf } from '../read/schemas.ts'

/** Schemas in each other that are looked through for the type of a number. */
const deepest = 50

/** What may be said of a value: the schema, what it refers to, and the branches of a union. */
function readings (schema: unknown, root: Schema, depth = 0): Schema[] {
  if (!isRecord(schema) || depth > deepest) return []
  const name = definitionOf(schema)
  const further = [...listAt(schema, 'anyOf'), ...name === undefined ? [] : [own(recordAt(root, '$defs'), name)]]
  return [schema, ...further.flatMap((other) => readings(other, root, depth + 1))]
}

function isInteger ({ type }: Schema): boolean {
  return type === 'integer' || (Array.isArray(type) && type.includes('integer'))
}

function check (value: unknown, path: string, schemas: () => readonly Schema[], root: Schema): void {
  if (typeof value === 'number') {
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER && schemas().some(isInteger)) throw wrongArgument(path, 'is a number beyond 2^53, which does not arrive exactly: give it as a text, between quotes')
  } else if (Array.isArray(value)) {
    value.forEach((entry: unknown, index) => { check(entry, `${path}.${index}`, () => schemas().flatMap(({ items }) => readings(items, root)), root) })
  } else if (isRecord(value)) {
    for (const [name, entry] of Object.entries(value)) {
      check(entry, `${path}.${name}`, () => schemas().flatMap((schema) => readings(own(recordAt(schema, 'properties'), name) ?? schema.additionalProperties, root)), root)
    }
  }
}

/**
 * Numbers that JavaScript cannot tell from their neighbours have changed on their way, and would name something else.
 * @throws {CallError} `invalid_input`, naming the place in the argument, for such a number where an integer is meant
 */
export function checkExact (value: unknown, argument: string, { inputSchema }: GeneratedTool): void {
  check(value, argument, () => readings(inputSchema.properties?.[argument], inputSchema), inputSchema)
}
