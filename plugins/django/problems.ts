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

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
    value.forEach((entry: unknown, index) => { collect(entry, typeof entry === 'string' ? path : joined(path, String(index)), found) })
  } else if (isRecord(value)) {
    for (const [key, entry] of Object.entries(value)) collect(entry, joined(path, key), found)
  }
}

/** The one sentence of an error body: DRF's `detail`, or that of RFC 9457. */
export function detailOf (body: unknown): string | undefined {
  if (!isRecord(body)) return undefined
  const detail = body.detail ?? body.title ?? body.message ?? body.error
  return typeof detail === 'string' && detail !== '' ? oneLine(detail) : undefined
}

/**
 * Problems named in an error body, by field. Understands DRF's field errors (nested and by index), the `errors`
 * list of drf-standardized-errors and the `invalid-params` of RFC 9457.
 */
export function problemsIn (body: unknown): Problem[] {
  const found: Problem[] = []
  if (isRecord(body) && Array.isArray(body.errors)) {
    for (const entry of body.errors.filter(isRecord)) collect(entry.detail, typeof entry.attr === 'string' ? joined('', entry.attr) : '', found)
  } else if (isRecord(body) && Array.isArray(body['invalid-params'])) {
    for (const entry of body['invalid-params'].filter(isRecord)) collect(entry.reason, typeof entry.name === 'string' ? entry.name : '', found)
  } else {
    collect(body, '', found)
  }
  return found
}

/** The same problems under the names that the caller knows the fields by. */
export function renamed (problems: readonly Problem[], names: Readonly<Record<string, string>>): Problem[] {
  return problems.map(({ path, message }) => {
    const [first = '', ...rest] = path.split('.')
    return { path: [Object.hasOwn(names, first) ? names[first] ?? first : first, ...rest].join('.'), message }
  })
}
