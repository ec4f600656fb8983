import { isNode, listOf, own, textOf, type Node, type OpenApiDocument } from './document.ts'

export interface WireParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required: boolean
  readonly description: string
  readonly deprecated: boolean
  /** As the document has it. */
  readonly schema: unknown
  readonly style: string
  readonly explode: boolean
  readonly allowReserved: boolean
  /** Media type of the value, for a parameter with `content`. */
  readonly mediaType: string | undefined
}

export interface WireBody {
  readonly schema: unknown
  readonly encoding: Node
}

export interface WireOperation {
  /** `GET /api/books/` */
  readonly key: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly WireParameter[]
  readonly bodyRequired: boolean
  readonly bodies: ReadonlyMap<string, WireBody>
  /** Media types of the answers that mean success. */
  readonly answerTypes: readonly string[]
  /** Schemas of the answers that mean success. */
  readonly answers: readonly unknown[]
  /** Undefined where neither the operation nor the document says anything. */
  readonly security: readonly Node[] | undefined
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** Methods that a tool can have. */
export const toolMethods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH'])

/** What Django asks for beside the cookie of a session, which nobody has who comes with a key or a token. */
const sessionHeaders = ['x-csrftoken', 'x-csrf-token']

/** "If in is "header" and the name field is "Accept", "Content-Type" or "Authorization", the parameter definition SHALL be ignored." */
const ignoredHeaders: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization', ...sessionHeaders])

const places = ['path', 'query', 'header', 'cookie'] as const

function placeOf (value: unknown): WireParameter['in'] | undefined {
  return places.find((place) => place === value)
}

/** `collectionFormat` of 2.0 in the words of 3.x: csv where nothing is said. */
function collectionStyle (format: unknown, place: string): { style: string, explode: boolean } {
  const plain = place === 'path' || place === 'header' ? 'simple' : 'form'
  switch (format) {
    case 'multi': return { style: plain, explode: plain === 'form' }
    case 'ssv': return { style: 'spaceDelimited', explode: false }
    case 'tsv': return { style: 'tabDelimited', explode: false }
    case 'pipes': return { style: 'pipeDelimited', explode: false }
    default: return { style: plain, explode: false }
  }
}

function parameterOf (document: OpenApiDocument, value: unknown): WireParameter | undefined {
  const raw = document.resolve(value)
  if (!isNode(raw) || typeof raw.name !== 'string' || raw.name === '') return undefined
  const place = placeOf(raw.in)
  if (place === undefined || (place === 'header' && ignoredHeaders.has(raw.name.toLowerCase()))) return undefined
  const common = { name: raw.name, in: place, required: raw.required === true || place === 'path', description: textOf(raw.description), deprecated: raw.deprecated === true || own(raw.schema, 'deprecated') === true, allowReserved: raw.allowReserved === true }
  if (document.version === 2) return { ...common, ...collectionStyle(raw.collectionFormat, place), allowReserved: false, schema: raw, mediaType: undefined }
  const style = textOf(raw.style) || (place === 'query' || place === 'cookie' ? 'form' : 'simple')
  const explode = typeof raw.explode === 'boolean' ? raw.explode : style === 'form'
  const content = isNode(raw.content) ? Object.entries(raw.content)[0] : undefined
  return { ...common, style, explode, schema: content === undefined ? raw.schema : own(content[1], 'schema'), mediaType: content?.[0] }
}

/** Parameters of path and operation: "These parameters can be overridden at the operation level". */
function parametersOf (document: OpenApiDocument, path: string, item: Node, operation: Node): WireParameter[] {
  const found = new Map<string, WireParameter>()
  for (const value of [...listOf(item.parameters), ...listOf(operation.parameters)]) {
    const parameter = parameterOf(document, value)
    if (parameter !== undefined) found.set(`${parameter.in} ${parameter.name}`, parameter)
  }
  const variables = new Set([...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name))
  // A variable of which nothing is said is a text all the same; what is no variable of this path has no place.
  const undeclared = [...variables].filter((name) => !found.has(`path ${name}`)).map((name): WireParameter => ({
    name, in: 'path', required: true, description: '', deprecated: false, schema: { type: 'string' }, style: 'simple', explode: false, allowReserved: false, mediaType: undefined
  }))
  return [...[...found.values()].filter((parameter) => parameter.in !== 'path' || variables.has(parameter.name)), ...undeclared]
}

function bodiesOf3 (document: OpenApiDocument, operation: Node): Pick<WireOperation, 'bodies' | 'bodyRequired'> {
  const body = document.node(operation.requestBody)
  const content = isNode(body.content) ? Object.entries(body.content) : []
  return {
    bodyRequired: body.required === true,
    bodies: new Map(content.map(([type, media]) => [type, { schema: own(media, 'schema'), encoding: document.node(own(media, 'encoding')) }]))
  }
}

/** The body of 2.0: one parameter in `body`, or those in `formData`. */
function bodiesOf2 (document: OpenApiDocument, item: Node, operation: Node): Pick<WireOperation, 'bodies' | 'bodyRequired'> {
  const all = [...listOf(item.parameters), ...listOf(operation.parameters)].map((value) => document.node(value))
  const consumes = listOf(operation.consumes ?? document.root.consumes).filter((type) => typeof type === 'string')
  const body = all.find((parameter) => parameter.in === 'body')
  if (body !== undefined) {
    const types = consumes.length === 0 ? ['application/json'] : consumes
    return { bodyRequired: body.required === true, bodies: new Map(types.map((type) => [type, { schema: body.schema, encoding: {} }])) }
  }
  const form = all.filter((parameter) => parameter.in === 'formData' && typeof parameter.name === 'string')
  if (form.length === 0) return { bodyRequired: false, bodies: new Map() }
  const forms = consumes.filter((type) => type === 'multipart/form-data' || type === 'application/x-www-form-urlencoded')
  const types = forms.length > 0 ? forms : [form.some(({ type }) => type === 'file') ? 'multipart/form-data' : 'application/x-www-form-urlencoded']
  const schema = {
    type: 'object',
    properties: Object.fromEntries(form.map((parameter) => [textOf(parameter.name), parameter])),
    required: form.filter(({ required }) => required === true).map(({ name }) => name)
  }
  const encoding = Object.fromEntries(form.filter(({ type }) => type === 'array').map((parameter) => [textOf(parameter.name), collectionStyle(parameter.collectionFormat, 'query')]))
  return { bodyRequired: form.some(({ required }) => required === true), bodies: new Map(types.map((type) => [type, { schema, encoding }])) }
}

function answersOf (document: OpenApiDocument, operation: Node): Pick<WireOperation, 'answerTypes' | 'answers'> {
  const responses = isNode(operation.responses) ? Object.entries(operation.responses) : []
  const good = responses.filter(([status]) => status.startsWith('2')).map(([, response]) => document.node(response))
  if (document.version === 2) {
    const schemas = good.map(({ schema }) => schema).filter((schema) => schema !== undefined)
    const produces = listOf(operation.produces ?? document.root.produces).filter((type) => typeof type === 'string')
    return { answers: schemas, answerTypes: schemas.length === 0 ? [] : produces }
  }
  const media = good.flatMap(({ content }) => isNode(content) ? Object.entries(content) : [])
  return { answerTypes: [...new Set(media.map(([type]) => type))], answers: media.map(([, value]) => own(value, 'schema')) }
}

/** What a document has under its paths. */
export interface WireDocument {
  readonly operations: readonly WireOperation[]
  /** Operations that are not what an operation must be, by `GET /path`, and paths that are not. */
  readonly malformed: readonly string[]
}

/** Reads everything under `paths`. */
export function readOperations (document: OpenApiDocument): WireDocument {
  const operations: WireOperation[] = []
  const malformed: string[] = []
  const base = document.version === 2 ? textOf(document.root.basePath).replace(/^\/?/, '/').replace(/\/$/, '') : ''
  for (const [template, value] of Object.entries(document.node(document.root.paths))) {
    if (template.startsWith('x-')) continue
    const item = document.resolve(value)
    const path = `${base}${template}`
    if (!isNode(item)) {
      if (value !== null) malformed.push(path)
      continue
    }
    for (const method of methods) {
      const operation = item[method]
      const key = `${method.toUpperCase()} ${path}`
      if (operation === undefined || operation === null) continue
      if (!isNode(operation)) {
        malformed.push(key)
        continue
      }
      const security = operation.security ?? document.root.security
      operations.push({
        key,
        method: method.toUpperCase(),
        path,
        parameters: parametersOf(document, path, item, operation),
        ...document.version === 2 ? bodiesOf2(document, item, operation) : bodiesOf3(document, operation),
        ...answersOf(document, operation),
        security: Array.isArray(security) ? security.filter(isNode) : undefined
      })
    }
  }
  return { operations, malformed }
}
