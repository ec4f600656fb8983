import type { ObjectSchema } from '../../catalog/definition.ts'
import type { Operation, Schema } from '../operation.ts'
import { defined, isRecord, recordAt } from '../read/records.ts'
import { definitionOf } from '../read/schemas.ts'
import { shortened } from '../text.ts'
import { answerOf, withContent } from './paging.ts'
import { longestDescription } from './trim.ts'

/** Levels that are told. */
const deepest = 3

/**
 * What is told of a value: its kind in words, never as an assertion. Where a client checks an answer against a schema
 * that its API does not keep to, the whole call is lost; and APIs answer null, or what a serializer method gives.
 */
function outline (schema: Schema, definitions: Operation['definitions'], depth: number): Schema {
  const { type, format, description, items, properties } = withContent(schema, definitions)
  const kind = [...Array.isArray(type) ? type : [type], format].filter((word) => typeof word === 'string').join(' ')
  const text = typeof description === 'string' ? shortened(description, longestDescription) : ''
  return defined({
    description: [kind, text].filter((part) => part !== '').join('; ') || undefined,
    properties: depth > 0 && isRecord(properties) ? outlines(properties, definitions, depth - 1) : undefined,
    items: depth > 0 && isRecord(items) ? outline(items, definitions, depth - 1) : undefined
  })
}

function outlines (properties: Schema, definitions: Operation['definitions'], depth: number): Schema {
  return Object.fromEntries(Object.entries(properties).flatMap(([name, schema]) => isRecord(schema) && schema.writeOnly !== true ? [[name, outline(schema, definitions, depth)]] : []))
}

/** The output schema of an operation that answers an object, so wide that no answer is ever outside of it. */
export function outputOf (operation: Operation): ObjectSchema | undefined {
  const answer = answerOf(operation)
  if (answer === undefined || answer.type !== 'object' || definitionOf(answer) !== undefined) return undefined
  return { type: 'object', properties: outlines(recordAt(answer, 'properties'), operation.definitions, deepest) }
}
