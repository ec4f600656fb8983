import type { Schema } from '../operation.ts'
import { isRecord, recordAt } from '../read/records.ts'
import { definitionOf } from '../read/schemas.ts'
import { mapParts, parts } from './inline.ts'

/** Bytes of JSON that an input schema may have. With name and description a tool stays below 8 KB. */
const longest = 7_200
/** Choices that are told where everything else has been left out already. */
const fewChoices = 20

function withoutDescriptions (schema: Schema): Schema {
  const { description: _, ...rest } = mapParts(schema, withoutDescriptions)
  return rest
}

/** The kind of a value, and nothing of what is in it. */
function outline ({ type, description }: Schema): Schema {
  const kind = type ?? 'object'
  return { type: kind, ...kind === 'array' ? { items: {} } : {}, ...description === undefined ? {} : { description } }
}

/** A schema down to some levels below its arguments; what lies deeper may be anything of its kind. */
function cutTo (schema: Schema, depth: number): Schema {
  if (depth > 0) return mapParts(schema, (part) => cutTo(part, depth - 1))
  return parts(schema).length === 0 && definitionOf(schema) === undefined ? schema : outline(schema)
}

function fewer (schema: Schema): Schema {
  const { enum: choices, ...rest } = schema
  return mapParts(Array.isArray(choices) && choices.length > fewChoices ? rest : schema, fewer)
}

/** Leaves out the shared schemas that nothing refers to any more. */
function withoutUnused (schema: Schema): Schema {
  const { $defs, ...root } = schema
  if (!isRecord($defs)) return schema
  const used = new Set<string>()
  const visit = (part: Schema): void => {
    const name = definitionOf(part)
    const target = name === undefined ? undefined : recordAt($defs, name)
    if (name !== undefined && target !== undefined && !used.has(name)) {
      used.add(name)
      visit(target)
    }
    for (const inner of parts(part)) visit(inner)
  }
  visit(root)
  return used.size === 0 ? root : { ...root, $defs: Object.fromEntries([...used].map((name) => [name, recordAt($defs, name)])) }
}

/** Applies a change to the arguments and to what they share. */
function changed (schema: Schema, depth: number, change: (part: Schema, depth: number) => Schema): Schema {
  const { $defs } = schema
  const next = mapParts(schema, (part) => change(part, depth))
  if (!isRecord($defs)) return next
  return withoutUnused({ ...next, $defs: Object.fromEntries(Object.entries($defs).map(([name, part]) => [name, isRecord(part) ? change(part, Math.max(depth - 1, 0)) : part])) })
}

function fits (schema: Schema): boolean {
  return Buffer.byteLength(JSON.stringify(schema)) <= longest
}

/** The steps by which a schema gets smaller, each from the one before. Descriptions of arguments go last. */
const steps: ReadonlyArray<(schema: Schema) => Schema> = [
  (schema) => changed(schema, 0, (part) => mapParts(part, withoutDescriptions)),
  ...[4, 3, 2, 1, 0].map((depth) => (schema: Schema) => changed(schema, depth, cutTo)),
  (schema) => changed(schema, 0, fewer),
  withoutDescriptions
]

/** An input schema of bounded size: of a very large one, what lies deepest is left to Django to check. */
export function fitted (schema: Schema): { schema: Schema, complete: boolean } {
  let current = schema
  for (const step of steps) {
    if (fits(current)) return { schema: current, complete: current === schema }
    current = step(current)
  }
  return { schema: current, complete: false }
}

