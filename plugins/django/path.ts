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
 * Fills the variables of a path template such as `/clients/{client_id}/`.
 * @throws {CallError} `invalid_input`, naming the variable, for a value that could change which path is meant
 * @throws {TypeError} for what is no template, and for a variable without a value
 */
export function fillPath (template: string, values: Readonly<Record<string, PathValue>> = {}): string {
  // Templates come from tools and from documents: what is appended to Django's URL must stay below it.
  if (!template.startsWith('/') || unsound.test(template)) throw new TypeError(`${JSON.stringify(template)} is not the template of a path`)
  return template.replace(/\{([^{}]+)\}/g, (_match, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`${template} needs a value for ${name}`)
    const text = String(value)
    // Half a surrogate pair has no encoding.
    if (forbidden.test(text) || !text.isWellFormed()) {
      throw new CallError('invalid_input', 'An argument is not valid.', {
        problems: [{ path: name, message: 'must not be empty, dots only, or contain slashes or control characters' }]
      })
    }
    return encodeURIComponent(text)
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
