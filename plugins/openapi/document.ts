import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml'
import { isRecord, type Raw } from './read/records.ts'

/** Why a text is no OpenAPI document. The message is for the operator, and holds nothing of the text. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
}

/** Characters of a document. The largest public ones, of a thousand operations, have a tenth of it. */
const maxLength = 64 * 1024 * 1024
/** Levels of lists and objects in each other. Schemas that are written out in place reach thirty. */
const maxDepth = 200
/** Values of a document after aliases have been written out: a few lines of YAML can stand for billions. */
const maxValues = 5_000_000
const maxAliases = 10_000

const schema = CORE_SCHEMA.withTags(mergeTag)

/** Refuses what nests too deeply or, through aliases, is too large or without end. */
function checkSize (document: unknown): void {
  let left = maxValues
  const visit = (value: unknown, depth: number): void => {
    if (--left < 0) throw new DocumentError(`The document has more than ${maxValues} values, with aliases written out.`)
    if (typeof value !== 'object' || value === null) return
    if (depth > maxDepth) throw new DocumentError(`The document nests more than ${maxDepth} levels deep.`)
    if (Array.isArray(value)) for (const entry of value) visit(entry, depth + 1)
    else for (const entry of Object.values(value)) visit(entry, depth + 1)
  }
  visit(document, 0)
}

function parseYaml (text: string): unknown {
  try {
    return load(text, { schema, maxDepth, maxAliases, json: true })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw new DocumentError('The document cannot be read as YAML.')
    const line = error.mark?.line
    throw new DocumentError(`The document is neither JSON nor YAML: ${error.reason}${line === undefined ? '' : `, at line ${line + 1}`}.`)
  }
}

function parse (text: string): unknown {
  if (text.startsWith('<')) throw new DocumentError('The document is a page of HTML or XML. Does its address need credentials, or "?format=openapi"?')
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text)
    } catch {
      // YAML has objects between braces as well.
    }
  }
  return parseYaml(text)
}

/**
 * Reads the text of an OpenAPI document, 2.0, 3.0 or 3.1, as YAML or JSON.
 * @throws {DocumentError} for what is no such document, or is too large or too deep
 */
export function parseDocument (text: string): Raw {
  if (text.length > maxLength) throw new DocumentError(`The document has more than ${maxLength} characters.`)
  const trimmed = text.replace(/^\uFEFF?\s*/, '')
  if (trimmed === '') throw new DocumentError('The document is empty.')
  const document = parse(trimmed)
  checkSize(document)
  versionOf(document)
  if (!isRecord(document)) throw new DocumentError('The document is no object.')
  return document
}

/** Which rules a document follows. */
export type Version = '2' | '3.0' | '3.1'

/**
 * The version of a document, by its first line.
 * @throws {DocumentError} for what is no OpenAPI document of a known version
 */
export function versionOf (document: unknown): Version {
  if (!isRecord(document)) throw new DocumentError('The document is no object with "openapi" or "swagger" in it.')
  const { openapi, swagger } = document
  const given = openapi ?? swagger
  const version = typeof given === 'string' || typeof given === 'number' ? String(given) : ''
  if (openapi === undefined && /^2(\.0)?$/.test(version)) return '2'
  if (swagger === undefined && /^3\.0(\.|$)/.test(version)) return '3.0'
  if (swagger === undefined && /^3\.[12](\.|$)/.test(version)) return '3.1'
  if (version === '') throw new DocumentError('The document has neither "openapi" nor "swagger" in it: is it an OpenAPI document?')
  throw new DocumentError(`The document is of OpenAPI ${JSON.stringify(version.slice(0, 20))}; 2.0, 3.0, 3.1 and 3.2 are known.`)
}
