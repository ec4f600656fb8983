import { checkPathValue, percentEncoded, wrongArgument } from '../../django/path.ts'
import type { Parameter } from '../operation.ts'
import { isJsonType } from './media-types.ts'

/*
 * How values are written into a path, a query or a header (OpenAPI 3.1.1, "Style Values" and "Style Examples", which
 * rest on RFC 6570). An entry of a list or an object that is null is left out, as RFC 6570 §2.3 says of undefined ones.
 */

/** A value as texts: a single one, those of a list, or the names and values of an object. */
type Texts =
  | { readonly kind: 'one', readonly text: string }
  | { readonly kind: 'list', readonly texts: readonly string[] }
  | { readonly kind: 'pairs', readonly pairs: ReadonlyArray<readonly [name: string, text: string]> }

/** A value that is no list and no object as text. What is deeper than the styles reach is written as JSON. */
export function textOf (value: unknown): string {
  if (typeof value === 'string') return value
  // The language writes large integers as 1e+21, which is a number to few others.
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value).toString() : String(value)
  return JSON.stringify(value)
}

function textsOf (value: unknown): Texts {
  if (Array.isArray(value)) {
    const entries: readonly unknown[] = value
    return { kind: 'list', texts: entries.filter(isThere).map(textOf) }
  }
  if (typeof value === 'object' && value !== null) {
    return { kind: 'pairs', pairs: Object.entries(value).filter(([, entry]) => isThere(entry)).map(([name, entry]) => [name, textOf(entry)] as const) }
  }
  return { kind: 'one', text: textOf(value) }
}

function isThere (value: unknown): boolean {
  return value !== null && value !== undefined
}

/** The value of a parameter that has a media type in the place of a style. */
function mediaText (mediaType: string, value: unknown): string {
  return isJsonType(mediaType) || typeof value !== 'string' ? JSON.stringify(value) : value
}

/** What stands between the entries of a list that is one text. */
export const delimiters: Readonly<Record<Parameter['style'], string>> = {
  simple: ',', label: ',', matrix: ',', form: ',', deepObject: ',', spaceDelimited: ' ', pipeDelimited: '|', tabDelimited: '\t'
}

/** All in one text, encoded or not. */
function joined (texts: Texts, delimiter: string, encode: (text: string) => string, explode = false): string {
  if (texts.kind === 'one') return encode(texts.text)
  const entries = texts.kind === 'list' ? texts.texts.map(encode)
    : explode ? texts.pairs.map(([name, text]) => `${encode(name)}=${encode(text)}`) : texts.pairs.flat().map(encode)
  return entries.join(delimiter)
}

/**
 * The text in the place of a path's variable, percent-encoded.
 * @throws {CallError} `invalid_input`, naming the argument, for a value that could change which path is meant
 */
export function pathText ({ name, style, explode, mediaType }: Parameter, argument: string, value: unknown): string {
  const encode = (text: string): string => percentEncoded(argument, text)
  if (value === null) throw wrongArgument(argument, 'is required')
  if (mediaType !== undefined) {
    const text = mediaText(mediaType, value)
    checkPathValue(argument, text)
    return encode(text)
  }
  const texts = textsOf(value)
  checkPathValue(argument, joined(texts, ',', (text) => text))
  if (style === 'label') return `.${joined(texts, explode ? '.' : ',', encode, explode)}`
  if (style !== 'matrix') return joined(texts, style === 'simple' ? ',' : encode(delimiters[style]), encode, explode)
  if (!explode || texts.kind === 'one') return `;${encode(name)}=${joined(texts, ',', encode)}`
  return texts.kind === 'list' ? texts.texts.map((text) => `;${encode(name)}=${encode(text)}`).join('') : `;${joined(texts, ';', encode, true)}`
}

/** Leaves what RFC 6570's reserved expansion leaves, but for what ends a value or a query, or is read as a space. */
function reservedEncoded (argument: string, text: string): string {
  return text.split(/(%[\da-f]{2}|[:/?@!$'()*,;=])/iu).map((part, index) => index % 2 === 1 ? part : percentEncoded(argument, part)).join('')
}

/** The `name=value` pairs of a query's parameter, percent-encoded. */
export function queryPairs ({ name, style, explode, mediaType, allowReserved }: Parameter, argument: string, value: unknown): string[] {
  if (value === null) return []
  const encodeName = (text: string): string => percentEncoded(argument, text)
  const encode = allowReserved ? (text: string): string => reservedEncoded(argument, text) : encodeName
  const pair = (key: string, text: string): string => `${encodeName(key)}=${encode(text)}`
  if (mediaType !== undefined) return [pair(name, mediaText(mediaType, value))]
  const texts = textsOf(value)
  if (texts.kind === 'one') return [pair(name, texts.text)]
  if ((texts.kind === 'list' ? texts.texts : texts.pairs).length === 0) return []
  if (texts.kind === 'list') {
    return explode || style === 'deepObject' ? texts.texts.map((text) => pair(name, text)) : [`${encodeName(name)}=${joined(texts, delimiter(style), encode)}`]
  }
  if (style === 'deepObject') return deepPairs(name, value, pair)
  return explode ? texts.pairs.map(([key, text]) => pair(key, text)) : [`${encodeName(name)}=${joined(texts, delimiter(style), encode)}`]
}

/** A comma is written as it is, so that those of the values, which are encoded, can be told apart. */
function delimiter (style: Parameter['style']): string {
  return delimiters[style] === ',' ? ',' : encodeURIComponent(delimiters[style])
}

/** `name[key]=value`. Deeper than OpenAPI defines it, keys are nested in the same way, which is what servers read. */
function deepPairs (name: string, value: unknown, pair: (key: string, text: string) => string): string[] {
  if (!isThere(value)) return []
  if (Array.isArray(value)) return value.flatMap((entry: unknown) => isThere(entry) ? [pair(name, textOf(entry))] : [])
  if (typeof value !== 'object' || value === null) return [pair(name, textOf(value))]
  return Object.entries(value).flatMap(([key, entry]) => deepPairs(`${name}[${key}]`, entry, pair))
}

/**
 * The value of a header.
 * @throws {CallError} `invalid_input`, naming the argument, for what no header can hold
 */
export function headerText ({ explode, mediaType }: Parameter, argument: string, value: unknown): string {
  const text = mediaType === undefined ? joined(textsOf(value), ',', (part) => part, explode) : mediaText(mediaType, value)
  if (!/^[\t\x20-\x7e]*$/.test(text)) throw wrongArgument(argument, 'is sent in a header, which holds only visible ASCII characters')
  return text
}
