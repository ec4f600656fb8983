import { isNode } from './document.ts'
import type { WireParameter } from './operations.ts'

/** Percent-encoded but for what is unreserved (RFC 3986 §2.3), which is how RFC 6570 expands a value. */
export function encoded (text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.codePointAt(0)?.toString(16).toUpperCase() ?? ''}`)
}

/** One way to write what can be written in several: hexadecimal in capitals, no escapes that are not needed. */
export function canonical (text: string): string {
  const bytes = text.replaceAll(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run))
  return bytes
    .replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
      const character = String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
      return /[\w.~-]/.test(character) ? character : escape.toUpperCase()
    })
    .replaceAll(/[!'()*[\]|"<>\\^`{}]/g, (character) => encoded(character))
}

/** The same for a query, where a space may also be a plus sign (HTML forms). */
export function canonicalQuery (text: string): string {
  return canonical(text.replaceAll('+', '%20'))
}

/** A value as text: `true`, `5`, the text itself. Null is the empty text, as in the tables of OpenAPI. */
export function plain (value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

type Pairs = Array<readonly [name: string, value: string]>

/** The reserved expansion of RFC 6570 §3.2.3, as far as it can be told apart: escapes that are there already stay. */
function reservedEncoded (text: string): string {
  return text.split(/(%[0-9a-f]{2})/i).map((part, index) => index % 2 === 1 ? part : encoded(part)).join('')
}

/** Members of an object that have a value; an undefined one is left out (RFC 6570 §2.3). */
function members (value: Readonly<Record<string, unknown>>, encode = encoded): Array<readonly [string, string]> {
  return Object.entries(value).filter(([, member]) => member !== null).map(([key, member]) => [encoded(key), encode(plain(member))])
}

function items (value: readonly unknown[], encode = encoded): string[] {
  return value.filter((item) => item !== null).map((item) => encode(plain(item)))
}

const delimiters: Readonly<Record<string, string>> = { form: ',', spaceDelimited: '%20', pipeDelimited: '%7C', tabDelimited: '%09' }

/**
 * The pairs of a query or of a cookie that a value becomes (OpenAPI 3.1.1, "Style Examples"). A list with no items and
 * null have no value, and are not sent.
 */
export function pairsOf ({ name, style, explode, mediaType, allowReserved }: WireParameter, value: unknown): Pairs {
  const key = encoded(name)
  const encode = allowReserved ? reservedEncoded : encoded
  if (mediaType !== undefined) return [[key, encoded(JSON.stringify(value))]]
  if (value === null) return []
  if (Array.isArray(value)) {
    const texts = items(value, encode)
    if (texts.length === 0) return []
    return explode ? texts.map((text) => [key, text]) : [[key, texts.join(delimiters[style] ?? ',')]]
  }
  if (isNode(value)) {
    const pairs = members(value, encode)
    if (pairs.length === 0) return []
    if (style === 'deepObject') return pairs.map(([member, text]) => [`${key}%5B${member}%5D`, text])
    return explode ? pairs : [[key, pairs.flat().join(delimiters[style] ?? ',')]]
  }
  return [[key, encode(plain(value))]]
}

/** What a value becomes in a path. */
export function pathText ({ name, style, explode }: WireParameter, value: unknown): string {
  const key = encoded(name)
  const texts = Array.isArray(value) ? items(value) : isNode(value) ? [] : [encoded(plain(value))]
  const pairs = isNode(value) ? members(value) : []
  const joined = [...texts, ...pairs.map(([member, text]) => explode ? `${member}=${text}` : `${member},${text}`)]
  switch (style) {
    case 'label': return `.${joined.join(explode ? '.' : ',')}`
    case 'matrix':
      if (!explode) return `;${key}${joined.join(',') === '' ? '' : `=${joined.join(',')}`}`
      return isNode(value) ? joined.map((pair) => `;${pair}`).join('') : joined.map((text) => text === '' ? `;${key}` : `;${key}=${text}`).join('')
    case 'spaceDelimited': case 'pipeDelimited': case 'tabDelimited': return joined.join(delimiters[style])
    default: return joined.join(',')
  }
}

/** What a value becomes in a header, which nobody percent-decodes (OpenAPI 3.1.1, appendix D). */
export function headerText ({ explode, style, mediaType }: WireParameter, value: unknown): string {
  if (mediaType !== undefined) return JSON.stringify(value)
  const delimiter = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : style === 'tabDelimited' ? '\t' : ','
  if (Array.isArray(value)) return value.map(plain).join(delimiter)
  if (isNode(value)) return Object.entries(value).map(([key, member]) => `${key}${explode ? '=' : ','}${plain(member)}`).join(',')
  return plain(value)
}
