import { isDeepStrictEqual } from 'node:util'
import { isNode, textOf, type Node, type OpenApiDocument } from './document.ts'
import { bodyTypes, essence, hasFile, isIn, isJsonType, multipart, takesAnything, urlencoded } from './media-types.ts'
import { partsOf, type Part } from './multipart.ts'
import type { WireBody, WireOperation } from './operations.ts'
import { comparePairs, decoded, grouped } from './pairs.ts'
import { isFile, propertiesOf, typesOf } from './schema.ts'
import { pairsOf, plain } from './serialize.ts'
import { File, type SeenRequest, type Values } from './values.ts'

/** How one property is written into a form: as pairs, or as parts with their type. */
interface FormPart {
  readonly name: string
  readonly text: string | undefined
  readonly json: unknown
  readonly file: File | undefined
  readonly type: string | undefined
}

/**
 * The parts that a property becomes: a list is as many parts as it has items, an object is JSON, null is empty
 * (OpenAPI 3.1.1, "Encoding Object" and "Special Considerations for multipart Content"; empty is DRF's null).
 */
function formParts (name: string, value: unknown, type: string | undefined): FormPart[] {
  const part = { name, text: undefined, json: undefined, file: undefined, type }
  if (value instanceof File) return [{ ...part, file: value }]
  if (Array.isArray(value)) return isJsonType(type ?? '') ? [{ ...part, json: value }] : value.flatMap((item) => formParts(name, item, type))
  if (isNode(value) || isJsonType(type ?? '')) return [{ ...part, json: value }]
  return [{ ...part, text: plain(value) }]
}

function encodingOf (body: WireBody, name: string): Node {
  const encoding = Object.hasOwn(body.encoding, name) ? body.encoding[name] : undefined
  return isNode(encoding) ? encoding : {}
}

/** Parts that a form must have; those of a list with a style of its own are joined. */
function expectedParts (body: WireBody, properties: ReadonlyMap<string, unknown>): FormPart[] {
  return [...properties].flatMap(([name, value]) => {
    const { style, explode, contentType } = encodingOf(body, name)
    if (style === undefined && explode === undefined) return formParts(name, value, typeof contentType === 'string' && !contentType.includes(',') ? contentType : undefined)
    const parameter = { name, in: 'query' as const, required: false, description: '', deprecated: false, schema: {}, style: textOf(style) || 'form', explode: typeof explode === 'boolean' ? explode : style === 'form' || style === undefined, allowReserved: false, mediaType: undefined }
    return pairsOf(parameter, value).flatMap(([key, text]) => formParts(decoded(key), decoded(text), undefined))
  })
}

function partProblem (wanted: FormPart, { filename, type, bytes }: Part): string | undefined {
  const seen = bytes.toString('utf8')
  if (wanted.file !== undefined) {
    if (filename !== wanted.file.filename) return `the file is called ${JSON.stringify(filename ?? null)}, not ${JSON.stringify(wanted.file.filename)}`
    if (type !== wanted.file.type) return `the file is of type ${JSON.stringify(type ?? null)}, not ${JSON.stringify(wanted.file.type)}`
    return bytes.equals(wanted.file.bytes) ? undefined : 'the bytes of the file are others'
  }
  if (filename !== undefined) return `it has the file name ${JSON.stringify(filename)}, and is no file`
  if (wanted.json !== undefined) {
    if (!isJsonType(type ?? '')) return `it is of type ${JSON.stringify(type ?? null)}, not JSON`
    return sameJson(bytes, wanted.json) ? undefined : `it is ${seen}, not ${JSON.stringify(wanted.json)}`
  }
  if (type !== undefined && essence(type) !== 'text/plain' && type !== wanted.type) return `it is of type ${type}`
  return seen === wanted.text ? undefined : `it is ${JSON.stringify(seen)}, not ${JSON.stringify(wanted.text ?? null)}`
}

function sameJson (bytes: Buffer, value: unknown): boolean {
  try {
    const seen: unknown = JSON.parse(bytes.toString('utf8'))
    const wanted: unknown = JSON.parse(JSON.stringify(value))
    return isDeepStrictEqual(seen, wanted)
  } catch {
    return false
  }
}

/**
 * DRF stores False for a boolean that a form leaves out, whatever its default: so the default is sent. A PATCH leaves
 * alone what is left out.
 */
function withBooleans (document: OpenApiDocument, { method }: WireOperation, body: WireBody, properties: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  if (method === 'PATCH') return properties
  const left = [...propertiesOf(document, body.schema)].filter(([name, { schema, readOnly }]) => (
    !properties.has(name) && !readOnly && typesOf(schema).includes('boolean') && typeof schema.default === 'boolean'
  ))
  return new Map([...properties, ...left.map(([name, { schema }]) => [name, schema.default] as const)])
}

/** What a form holds: the properties, or those of the body as a whole. */
function fieldsOf ({ properties, body }: Values): ReadonlyMap<string, unknown> {
  return isNode(body?.value) ? new Map(Object.entries(body.value)) : properties
}

/** Booleans without a default, which are false whether or not they are sent so. */
function isFalseAnyway (document: OpenApiDocument, { method }: WireOperation, body: WireBody, name: string, text: string): boolean {
  const property = propertiesOf(document, body.schema).get(name)
  return method !== 'PATCH' && text === 'false' && property !== undefined && typesOf(property.schema).includes('boolean') && property.schema.default === undefined
}

function compareMultipart (document: OpenApiDocument, operation: WireOperation, body: WireBody, values: Values, type: string, bytes: Buffer): string[] {
  const parts = partsOf(type, bytes)
  if (typeof parts === 'string') return [parts]
  const expected = expectedParts(body, withBooleans(document, operation, body, fieldsOf(values)))
  const surplus = parts.filter((part) => !expected.some(({ name }) => name === part.name) && !isFalseAnyway(document, operation, body, part.name, part.bytes.toString('utf8')))
  const problems = surplus.map(({ name }) => `the part ${name} was sent, which has no value`)
  for (const name of new Set(expected.map((wanted) => wanted.name))) {
    const wanted = expected.filter((candidate) => candidate.name === name)
    const seen = parts.filter((candidate) => candidate.name === name)
    if (seen.length !== wanted.length) problems.push(`there are ${seen.length} parts ${name}, not ${wanted.length}`)
    else {
      problems.push(...wanted.flatMap((part, index) => {
        const sent = seen[index]
        const problem = sent === undefined ? undefined : partProblem(part, sent)
        return problem === undefined ? [] : [`the part ${name}: ${problem}`]
      }))
    }
  }
  return problems
}

function compareUrlencoded (document: OpenApiDocument, operation: WireOperation, body: WireBody, values: Values, bytes: Buffer): string[] {
  const expected = expectedParts(body, withBooleans(document, operation, body, fieldsOf(values)))
  const pairs = expected.map(({ name, text, json }) => [name, text ?? JSON.stringify(json)] as const)
  const names = new Set(pairs.map(([name]) => name))
  const seen = [...new URLSearchParams(bytes.toString('utf8'))].filter(([name, value]) => names.has(name) || !isFalseAnyway(document, operation, body, name, value))
  return comparePairs('the field', grouped(pairs), grouped(seen))
}

/** Whether the body of a request is the one that it must be: its type and what is in it. */
export function compareBody (document: OpenApiDocument, operation: WireOperation, values: Values, { headers, body }: SeenRequest): string[] {
  const type = textOf(headers['content-type'])
  const given = values.body !== undefined || values.properties.size > 0
  const bodiless = operation.bodies.size === 0 || operation.method === 'GET'
  if (bodiless || (!given && !operation.bodyRequired && body.length === 0)) {
    // DRF parses no body that is empty, whatever type it is said to be of.
    return body.length === 0 ? [] : [`a body of ${body.length} bytes was sent, and none was to be`]
  }
  const offered = bodyTypes(operation, hasFile(values))
  const chosen = offered.find((candidate) => {
    // Of a range, a file has its own type, and a text is one; what is put together from values is JSON.
    if (essence(candidate).includes('*')) return values.body?.value instanceof File ? type === values.body.value.type : takesAnything(candidate) ? isJsonType(type) : isIn(type, candidate)
    return essence(candidate) === multipart ? essence(type) === multipart : type === candidate
  })
  const media = chosen === undefined ? undefined : operation.bodies.get(chosen)
  if (chosen === undefined || media === undefined) return [`the body is of type ${JSON.stringify(type)}, not ${offered.join(' or ')}`]
  if (essence(chosen) === multipart) return compareMultipart(document, operation, media, values, type, body)
  if (essence(chosen) === urlencoded) return compareUrlencoded(document, operation, media, values, body)
  if (isJsonType(type)) {
    const wanted = values.body === undefined ? Object.fromEntries(values.properties) : values.body.value
    return sameJson(body, wanted) ? [] : [`the body is ${body.toString('utf8').slice(0, 300)}, not ${JSON.stringify(wanted).slice(0, 300)}`]
  }
  const wanted = values.body?.value
  const bytes = wanted instanceof File ? wanted.bytes : Buffer.from(plain(wanted))
  return body.equals(bytes) ? [] : [`the body is ${body.toString('utf8').slice(0, 300)}, not ${bytes.toString('utf8').slice(0, 300)}`]
}

/** Whether a property of a body can be a file in some type that the operation takes. */
export function takesFile (document: OpenApiDocument, operation: WireOperation, property: string): boolean {
  return [...operation.bodies].some(([type, { schema }]) => {
    const found = propertiesOf(document, schema).get(property)
    // A document that does not tell what is sent from what is answered calls a file by what is answered: its address.
    return essence(type) === multipart && found !== undefined && (isFile(document, found.schema) || found.schema.format === 'uri')
  })
}
