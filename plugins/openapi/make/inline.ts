import type { Schema } from '../operation.ts'
import { isRecord, listAt, recordAt } from '../read/records.ts'
import { definitionOf } from '../read/schemas.ts'

/** Characters up to which a shared schema is written out wherever it is used: a reference would cost as much. */
const small = 120

type LookUp = (name: string) => Schema

/** A schema with each of its direct parts changed. */
export function mapParts (schema: Schema, change: (part: Schema) => Schema): Schema {
  const { properties, items, additionalProperties, anyOf } = schema
  return {
    ...schema,
    ...isRecord(properties) ? { properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, isRecord(part) ? change(part) : part])) } : {},
    ...isRecord(items) ? { items: change(items) } : {},
    ...isRecord(additionalProperties) ? { additionalProperties: change(additionalProperties) } : {},
    ...Array.isArray(anyOf) ? { anyOf: anyOf.map((part) => isRecord(part) ? change(part) : part) } : {}
  }
}

/** The direct parts of a schema. */
export function parts (schema: Schema): Schema[] {
  const { items, additionalProperties } = schema
  return [...Object.values(recordAt(schema, 'properties')), items, additionalProperties, ...listAt(schema, 'anyOf')].filter(isRecord)
}

/** How often each shared schema is used, each counted once from within, and which ones contain themselves. */
function usesOf (root: Schema, lookUp: LookUp): { uses: Map<string, number>, recursive: Set<string> } {
  const uses = new Map<string, number>()
  const recursive = new Set<string>()
  const open = new Set<string>()
  const visit = (schema: Schema): void => {
    const name = definitionOf(schema)
    if (name !== undefined) {
      if (open.has(name)) recursive.add(name)
      const before = uses.get(name) ?? 0
      uses.set(name, before + 1)
      if (before === 0) {
        open.add(name)
        visit(lookUp(name))
        open.delete(name)
      }
    }
    for (const part of parts(schema)) visit(part)
  }
  visit(root)
  return { uses, recursive }
}

/**
 * Writes shared schemas out where they are used once or are small, and leaves the others as references to `$defs`:
 * the fewest tokens, and the fewest references, which some clients do not follow.
 */
export function inlined (root: Schema, lookUp: LookUp): Schema {
  const { uses, recursive } = usesOf(root, lookUp)
  if (uses.size === 0) return root
  const whole = new Map<string, Schema>()
  const shared = new Map<string, Schema>()

  const writtenOut = (name: string): Schema => {
    const known = whole.get(name)
    if (known !== undefined) return known
    const schema = expand(lookUp(name))
    whole.set(name, schema)
    return schema
  }
  const isShared = (name: string): boolean => recursive.has(name) || ((uses.get(name) ?? 0) > 1 && JSON.stringify(writtenOut(name)).length > small)

  function expand (schema: Schema): Schema {
    const name = definitionOf(schema)
    if (name === undefined) return mapParts(schema, expand)
    const { $ref, ...annotations } = schema
    if (!isShared(name)) return { ...writtenOut(name), ...annotations }
    if (!shared.has(name)) {
      shared.set(name, {})
      shared.set(name, recursive.has(name) ? expand(lookUp(name)) : writtenOut(name))
    }
    return { $ref, ...annotations }
  }
  const expanded = expand(root)
  return shared.size === 0 ? expanded : { ...expanded, $defs: Object.fromEntries(shared) }
}
