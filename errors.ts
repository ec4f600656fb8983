/**
 * Everything that can go wrong below a tool or a resource, by what the caller can do about it.
 * The set is closed: metrics use it as label values and error texts are chosen by it.
 */
export const errorKinds = [
  'invalid_input',
  'not_found',
  'forbidden',
  'conflict',
  'throttled',
  'unavailable',
  'timeout',
  'bad_response',
  'cancelled',
  'internal'
] as const

export type ErrorKind = typeof errorKinds[number]

/** What is wrong with one argument. `path` is empty where the problem is not one argument's. */
export interface Problem {
  path: string
  message: string
}

export interface CallErrorDetails {
  /** HTTP status that Django answered with, where it answered. */
  status?: number
  /** Problems by argument, for `invalid_input` and `conflict`. */
  problems?: readonly Problem[]
  /** Seconds to wait before the same call can succeed. */
  retryAfter?: number
  /** What happened underneath, for the log only. */
  cause?: unknown
}

/**
 * The one error type of a call. Its `message` is written for the model that made the call:
 * no secret, no internal host, no text of a 5xx answer. What is only for operators goes into `cause`.
 */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly kind: ErrorKind
  readonly status: number | undefined
  readonly problems: readonly Problem[]
  readonly retryAfter: number | undefined

  constructor (kind: ErrorKind, message: string, details: CallErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kind
    this.status = details.status
    this.problems = details.problems ?? []
    this.retryAfter = details.retryAfter
  }
}
