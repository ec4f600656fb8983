import { shapeProblem } from '../../checks/json-shape.ts'
import { CallError } from '../../errors.ts'
import { codeOf, detailOf, problemsIn, renamed, type ArgumentNames } from './problems.ts'

/** Levels of lists and objects inside each other that an answer may have. */
const maxLevels = 100
/** Bytes of an answer that cannot nest so deep that it does harm. */
const unlooked = 16_384

/** A complete answer of Django's. */
export interface Answer {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
}

/** A header of the answer, the first where there are several. */
export function headerOf ({ headers }: Answer, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

export function isJson (answer: Answer): boolean {
  return /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i.test(headerOf(answer, 'content-type') ?? '')
}

/** Seconds that Retry-After asks to wait (RFC 9110 §10.2.3), from now; undefined where it is absent or makes no sense. */
export function retryAfterOf (answer: Answer, now = Date.now()): number | undefined {
  const value = headerOf(answer, 'retry-after')?.trim()
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000))
}

/** The body as text, without the byte order mark that some proxies put before it (RFC 8259 §8.1 lets a reader pass over it). */
export function textOf ({ body }: Answer): string {
  const text = body.toString('utf8')
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

/** Whether what goes through an answer level by level, and does something with the rest of it at each, would take too long. */
function isTooDeep ({ body }: Answer): boolean {
  return body.length > unlooked && shapeProblem(body, { maxDepth: maxLevels }) !== undefined
}

/**
 * The JSON in a successful answer, undefined where there is no content.
 * @param parse what reads the text in the place of `JSON.parse`
 * @throws {CallError} `bad_response` for anything else
 */
export function jsonOf (answer: Answer, text = textOf(answer), parse: (text: string) => unknown = JSON.parse): unknown {
  if (answer.body.length === 0) return undefined
  if (!isJson(answer)) throw new CallError('bad_response', 'The API answered with something that is not JSON.', { status: answer.status })
  if (isTooDeep(answer)) throw new CallError('bad_response', `The API answered with JSON that is nested more than ${maxLevels} levels deep.`, { status: answer.status })
  try {
    return parse(text)
  } catch {
    // Not its cause: what is wrong with JSON is said with a piece of it.
    throw new CallError('bad_response', 'The API answered with JSON that is not valid.', { status: answer.status })
  }
}

/** The body of an error answer, if it is something that may be read; an HTML page is not. */
function errorBodyOf (answer: Answer): unknown {
  if (!isJson(answer) || isTooDeep(answer)) return undefined
  try {
    return JSON.parse(textOf(answer))
  } catch {
    return undefined
  }
}

/** DRF answers 403, not 401, to missing credentials where its first authentication class has no challenge. */
const credentialsRefused = /^(authentication credentials|incorrect authentication|invalid (token|api.?key|username))/i
const credentialCodes: ReadonlySet<string> = new Set(['not_authenticated', 'authentication_failed', 'token_not_valid', 'bad_authorization_header'])
/** Codes by which djangorestframework-simplejwt says that the user is the trouble and not the token. */
const userCodes: ReadonlySet<string> = new Set(['user_not_found', 'user_inactive'])

/** Seconds that a text of Django REST Framework's names, where a proxy has taken Retry-After away. */
function secondsIn (detail: string | undefined): number | undefined {
  const seconds = /\b(\d{1,9}) seconds?\b/.exec(detail ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

/** What statuses mean that are none of the caller's fault, each as it can be acted on. */
const unusable: Readonly<Record<number, string>> = {
  405: 'The API does not offer this operation here; its schema may be out of date.',
  406: 'The API cannot give its answer in any form that was asked for.',
  411: 'The API does not take the body in this form.',
  415: 'The API does not take the body in this form.',
  423: 'The API says that this is locked.',
  428: 'The API asks for a condition, such as If-Match, which was not sent.'
}

/**
 * What an answer outside 200–299 means for the caller. Texts of 5xx answers are never passed on.
 * @param names the caller's names of Django's fields
 */
export function errorFor (answer: Answer, names: ArgumentNames): CallError {
  const { status } = answer
  if (status >= 300 && status < 400) {
    return new CallError('bad_response', 'The API answered with a redirect, which is not followed.', { status })
  }
  const body = status < 500 ? errorBodyOf(answer) : undefined
  const detail = detailOf(body)
  const say = (fallback: string): string => detail ?? fallback
  const waiting = (seconds: number | undefined) => seconds === undefined ? { status } : { status, retryAfter: seconds }

  switch (status) {
    case 400:
    case 422:
      // Django answers a host name that it does not allow with a page, and so do proxies what they do not like.
      if (!isJson(answer) && answer.body.length > 0) {
        return new CallError('invalid_input', 'The API refused the request without saying why: an argument may be wrong, or how the API is set up.', { status })
      }
      return new CallError('invalid_input', 'The API did not accept the arguments.', { status, problems: renamed(problemsIn(body), names) })
    case 401:
    case 403:
      if (userCodes.has(codeOf(body) ?? '')) return new CallError('forbidden', 'The API has no account for the user who has signed in, or has closed it.', { status })
      return status === 401 || credentialCodes.has(codeOf(body) ?? '') || credentialsRefused.test(detail ?? '')
        ? new CallError('forbidden', 'The API refused the credentials of this server, which its operator has to correct.', { status })
        : new CallError('forbidden', say('The API does not permit this.'), { status })
    case 404:
    case 410:
      return new CallError('not_found', isJson(answer) ? say('The API has nothing there.') : 'The API has no such address: an identifier may have the wrong form, or the API may have changed.', { status })
    case 408:
    case 504:
      return new CallError('timeout', 'The API did not answer in time.', { status })
    case 409:
    case 412:
      return new CallError('conflict', say('The API refused the change, because it conflicts with the current state.'), {
        status,
        problems: detail === undefined ? renamed(problemsIn(body), names) : []
      })
    case 413:
    case 414:
    case 431:
      return new CallError('invalid_input', 'The API refused the request as too large.', { status })
    case 429:
      return new CallError('throttled', 'The API limits how often this may be called.', waiting(retryAfterOf(answer) ?? secondsIn(detail)))
    default:
      return status >= 500
        ? new CallError('unavailable', 'The API failed.', waiting(status === 503 ? retryAfterOf(answer) : undefined))
        : new CallError('bad_response', unusable[status] ?? 'The API did not accept this kind of request.', { status })
  }
}
