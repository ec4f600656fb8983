import type { Body, Operation, Schema } from '../operation.ts'
import { isRecord, recordAt } from '../read/records.ts'
import { withContent } from './paging.ts'
import { writable } from './trim.ts'

/** The body of an operation as its tool takes it. */
export interface ChosenBody {
  readonly required: boolean
  readonly type: string
  /** Media type in the place of `type` when a file is given. */
  readonly fileType: string | undefined
  readonly description: string
  readonly schema: Schema
  /** Properties that may be sent, where the body is an object of known properties: they become arguments of their own. */
  readonly properties: Readonly<Record<string, Schema>> | undefined
  /** Names of properties that hold files, or `undefined` where the body as a whole is one. */
  readonly files: ReadonlySet<string> | undefined
}

/** Media types in the order in which they are preferred: JSON says exactly what is meant, a form does not. */
const preferred: readonly RegExp[] = [
  /^application\/json(?=$|[\s;])/i,
  /^application\/(?!json-patch)[\w.-]+\+json\b/i,
  /\bjson\b/i,
  /^application\/x-www-form-urlencoded\b/i,
  /^multipart\/form-data\b/i,
  /^text\/plain\b/i,
  /^/
]

const isForm = (type: string): boolean => /^multipart\/form-data\b/i.test(type)
/** Whether properties can be put together to a body of such a type: nobody but its author can write XML. */
const isStructured = (type: string): boolean => /\bjson\b|^application\/x-www-form-urlencoded\b|^multipart\/form-data\b/i.test(type)
const isText = (type: string): boolean => /^text\/|[/+](?:json|xml|yaml|csv)\b|^application\/(?:x-)?(?:www-form-urlencoded|ndjson|jsonlines|yaml|toml|sql|graphql)\b|^multipart\//i.test(type)

/** What a body is sent as. A range of types is nothing that could be sent, but for a file, which has a type of its own. */
function sentAs (type: string, schema: Schema): string {
  return /^(?:\*|application)\/\*/.test(type) && schema.format !== 'binary' ? 'application/json' : type
}

/** Names of fields that hold files in forms: the document of a project that does not split its schemas calls them URIs. */
const fileName = /(?:^|_)(?:file|img|image|photo|picture|avatar|logo|icon|attachment|upload|document|media|thumbnail|scan|audio|video)s?(?:_|$)/i

function holdsFile (name: string, schema: Schema, definitions: Operation['definitions']): boolean {
  const { type, format, maxLength, items } = withContent(schema, definitions)
  if (format === 'binary') return true
  if (isRecord(items)) return holdsFile(name, items, definitions)
  return format === 'uri' && maxLength === undefined && (type === 'string' || Array.isArray(type)) && fileName.test(name)
}

/** Whether the properties of an object are all that it may have: they can be told apart from other arguments. */
function isFlat (schema: Schema): boolean {
  const { type, properties, additionalProperties, anyOf } = schema
  return type === 'object' && isRecord(properties) && anyOf === undefined && additionalProperties !== true && !isRecord(additionalProperties)
}

function filesIn (content: Body['content'], formType: string | undefined, definitions: Operation['definitions']): Readonly<Record<string, Schema>> {
  const media = formType === undefined ? undefined : content.get(formType)
  if (media === undefined) return {}
  return Object.fromEntries(Object.entries(writable(withContent(media.schema, definitions))).filter(([name, schema]) => holdsFile(name, schema, definitions)))
}

/** Chooses of the media types that an operation offers, and takes the body apart; undefined where there is no body. */
export function bodyOf ({ method, body, definitions }: Operation): ChosenBody | undefined {
  // What a GET carries, proxies and frameworks lose.
  if (body === undefined || method === 'GET') return undefined
  const types = [...body.content.keys()]
  const [type] = preferred.flatMap((pattern) => types.find((candidate) => pattern.test(candidate)) ?? [])
  const media = type === undefined ? undefined : body.content.get(type)
  if (type === undefined || media === undefined) return undefined
  const formType = types.find(isForm)
  const schema = withContent(media.schema, definitions)
  const common = { required: body.required, type: sentAs(type, schema), description: body.description, schema: media.schema }
  if (!isText(common.type)) return { ...common, fileType: undefined, properties: undefined, files: undefined }
  if (!isStructured(common.type)) return { ...common, schema: {}, fileType: undefined, properties: undefined, files: new Set() }
  if (!isFlat(schema)) return { ...common, fileType: undefined, properties: undefined, files: new Set() }
  const files = filesIn(body.content, formType, definitions)
  const fileType = formType === type || Object.keys(files).length === 0 ? undefined : formType
  const own = writable(schema)
  const added = Object.fromEntries(Object.entries(files).filter(([name]) => !Object.hasOwn(recordAt(schema, 'properties'), name)))
  return { ...common, fileType, schema, properties: { ...own, ...added }, files: new Set(Object.keys(files)) }
}
