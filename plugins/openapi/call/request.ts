import { checkTemplate, wrongArgument } from '../../django/path.ts'
import type { Binding, GeneratedTool, Place } from '../generated.ts'
import type { Parameter } from '../operation.ts'
import { withContent } from '../make/paging.ts'
import { isRecord, recordAt } from '../read/records.ts'
import type { WireRequest } from '../../django/wire.ts'
import { hasFile, objectBody, wholeBody, type BodyValue, type SentBody } from './body.ts'
import { checkExact } from './exact.ts'
import { isArgumentCookie, isArgumentHeader } from './headers.ts'
import { isJsonType, essenceOf, multipartType, urlencodedType } from './media-types.ts'
import { headerText, pathText, queryPairs } from './parameters.ts'

/** What of a request does not depend on the arguments. */
interface Prepared {
  /** The path in pieces: texts, and names of variables between them. */
  readonly texts: readonly string[]
  readonly variables: readonly string[]
  readonly accept: string
}

const prepared = new WeakMap<GeneratedTool, Prepared>()

function preparedFor (tool: GeneratedTool): Prepared {
  let parts = prepared.get(tool)
  if (parts === undefined) {
    checkTemplate(tool.operation.path)
    const pieces = tool.operation.path.split(/\{([^{}]+)\}/)
    parts = {
      texts: pieces.filter((_, index) => index % 2 === 0),
      variables: pieces.filter((_, index) => index % 2 === 1),
      accept: acceptFor(tool)
    }
    prepared.set(tool, parts)
  }
  return parts
}

/**
 * The documented types and JSON, and whatever there is if there is none of these: servers with a renderer of their own
 * refuse a request for plain JSON. What is not JSON is wanted less where JSON is offered.
 */
export function acceptFor ({ operation: { responses } }: GeneratedTool): string {
  const types = [...new Set(responses.flatMap(({ content }) => [...content.keys()]))].filter((type) => essenceOf(type) !== '*/*')
  const json = types.filter(isJsonType)
  const others = types.filter((type) => !isJsonType(type))
  const plain = json.some((type) => type === 'application/json') ? [] : ['application/json']
  return [...json, ...json.length === 0 ? others : [], ...plain, ...json.length === 0 ? [] : others.map((type) => `${type};q=0.5`), '*/*;q=0.1'].join(', ')
}

/** A value with the place that it goes to, and the argument that errors name. */
interface Sent extends BodyValue {
  readonly place: Place
}

/** Whether a schema says nothing of the form of a value. */
function isOpen (schema: unknown): boolean {
  return isRecord(schema) && Object.keys(schema).every((word) => word === 'description' || word === 'default')
}

function sentBy (tool: GeneratedTool, args: Readonly<Record<string, unknown>>): Sent[] {
  const sent: Sent[] = []
  for (const { argument, place } of tool.bindings) {
    const value = Object.hasOwn(args, argument) ? args[argument] : undefined
    if (value === undefined) continue
    checkExact(value, argument, tool)
    const mayBeFile = tool.fileArguments.includes(argument)
    sent.push({ argument, place, value, mayBeFile, mayBeAnything: !mayBeFile && isOpen(tool.inputSchema.properties?.[argument]) })
  }
  for (const { place, value } of tool.fixed) sent.push({ argument: place.kind === 'parameter' ? place.parameter.name : 'body', place, value, mayBeFile: false })
  return sent
}

/** The path: byte for byte the template's, with a value for each variable. */
function pathOf (tool: GeneratedTool, sent: readonly Sent[]): string {
  const { texts, variables } = preparedFor(tool)
  return texts.map((text, index) => {
    const name = variables[index]
    if (name === undefined) return text
    const found = sent.find(({ place }) => place.kind === 'parameter' && place.parameter.in === 'path' && place.parameter.name === name)
    if (found?.place.kind !== 'parameter') throw wrongArgument(argumentFor(tool.bindings, name), 'is required')
    return text + pathText(found.place.parameter, found.argument, found.value)
  }).join('')
}

function argumentFor (bindings: readonly Binding[], name: string): string {
  return bindings.find(({ place }) => place.kind === 'parameter' && place.parameter.in === 'path' && place.parameter.name === name)?.argument ?? name
}

function parametersIn (place: Parameter['in'], sent: readonly Sent[]): Array<Sent & { parameter: Parameter }> {
  return sent.flatMap((entry) => entry.place.kind === 'parameter' && entry.place.parameter.in === place ? [{ ...entry, parameter: entry.place.parameter }] : [])
}

/**
 * Booleans that a form has to name: one that it leaves out is false to Django REST Framework, also where JSON would
 * have left the default alone. A PATCH leaves alone what it does not name, and what may be null becomes null.
 */
function formBooleans ({ operation: { method, body, definitions }, bindings, inputSchema }: GeneratedTool, bodyType: string, given: ReadonlyMap<string, BodyValue>): Array<[string, BodyValue]> {
  if (method === 'PATCH') return []
  // Input schemas tell the document's own defaults in words, so that nothing is sent that nobody has said.
  const documented = recordAt(withContent(body?.content.get(bodyType)?.schema ?? {}, definitions), 'properties')
  return bindings.flatMap(({ argument, place }): Array<[string, BodyValue]> => {
    const schema = inputSchema.properties?.[argument]
    if (place.kind !== 'property' || given.has(place.property) || !isRecord(schema) || schema.type !== 'boolean') return []
    return [[place.property, { argument, value: schema.default === true || recordAt(documented, place.property).default === true, mayBeFile: false }]]
  })
}

function bodyOf (tool: GeneratedTool, sent: readonly Sent[]): SentBody | undefined {
  const { operation: { method, body }, fileBodyType } = tool
  if (method === 'GET' || tool.bodyType === undefined) return undefined
  const withFile = fileBodyType !== undefined && sent.some(hasFile)
  const bodyType = withFile ? fileBodyType : tool.bodyType
  const encodings = body?.content.get(bodyType)?.encoding ?? {}
  const whole = sent.findLast(({ place }) => place.kind === 'body')
  if (whole !== undefined) return wholeBody(bodyType, whole, encodings, [...body?.content.keys() ?? []])
  const properties = new Map(sent.flatMap((entry): Array<[string, BodyValue]> => entry.place.kind === 'property' ? [[entry.place.property, entry]] : []))
  if (properties.size === 0 && body?.required !== true) return undefined
  if (essenceOf(bodyType) === multipartType || essenceOf(bodyType) === urlencodedType) for (const [name, value] of formBooleans(tool, bodyType, properties)) properties.set(name, value)
  return objectBody(bodyType, properties, encodings)
}

/**
 * The one request that a call is, as OpenAPI 3.1.1 says it is written. Arguments that are not given are left out; null
 * is sent in a body and nowhere else.
 * @param args checked against the tool's input schema
 * @throws {CallError} `invalid_input`, naming the argument, for a value that cannot be sent where it belongs
 * @throws {TypeError} for an operation whose path is none
 */
export function requestFor (tool: GeneratedTool, args: Readonly<Record<string, unknown>>): WireRequest {
  const { method, path } = tool.operation
  const sent = sentBy(tool, args)
  const target = pathOf(tool, sent)
  const query = parametersIn('query', sent).flatMap(({ parameter, argument, value }) => queryPairs(parameter, argument, value))
  const headers: Record<string, string> = { accept: preparedFor(tool).accept }
  for (const { parameter, argument, value } of parametersIn('header', sent)) {
    if (value !== null && isArgumentHeader(parameter.name)) headers[parameter.name.toLowerCase()] = headerText(parameter, argument, value)
  }
  const cookies = parametersIn('cookie', sent).filter(({ parameter }) => isArgumentCookie(parameter.name)).flatMap(({ parameter, argument, value }) => queryPairs(parameter, argument, value))
  if (cookies.length > 0) headers.cookie = cookies.join('; ')
  const body = bodyOf(tool, sent)
  if (body !== undefined) headers['content-type'] = body.contentType
  return { method, route: path, target: query.length === 0 ? target : `${target}?${query.join('&')}`, headers, body: body?.body }
}
