import { probablyMeant } from '../../../checks/spelling.ts'
import type { Operation, Schema } from '../operation.ts'
import { isRecord, own, recordAt } from '../read/records.ts'
import { answerOf, withContent } from './paging.ts'

/** The entries of a list, or what it is where it is none. */
function entryOf (schema: Schema, definitions: Operation['definitions']): Schema {
  let current = withContent(schema, definitions)
  while (isRecord(current.items)) current = withContent(current.items, definitions)
  return current
}

/** The name in a path that an answer does not have, and those that it has there; undefined where the document does not tell. */
function missingIn (schema: Schema, names: readonly string[], definitions: Operation['definitions']): { name: string, known: readonly string[] } | undefined {
  const [name, ...below] = names
  const { properties, additionalProperties } = entryOf(schema, definitions)
  if (name === undefined || !isRecord(properties) || additionalProperties === true || isRecord(additionalProperties)) return undefined
  const next = own(properties, name)
  if (next === undefined) return { name, known: Object.keys(properties) }
  return isRecord(next) ? missingIn(next, below, definitions) : undefined
}

/**
 * What the operator should know of fields that answers are cut down to, and that the document does not have. The start
 * does not fail for one: what actions answer is often told wrong.
 */
export function unknownFields (operation: Operation, fields: readonly string[]): string[] {
  const { definitions, key } = operation
  const answer = answerOf(operation)
  if (answer === undefined) return []
  const results = own(recordAt(answer, 'properties'), 'results')
  const start = isRecord(results) ? results : answer
  return fields.flatMap((field) => {
    const names = field.split('.')
    const missing = missingIn(start, isRecord(results) && names[0] === 'results' ? names.slice(1) : names, definitions)
    if (missing === undefined) return []
    const meant = probablyMeant(missing.name, missing.known)
    return [`The overlay names the field ${JSON.stringify(field)} of ${key}, whose answers have no ${JSON.stringify(missing.name)}${meant === undefined ? '.' : `; did you mean ${JSON.stringify(meant)}?`}`]
  })
}
