import { textOf, type OpenApiDocument } from './document.ts'
import { compareBody } from './body.ts'
import type { WireOperation, WireParameter } from './operations.ts'
import { comparePairs, decoded, grouped, split } from './pairs.ts'
import { merged } from './schema.ts'
import { canonical, canonicalQuery, encoded, headerText, pairsOf, pathText, plain } from './serialize.ts'
import type { SeenRequest, Values } from './values.ts'

/*
 * What an operation and values for its parts must become on the wire, and whether a request that was seen is that.
 */

/** Characters of a template that are not for a URI are encoded; everything else is sent as it is written. */
function templateText (literal: string): string {
  return literal.replaceAll(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run))
}

function expectedPath ({ path, parameters }: WireOperation, values: Values): string {
  return path.split(/(\{[^{}]*\})/).map((part) => {
    if (!part.startsWith('{')) return templateText(part)
    const parameter = parameters.find((candidate) => candidate.in === 'path' && candidate.name === part.slice(1, -1))
    return parameter === undefined ? part : pathText(parameter, values.parameters.get(parameter))
  }).join('')
}

/** Values that are given, and those of parameters that are required and can have one value only. */
function withOnlyValues (document: OpenApiDocument, { parameters }: WireOperation, given: Values['parameters']): Values['parameters'] {
  return new Map([...parameters.flatMap((parameter): Array<readonly [WireParameter, unknown]> => {
    const { enum: choices, const: constant } = merged(document, parameter.schema)
    const only: unknown = Array.isArray(choices) && choices.length === 1 ? choices[0] : constant
    return parameter.required && only !== undefined ? [[parameter, only]] : []
  }), ...given])
}

function compareQuery (document: OpenApiDocument, operation: WireOperation, given: Values, query: string | undefined): string[] {
  const values = withOnlyValues(document, operation, given.parameters)
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query' && values.has(parameter))
  // What may be sent unescaped is compared without its escapes.
  const reserved = new Set(parameters.filter(({ allowReserved }) => allowReserved).map(({ name }) => encoded(name)))
  const form = (name: string, value: string): readonly [string, string] => [name, reserved.has(name) ? decoded(canonicalQuery(value)) : canonicalQuery(value)]
  const expected = parameters.flatMap((parameter) => pairsOf(parameter, values.get(parameter)).map(([name, value]) => form(canonicalQuery(name), value)))
  const seen = (query ?? '') === '' ? [] : (query ?? '').split('&').map((pair) => {
    const [name, value] = split(pair, '=')
    return form(canonicalQuery(name), value)
  })
  return comparePairs('the query parameter', grouped(expected), grouped(seen))
}

/** Headers that belong to the connection, to the service and to the body. */
const ownHeaders: ReadonlySet<string> = new Set([
  'accept', 'accept-encoding', 'authorization', 'connection', 'content-length', 'content-type', 'cookie', 'host', 'idempotency-key', 'transfer-encoding', 'user-agent', 'x-correlation-id'
])

function compareHeaders (document: OpenApiDocument, operation: WireOperation, values: Values, headers: SeenRequest['headers']): string[] {
  const problems: string[] = []
  const declared = new Map(operation.parameters.filter((parameter) => parameter.in === 'header').map((parameter) => [parameter.name.toLowerCase(), parameter]))
  for (const [name, parameter] of declared) {
    const sent = headers[name]
    if (values.parameters.has(parameter)) {
      const wanted = headerText(parameter, values.parameters.get(parameter))
      if (sent !== wanted) problems.push(`the header ${name} is ${JSON.stringify(sent ?? null)}, not ${JSON.stringify(wanted)}`)
    } else if (sent !== undefined && !ownHeaders.has(name)) {
      // One that can only have one value need not be asked for.
      const schema = merged(document, parameter.schema)
      const only = Array.isArray(schema.enum) && schema.enum.length === 1 ? plain(schema.enum[0]) : textOf(schema.const)
      if (sent !== only) problems.push(`the header ${name} was sent, which has no value`)
    }
  }
  for (const name of Object.keys(headers)) if (!declared.has(name) && !ownHeaders.has(name)) problems.push(`the header ${name} was sent, which is nobody's`)
  const cookies = operation.parameters.filter((parameter) => parameter.in === 'cookie' && values.parameters.has(parameter))
  const expected = cookies.flatMap((parameter) => pairsOf(parameter, values.parameters.get(parameter))).map(([name, value]) => [canonical(name), canonical(value)] as const)
  const seen = textOf(headers.cookie).split(/; ?/).filter((pair) => pair !== '').map((pair) => split(pair, '=')).map(([name, value]) => [canonical(name), canonical(value)] as const)
  return [...problems, ...comparePairs('the cookie', grouped(expected), grouped(seen))]
}

/** What a request differs in from the one that the document asks for, by part of the request. */
export interface Differences {
  /** Method, path and which query parameters there are (check 19), with how they are written (check 20). */
  readonly head: readonly string[]
  readonly headers: readonly string[]
  readonly body: readonly string[]
}

export function compare (document: OpenApiDocument, operation: WireOperation, values: Values, seen: SeenRequest): Differences {
  const [path, query] = seen.target.includes('?') ? split(seen.target, '?') : [seen.target, undefined]
  const wanted = canonical(expectedPath(operation, values))
  return {
    head: [
      ...seen.method === operation.method ? [] : [`the method is ${seen.method}, not ${operation.method}`],
      ...canonical(path) === wanted ? [] : [`the path is ${path}, not ${wanted}`],
      ...compareQuery(document, operation, values, query)
    ],
    headers: compareHeaders(document, operation, values, seen.headers),
    body: compareBody(document, operation, values, seen)
  }
}
