import { basePathOf } from '../plugins/openapi/operations.ts'
import { isRecord, listAt, own, recordAt, textAt, textsAt, type Raw } from '../plugins/openapi/read/records.ts'
import { pointedAt, PointerError } from '../plugins/openapi/read/pointer.ts'
import { estimateTokens, shownToModels } from '../plugins/openapi/tokens.ts'

/*
 * What a list costs that is a copy of the document: every operation a tool with its whole description, every parameter
 * and the whole body as they stand, every reference written out. It is the measure that our own list is held against.
 */

const methods = ['get', 'post', 'put', 'patch', 'delete']

/** Characters of a schema that is written out: a document can stand for more than there is memory for. */
const longest = 1_000_000

/** Writes references out, as far as they do not contain themselves. */
function writtenOut (document: Raw, value: unknown): unknown {
  let left = longest
  const visit = (current: unknown, open: readonly string[]): unknown => {
    if (left < 0) return {}
    if (Array.isArray(current)) return current.map((entry) => visit(entry, open))
    if (!isRecord(current)) {
      left -= String(current).length
      return current
    }
    const reference = own(current, '$ref')
    if (typeof reference !== 'string') {
      return Object.fromEntries(Object.entries(current).map(([name, entry]) => {
        left -= name.length + 4
        return [name, visit(entry, open)]
      }))
    }
    if (open.includes(reference)) return {}
    try {
      return visit(pointedAt(document, reference), [...open, reference])
    } catch (error) {
      if (error instanceof PointerError) return {}
      throw error
    }
  }
  return visit(value, [])
}

/** The property of a parameter, and its name. A 2.0 document has the schema beside the name. */
function propertyOf (parameter: Raw): readonly [name: string, schema: Raw] {
  const { name: _name, in: _in, required: _required, schema, description, ...rest } = parameter
  return [textAt(parameter, 'name'), { ...isRecord(schema) ? schema : rest, ...description === undefined ? {} : { description } }]
}

function bodyOf (operation: Raw): Raw {
  const content = recordAt(recordAt(operation, 'requestBody'), 'content')
  const [media] = Object.values(content)
  return isRecord(media) ? recordAt(media, 'schema') : {}
}

function naiveTool (operation: Raw, parameters: readonly Raw[], fallback: string) {
  const whole = parameters.filter((parameter) => parameter.in === 'body').map((parameter) => recordAt(parameter, 'schema'))
  const body = [bodyOf(operation), ...whole].find((schema) => Object.keys(schema).length > 0) ?? {}
  const others = parameters.filter((parameter) => parameter.in !== 'body')
  const ofBody = isRecord(body.properties) ? body.properties : Object.keys(body).length > 0 ? { body } : {}
  const properties = { ...Object.fromEntries(others.map(propertyOf)), ...ofBody }
  const required = [...others.filter((parameter) => parameter.required === true).map((parameter) => textAt(parameter, 'name')), ...textsAt(body, 'required')]
  return {
    name: textAt(operation, 'operationId') || fallback,
    description: [textAt(operation, 'summary'), textAt(operation, 'description')].filter((text) => text !== '').join('\n\n'),
    inputSchema: { type: 'object' as const, properties, ...required.length === 0 ? {} : { required } }
  }
}

/** Tokens of the list that is a copy of the document, for the operations that are asked for, by their keys. */
export function naiveTokens (document: Raw, wanted: ReadonlySet<string>): number {
  const basePath = document.swagger === undefined ? '' : basePathOf(document)
  let sum = 0
  for (const [path, item] of Object.entries(recordAt(document, 'paths'))) {
    if (!isRecord(item)) continue
    for (const method of methods) {
      const operation = own(item, method)
      const key = `${method.toUpperCase()} ${basePath}${path}`
      if (!isRecord(operation) || !wanted.has(key)) continue
      const { responses: _, ...asked } = operation
      const whole = writtenOut(document, { ...asked, parameters: [...listAt(item, 'parameters'), ...listAt(operation, 'parameters')] })
      if (isRecord(whole)) sum += estimateTokens(shownToModels(naiveTool(whole, listAt(whole, 'parameters').filter(isRecord), key)))
    }
  }
  return sum
}
