import { isNode, textOf, type OpenApiDocument } from './oracle/document.ts'
import type { WireDocument, WireOperation } from './oracle/operations.ts'

/*
 * The list that ours is measured by: each operation as it is in the document, every reference written out, read-only
 * properties, every description and the forms of the answers included. This is what the usual converters give.
 */

export interface NaiveTool {
  readonly name: string
  readonly description: string
  readonly inputSchema: object
  readonly outputSchema: object | undefined
}

/** Levels of references in references; beyond it there is nothing, or recursive schemas would have no end. */
const deepest = 8

function writtenOut (document: OpenApiDocument, value: unknown, depth = 0, open: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((entry) => writtenOut(document, entry, depth, open))
  if (!isNode(value)) return value
  if (typeof value.$ref === 'string') {
    const reference = value.$ref
    return depth >= deepest || open.includes(reference) ? {} : writtenOut(document, document.at(reference), depth + 1, [...open, reference])
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, writtenOut(document, entry, depth, open)]))
}

function bodyParts (document: OpenApiDocument, { bodies }: WireOperation): { properties: object, required: unknown } {
  const [first] = [...bodies.values()]
  if (first === undefined) return { properties: {}, required: [] }
  const body = writtenOut(document, first.schema)
  return isNode(body) && isNode(body.properties) ? { properties: body.properties, required: body.required ?? [] } : { properties: { body }, required: [] }
}

export function naiveTools (document: OpenApiDocument, { operations }: WireDocument): NaiveTool[] {
  return operations.map((operation) => {
    const raw = document.node(document.node(document.node(document.root.paths)[operation.path])[operation.method.toLowerCase()])
    const { properties, required } = bodyParts(document, operation)
    const parameters = operation.parameters.map(({ name, schema, description }) => [name, { ...document.node(writtenOut(document, schema)), ...description === '' ? {} : { description } }] as const)
    const [answer] = operation.answers
    return {
      name: textOf(raw.operationId),
      description: [textOf(raw.summary), textOf(raw.description)].filter((text) => text !== '').join('\n\n'),
      inputSchema: {
        type: 'object',
        properties: { ...Object.fromEntries(parameters), ...properties },
        required: [...operation.parameters.filter((parameter) => parameter.required).map(({ name }) => name), ...Array.isArray(required) ? required : []]
      },
      outputSchema: answer === undefined ? undefined : { type: 'object', properties: { result: writtenOut(document, answer) } }
    }
  })
}
