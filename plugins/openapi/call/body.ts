import { wrongArgument } from '../../django/path.ts'
import type { BodyContent, Parameter } from '../operation.ts'
import { fileOf, isFile, maxFileBytes, type SentFile } from './file.ts'
import { essenceOf, isJsonType, multipartType, urlencodedType } from './media-types.ts'
import { multipart, type Part } from './multipart.ts'
import { delimiters, queryPairs, textOf } from './parameters.ts'

/** A value of the body, with the argument that errors name. */
export interface BodyValue {
  readonly argument: string
  readonly value: unknown
  /** Whether it may hold a file; any other object that looks like one is just an object. */
  readonly mayBeFile: boolean
  /** Whether it may be anything, as what Django REST Framework's JSONField takes: in a form, a list is JSON then and not several values. */
  readonly mayBeAnything?: boolean
}

export interface SentBody {
  readonly contentType: string
  readonly body: string | Uint8Array
}

type Encodings = BodyContent['encoding']
type Encoding = NonNullable<Encodings[string]>

/** Whether it holds a file, or a list that does. */
export function hasFile ({ value, mayBeFile }: BodyValue): boolean {
  return mayBeFile && (isFile(value) || (Array.isArray(value) && value.some(isFile)))
}

/** Takes the files out of values, all of them together up to the limit. */
class Files {
  #left = maxFileBytes

  take (argument: string, value: unknown): SentFile {
    const file = fileOf(argument, value, this.#left)
    this.#left -= file.bytes.length
    return file
  }
}

/** A value as JSON has it: a file is its content in base64. */
function jsonValue ({ argument, value, mayBeFile }: BodyValue, files: Files): unknown {
  return mayBeFile && isFile(value) ? files.take(argument, value).bytes.toString('base64') : value
}

/** The parts of one property. Lists are one part an entry, objects are JSON (OpenAPI 3.1.1, "Encoding Object"). */
function partsOf (name: string, { argument, value, mayBeFile, mayBeAnything }: BodyValue, { contentType, style = 'form', explode }: Encoding, files: Files): Part[] {
  // What a form leaves empty is null to Django REST Framework where the field allows that.
  if (value === null) return [{ name, content: { text: '', mediaType: undefined } }]
  if (mayBeFile && isFile(value)) return [{ name, content: files.take(argument, value) }]
  if (contentType !== undefined && isJsonType(contentType)) return [{ name, content: { text: JSON.stringify(value), mediaType: contentType } }]
  if (Array.isArray(value) && mayBeAnything === true && contentType === undefined) return [{ name, content: { text: JSON.stringify(value), mediaType: 'application/json' } }]
  // What a 2.0 document calls `collectionFormat: csv`, for one.
  if (Array.isArray(value) && explode === false) return [{ name, content: { text: value.map(textOf).join(delimiters[style]), mediaType: contentType } }]
  if (Array.isArray(value)) return value.flatMap((entry: unknown, index) => partsOf(name, { argument: `${argument}.${index}`, value: entry, mayBeFile }, contentType === undefined ? {} : { contentType }, files))
  if (typeof value === 'object') return [{ name, content: { text: JSON.stringify(value), mediaType: 'application/json' } }]
  return [{ name, content: { text: textOf(value), mediaType: contentType } }]
}

function pairsOf (name: string, { argument, value, mayBeAnything }: BodyValue, { contentType, style = 'form', explode = style === 'form' }: Encodings[string] = {}): string[] {
  if (value === null) return queryPairs(written(name, { style, explode }), argument, '')
  const asJson = contentType !== undefined ? isJsonType(contentType) : typeof value === 'object' && (!Array.isArray(value) || mayBeAnything === true) && style === 'form'
  return queryPairs(written(name, { style, explode, mediaType: asJson ? 'application/json' : undefined }), argument, value)
}

function written (name: string, how: Pick<Parameter, 'style' | 'explode'> & { mediaType?: string | undefined }): Parameter {
  return { name, in: 'query', required: false, description: '', schema: {}, allowReserved: false, mediaType: undefined, ...how }
}

/** The body that an object is sent as. */
export function objectBody (bodyType: string, properties: ReadonlyMap<string, BodyValue>, encodings: Encodings): SentBody {
  const files = new Files()
  switch (essenceOf(bodyType)) {
    case multipartType: {
      const { boundary, body } = multipart([...properties].flatMap(([name, value]) => partsOf(name, value, encodings[name] ?? {}, files)))
      return { contentType: `${multipartType}; boundary=${boundary}`, body }
    }
    case urlencodedType:
      return { contentType: bodyType, body: [...properties].flatMap(([name, value]) => pairsOf(name, value, encodings[name])).join('&') }
    default:
      return { contentType: bodyType, body: JSON.stringify(Object.fromEntries([...properties].map(([name, value]) => [name, jsonValue(value, files)]))) }
  }
}

/**
 * The body that one argument is sent as: JSON, the bytes of a file or a text, by the media type.
 * @param offered media types that the operation takes
 */
export function wholeBody (bodyType: string, whole: BodyValue, encodings: Encodings, offered: readonly string[]): SentBody {
  const { argument, value, mayBeFile } = whole
  if (isJsonType(bodyType)) return { contentType: bodyType, body: JSON.stringify(jsonValue(whole, new Files())) }
  const essence = essenceOf(bodyType)
  if (essence === multipartType || essence === urlencodedType) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongArgument(argument, 'must be an object')
    return objectBody(bodyType, new Map(Object.entries(value).map(([name, entry]) => [name, { argument: `${argument}.${name}`, value: entry, mayBeFile }])), encodings)
  }
  if (mayBeFile && isFile(value)) {
    const { bytes, mimeType } = fileOf(argument, value)
    // Where its own type will do, or any, it is the file that has one.
    const own = offered.find((type) => essenceOf(type) === essenceOf(mimeType))
    return { contentType: own ?? (bodyType.includes('*') ? mimeType : bodyType), body: bytes }
  }
  return { contentType: bodyType.includes('*') ? 'text/plain' : bodyType, body: typeof value === 'string' ? value : JSON.stringify(value) }
}
