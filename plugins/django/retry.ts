import type { Method } from './exchange.ts'

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const idempotent: ReadonlySet<Method> = new Set(['GET', 'PUT', 'DELETE'])

/** Answers that say nothing about the request itself. */
const transientStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

const firstDelay = 200
const maxDelay = 5_000

/** Whether a request may be repeated: its method allows it, or an idempotency key makes it one request to Django. */
export function isRepeatable (method: Method, idempotencyKey: string | undefined): boolean {
  return idempotent.has(method) || idempotencyKey !== undefined
}

export function isTransient (status: number): boolean {
  return transientStatuses.has(status)
}

/**
 * Milliseconds to wait before an attempt, 1 being the first repetition: exponential with full jitter, so that callers
 * that failed together do not come back together, or as long as Django asked for.
 * @param retryAfter seconds from Retry-After
 */
export function delayBefore (attempt: number, retryAfter: number | undefined, random = Math.random): number {
  return retryAfter !== undefined ? retryAfter * 1000 : random() * Math.min(maxDelay, firstDelay * 2 ** attempt)
}
