import type { Body, BodyContent, OperationResponse, Schema } from '../operation.ts'
import { plain } from '../text.ts'
import { collection, flatSchema, styled, type BodyParameter } from './parameters.ts'
import { PointerError, resolved } from './pointer.ts'
import type { Reading } from './reading.ts'
import { isRecord, own, recordAt, textAt, textsAt, type Raw } from './records.ts'

type Encoding = BodyContent['encoding']

/** A media type that a header can hold. */
const isMediaType = (text: string): boolean => /^[\w.+*-]+\/[\w.+*-]+[\x20-\x7e]*$/.test(text)

function encodingOf (media: Raw): Encoding {
  return Object.fromEntries(Object.entries(recordAt(media, 'encoding')).flatMap(([property, encoding]) => {
    if (!isRecord(encoding)) return []
    const { contentType, style, explode } = encoding
    return [[property, {
      ...typeof contentType === 'string' && isMediaType(contentType) ? { contentType } : {},
      ...style === undefined && explode === undefined ? {} : styled(encoding, 'query')
    }]]
  }))
}

/** Media types in the document's order, each with what is made of its entry. */
function byMediaType<Value> (content: Raw, make: (media: Raw) => Value): Map<string, Value> {
  return new Map(Object.entries(content).flatMap(([type, media]) => isMediaType(type) ? [[type, make(isRecord(media) ? media : {})] as const] : []))
}

/** The body of a 3.x operation. */
export function readBody (raw: Raw, { document, schemas }: Reading): Body | undefined {
  if (own(raw, 'requestBody') === undefined) return undefined
  const body = resolved(document, raw.requestBody)
  const content = byMediaType(recordAt(body, 'content'), (media) => ({ schema: schemas.convert(media.schema), encoding: encodingOf(media) }))
  return content.size === 0 ? undefined : { required: body.required === true, description: plain(textAt(body, 'description')), content }
}

const forms = new Set(['multipart/form-data', 'application/x-www-form-urlencoded'])

/** The body that a 2.0 document spreads over parameters. */
export function readFormBody (raw: Raw, parameters: readonly BodyParameter[], { document, schemas }: Reading): Body | undefined {
  const [first] = parameters
  if (first === undefined) return undefined
  const listed = [textsAt(raw, 'consumes'), textsAt(document, 'consumes')].find((types) => types.length > 0) ?? []
  const consumes = listed.filter(isMediaType)
  const whole = parameters.find((parameter) => parameter.raw.in === 'body')
  if (whole !== undefined) {
    const schema = schemas.convert(whole.raw.schema)
    const types = consumes.filter((type) => !forms.has(type))
    const content = new Map((types.length === 0 ? ['application/json'] : types).map((type) => [type, { schema, encoding: {} }]))
    return { required: whole.raw.required === true, description: plain(textAt(whole.raw, 'description')), content }
  }
  const properties = Object.fromEntries(parameters.map(({ name, raw }) => {
    const description = plain(textAt(raw, 'description'))
    return [name, { ...schemas.convert(flatSchema(raw)), ...description === '' ? {} : { description } }]
  }))
  const required = parameters.filter((parameter) => parameter.raw.required === true).map(({ name }) => name)
  const schema: Schema = { type: 'object', properties, ...required.length === 0 ? {} : { required } }
  const encoding = Object.fromEntries(parameters.flatMap(({ name, raw }) => raw.type === 'array' ? [[name, collection(raw.collectionFormat, 'formData')]] : []))
  const hasFile = parameters.some(({ raw }) => raw.type === 'file')
  const offered = consumes.filter((type) => forms.has(type))
  // The default of `consumes` is not among the two types that a form can have.
  const types = hasFile ? ['multipart/form-data'] : offered.length > 0 ? offered : ['application/x-www-form-urlencoded']
  return { required: required.length > 0, description: '', content: new Map(types.map((type) => [type, { schema, encoding }])) }
}

/** What an operation answers. A response that cannot be read is left out: nothing but a hint is lost. */
export function readResponses (key: string, raw: Raw, { document, version, schemas, warn }: Reading): OperationResponse[] {
  const produces = [textsAt(raw, 'produces'), textsAt(document, 'produces')].find((types) => types.length > 0) ?? ['application/json']
  return Object.entries(recordAt(raw, 'responses')).flatMap(([status, value]) => {
    if (!/^([1-5]\d\d|[1-5]XX|default)$/i.test(status)) return []
    try {
      const response = resolved(document, value)
      const { schema } = response
      const content = version !== '2' ? byMediaType(recordAt(response, 'content'), (media) => schemas.convert(media.schema))
        : schema === undefined ? new Map<string, Schema>()
          : new Map(produces.filter(isMediaType).map((type) => [type, schemas.convert(schema)]))
      return [{ status, description: plain(textAt(response, 'description')), content }]
    } catch (error) {
      if (!(error instanceof PointerError)) throw error
      warn(`A response is left out: ${error.message}.`, key)
      return []
    }
  })
}
