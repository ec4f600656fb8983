import { isRecord } from '../../checks/records.ts'
import type { Problem } from '../../errors.ts'

/** Problems that are reported at most, and characters of one message: a model needs no more to act on. */
const maxProblems = 20
const maxMessageLength = 300

/** A text of the API made safe to show: one line, no control characters, not too long. */
export function oneLine (text: string): string {
  // oxlint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim()
  return line.length > maxMessageLength ? `${line.slice(0, maxMessageLength)}…` : line
}

/** Keys under which Django REST Framework puts what is not about one field. */
const wholeObjectKeys = new Set(['non_field_errors', '__all__', 'detail', 'nonFieldErrors'])

function joined (path: string, key: string): string {
  if (wholeObjectKeys.has(key)) return path
  return path === '' ? key : `${path}.${key}`
}

function collect (value: unknown, path: string, found: Problem[]): void {
  if (found.length >= maxProblems) return
  if (typeof value === 'string') found.push({ path, message: oneLine(value) })
  else if (Array.isArray(value)) {
    // A list of texts is several problems of one field; a list of objects has one entry an item, {} where it is fine.
    value.forEach((entry: unknown, index) => { collect(entry, typeof entry === 'string' || isFullDetail(entry) ? path : joined(path, String(index)), found) })
  } else if (isFullDetail(value)) found.push({ path, message: oneLine(value.message) })
  else if (isRecord(value)) {
    for (const [key, entry] of Object.entries(value)) collect(entry, joined(path, key), found)
  }
}

/** One error as Django REST Framework's `get_full_details` gives it. */
function isFullDetail (value: unknown): value is { message: string, code: string } {
  return isRecord(value) && typeof value.message === 'string' && typeof value.code === 'string' && Object.keys(value).length === 2
}

/** The first entry of an `errors` list. */
function firstError (body: Record<string, unknown>): Record<string, unknown> {
  const entries: readonly unknown[] = Array.isArray(body.errors) ? body.errors : []
  return entries.find(isRecord) ?? {}
}

/** The one sentence of an error body: DRF's `detail`, that of RFC 9457, or the first of an `errors` list. */
export function detailOf (body: unknown): string | undefined {
  if (!isRecord(body)) return undefined
  const texts = [body.detail, body.title, body.message, body.error, firstError(body).detail]
  const detail = texts.find((text) => typeof text === 'string' && text !== '')
  return typeof detail === 'string' ? oneLine(detail) : undefined
}

/** The code of an error body, where it has one: that of DRF's exceptions. */
export function codeOf (body: unknown): string | undefined {
  if (!isRecord(body)) return undefined
  const code = body.code ?? firstError(body).code
  return typeof code === 'string' ? code : undefined
}

/** The field that a JSON pointer names, as RFC 9457 and JSON:API write it: `#/items/1/name`, `/data/attributes/name`. */
function pointedAt (pointer: unknown): string | undefined {
  return typeof pointer === 'string' ? pointer.replace(/^#?\/(?:data\/(?:attributes|relationships)\/)?/, '').replaceAll('/', '.') : undefined
}

function fieldOf ({ attr, pointer, source }: Record<string, unknown>): string {
  const path = typeof attr === 'string' ? attr : pointedAt(pointer) ?? pointedAt(isRecord(source) ? source.pointer : undefined) ?? ''
  return path.split('.').reduce(joined, '')
}

/**
 * Problems named in an error body, by field. Understands DRF's field errors (nested and by index, with and without
 * codes), the `errors` list of drf-standardized-errors, of RFC 9457 and of JSON:API, and the older `invalid-params`.
 */
export function problemsIn (body: unknown): Problem[] {
  const found: Problem[] = []
  const parameters = isRecord(body) ? body['invalid-params'] ?? body.invalid_params ?? body.invalidParams : undefined
  if (isRecord(body) && Array.isArray(body.errors) && body.errors.every(isRecord)) {
    for (const entry of body.errors.filter(isRecord)) collect(entry.detail ?? entry.title ?? entry.message, fieldOf(entry), found)
  } else if (Array.isArray(parameters)) {
    for (const entry of parameters.filter(isRecord)) collect(entry.reason, typeof entry.name === 'string' ? entry.name : '', found)
  } else if (isRecord(body) && typeof body.title === 'string' && typeof body.status === 'number') {
    // Problem details whose other members say nothing to a caller (RFC 9457 §3.1).
    collect(detailOf({ detail: body.detail ?? body.title }), '', found)
  } else {
    collect(body, '', found)
  }
  return found
}

/** The caller's names of Django's fields, or what gives the path of a problem its name. */
export type ArgumentNames = Readonly<Record<string, string>> | ((path: string) => string)

/** The same problems under the names that the caller knows the fields by. */
export function renamed (problems: readonly Problem[], names: ArgumentNames): Problem[] {
  const rename = typeof names === 'function' ? names : (path: string) => renamedPath(path, names)
  return problems.map(({ path, message }) => ({ path: rename(path), message }))
}

/** A dotted path with another name in the place of its first. */
export function renamedPath (path: string, names: Readonly<Record<string, string>>): string {
  const [first = '', ...rest] = path.split('.')
  return [Object.hasOwn(names, first) ? names[first] ?? first : first, ...rest].join('.')
}
