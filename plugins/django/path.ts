import { CallError } from '../../errors.ts'

export type PathValue = string | number
export type QueryValue = string | number | boolean | null | undefined | ReadonlyArray<string | number | boolean>

/**
 * What a variable of a path must not be or contain: a segment that climbs, and what servers decode into a separator.
 * Percent-encoding does not help: WSGI decodes %2F before routing, and URL parsers treat %2e%2e as dots.
 */
// oxlint-disable-next-line no-control-regex
const forbidden = /^\.{0,2}$|[/\\\u0000-\u001f\u007f]|%(2f|5c|2e|00)/i

/** What a template must not have: climbing segments, separators in disguise, a query. */
// oxlint-disable-next-line no-control-regex
const unsound = /(?:^|\/)\.{1,2}(?:\/|$)|[\\?#\s\u0000-\u001f\u007f]|%(?:2f|5c|2e|00)/i

/**
 * Percent-encodes a text for a path or a query, everything but unreserved characters (RFC 3986 §2.3).
 * @throws {CallError} `invalid_input`, naming the argument, for half a surrogate pair, which no encoding has
 */
export function percentEncoded (argument: string, text: string): string {
  if (!text.isWellFormed()) throw wrongArgument(argument, 'holds half of a character')
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

export function wrongArgument (argument: string, message: string): CallError {
  return new CallError('invalid_input', 'An argument is not valid.', { problems: [{ path: argument, message }] })
}

/**
 * Holds the value of a path's variable against the one rule for all of them.
 * @throws {CallError} `invalid_input`, naming the argument, for a value that could change which path is meant
 */
export function checkPathValue (argument: string, text: string): void {
  if (forbidden.test(text)) throw wrongArgument(argument, 'must not be empty, dots only, or contain slashes or control characters')
}

/**
 * What is appended to Django's URL must stay below it, whether it comes from a tool or from a document.
 * @throws {TypeError} for what is no template of a path
 */
export function checkTemplate (template: string): void {
  if (!template.startsWith('/') || unsound.test(template)) throw new TypeError(`${JSON.stringify(template)} is not the template of a path`)
}

/**
 * Fills the variables of a path template such as `/clients/{client_id}/`.
 * @throws {CallError} `invalid_input`, naming the variable, for a value that could change which path is meant
 * @throws {TypeError} for what is no template, and for a variable without a value
 */
export function fillPath (template: string, values: Readonly<Record<string, PathValue>> = {}): string {
  checkTemplate(template)
  return template.replace(/\{([^{}]+)\}/g, (_match, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`${template} needs a value for ${name}`)
    checkPathValue(name, String(value))
    return percentEncoded(name, String(value))
  })
}

/** A query string without its question mark. Undefined leaves a parameter out, null sends it empty, a list repeats it. */
export function queryString (query: Readonly<Record<string, QueryValue>> = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    if (value === null) parameters.append(name, '')
    else if (typeof value === 'object') for (const entry of value) parameters.append(name, String(entry))
    else parameters.append(name, String(value))
  }
  return parameters.toString()
}
