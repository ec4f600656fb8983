import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Got } from 'got'
import type { z } from 'zod'
import { unattended } from '../../checks/unattended.ts'
import { CallError } from '../../errors.ts'
import { errorFor, jsonOf, retryAfterOf, type Answer } from './answer.ts'
import { identified, type CallIdentity } from './call-identity.ts'
import { exchange, ExchangeFailed, type Method } from './exchange.ts'
import { fillPath, queryString, type PathValue, type QueryValue } from './path.ts'
import { delayBefore, isRepeatable, isTransient } from './retry.ts'
import type { WireRequest } from './wire.ts'

export interface RequestOptions {
  /** Values for the variables of the route. */
  path?: Readonly<Record<string, PathValue>>
  query?: Readonly<Record<string, QueryValue>>
  /** Sent as JSON. Null is a value; undefined sends no body. */
  json?: unknown
  /** Sent as Idempotency-Key. Makes a POST or PATCH safe to repeat, which only an API can promise that honours it. */
  idempotencyKey?: string
  /** The caller's names of Django's fields, for error messages: `{ client: 'client_id' }`. */
  argumentNames?: Readonly<Record<string, string>>
}

/** Options of a call whose answer is checked against a schema. */
export interface TypedRequestOptions<Body> extends RequestOptions {
  schema: z.ZodType<Body>
}

/** A successful answer. */
export interface DjangoResponse {
  status: number
  headers: Answer['headers']
  /** Parsed JSON, undefined where there was no content. */
  body: unknown
}

/** What a client is bound to: the call that it works for. */
export interface DjangoCallContext {
  correlationId?: string
  /** Whom the call is made for; the service itself where it is left out. */
  identity?: CallIdentity
  /** Aborts the request under way and keeps further ones from being sent. */
  signal?: AbortSignal
  log?: FastifyBaseLogger
  /** Fields that continue the call's trace (W3C Trace Context). */
  trace?: { readonly traceparent: string, readonly tracestate?: string }
  /** Told of every request that is sent for the call. */
  onAttempt?: (report: AttemptReport) => void
}

/** What one attempt did, for metrics. */
export interface AttemptReport {
  method: Method
  /** The route with its variables left open. */
  route: string
  status?: number
  errorKind?: string
  seconds: number
}

export interface Engine {
  http: Got
  log: FastifyBaseLogger
  baseUrl: string
  /** Headers that every request carries. */
  headers: Readonly<Record<string, string>>
  /** Milliseconds for one call, all attempts and waits included. */
  deadline: number
  maxRetries: number
  maxBytes: number
  onAttempt?: (report: AttemptReport) => void
  onRetry?: (reason: 'network' | 'status') => void
}

/**
 * Calls a Django REST API. Every failure is a `CallError`, and one of a request that nobody waits for is passed over.
 * `bind` makes a client for one call, whose requests carry the call's correlation id and end with it.
 */
export class DjangoClient {
  readonly #engine: Engine
  readonly #context: DjangoCallContext

  constructor (engine: Engine, context: DjangoCallContext = {}) {
    this.#engine = engine
    this.#context = context
  }

  /** Where the API answers, without a trailing slash. For comparing: nobody who calls may see it. */
  get baseUrl (): string {
    return this.#engine.baseUrl
  }

  /** The same client bound to a call. What it is bound to already stays: nobody sheds an identity by binding again. */
  bind (context: DjangoCallContext): DjangoClient {
    return new DjangoClient(this.#engine, { ...this.#context, ...context })
  }

  /** @throws {CallError} */
  get<Body> (route: string, options: TypedRequestOptions<Body>): Promise<Body> {
    return unattended(this.#typed('GET', route, options))
  }

  /** @throws {CallError} */
  post<Body> (route: string, options: TypedRequestOptions<Body>): Promise<Body> {
    return unattended(this.#typed('POST', route, options))
  }

  /** @throws {CallError} */
  put<Body> (route: string, options: TypedRequestOptions<Body>): Promise<Body> {
    return unattended(this.#typed('PUT', route, options))
  }

  /** @throws {CallError} */
  patch<Body> (route: string, options: TypedRequestOptions<Body>): Promise<Body> {
    return unattended(this.#typed('PATCH', route, options))
  }

  /** @throws {CallError} */
  delete<Body> (route: string, options: TypedRequestOptions<Body>): Promise<Body> {
    return unattended(this.#typed('DELETE', route, options))
  }

  /**
   * Sends one request, repeated where that is safe, and gives its answer.
   * @throws {CallError} for an answer outside 200–299, for one that is not JSON and where none came
   */
  request (method: Method, route: string, options: RequestOptions = {}): Promise<DjangoResponse> {
    return unattended(this.#request(method, route, options))
  }

  /**
   * Sends a request as it stands, repeated where that is safe, and gives whatever answer comes. Its headers go before
   * those that every request carries.
   * @param repeatable whether the API does not do it twice when it gets it twice; by its method where it is left out
   * @throws {CallError} where no answer came, or none that may be read
   */
  send (request: WireRequest, repeatable = isRepeatable(request.method, undefined)): Promise<Answer> {
    if (!request.target.startsWith('/')) throw new TypeError('a target is a path')
    return unattended(this.#exchange({ ...request, headers: { ...this.#headers(undefined, undefined), ...request.headers } }, repeatable))
  }

  async #request (method: Method, route: string, options: RequestOptions): Promise<DjangoResponse> {
    const answer = await this.#answer(method, route, options)
    if (answer.status < 200 || answer.status > 299) throw errorFor(answer, options.argumentNames ?? {})
    return { status: answer.status, headers: answer.headers, body: jsonOf(answer) }
  }

  async #typed<Body> (method: Method, route: string, options: TypedRequestOptions<Body>): Promise<Body> {
    const { status, body } = await this.#request(method, route, options)
    const parsed = options.schema.safeParse(body)
    if (parsed.success) return parsed.data
    throw new CallError('bad_response', 'The API answered in a form that was not expected.', { status, cause: parsed.error })
  }

  #headers (json: unknown, idempotencyKey: string | undefined): Record<string, string> {
    const headers: Record<string, string> = { ...this.#engine.headers, ...this.#context.trace }
    if (this.#context.correlationId !== undefined) headers['x-correlation-id'] = this.#context.correlationId
    if (json !== undefined) headers['content-type'] = 'application/json'
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
    return headers
  }

  #answer (method: Method, route: string, { path, query, json, idempotencyKey }: RequestOptions): Promise<Answer> {
    const search = queryString(query)
    return this.#exchange({
      method,
      route,
      target: `${fillPath(route, path)}${search === '' ? '' : `?${search}`}`,
      headers: this.#headers(json, idempotencyKey),
      body: json === undefined ? undefined : JSON.stringify(json)
    }, isRepeatable(method, idempotencyKey))
  }

  async #exchange ({ method, route, target, headers, body }: WireRequest, repeatable: boolean): Promise<Answer> {
    const { http, baseUrl, deadline, maxRetries, maxBytes, onRetry } = this.#engine
    const { signal, identity, log = this.#engine.log } = this.#context
    const url = `${baseUrl}${target}`
    const attempts = repeatable ? maxRetries + 1 : 1
    const end = performance.now() + deadline

    for (let attempt = 1; ; attempt += 1) {
      let retryAfter: number | undefined
      let reason: 'network' | 'status'
      const all = identity === undefined ? { ...headers } : identified(headers, await identity.headers())
      const timeout = Math.max(1, Math.ceil(end - performance.now()))
      const outcome = await this.#attempt(method, route, () => exchange(http, url, { method, headers: all, body, signal, timeout, maxBytes }))

      if (outcome instanceof ExchangeFailed) {
        if (!outcome.transient || attempt === attempts) throw outcome.error
        reason = 'network'
      } else {
        if (outcome.status === 401) identity?.refused?.()
        if (!isTransient(outcome.status) || attempt === attempts) return outcome
        retryAfter = retryAfterOf(outcome)
        reason = 'status'
      }

      const delay = delayBefore(attempt, retryAfter)
      // Waiting past the deadline would only make the caller wait for the same failure.
      if (performance.now() + delay >= end) {
        if (outcome instanceof ExchangeFailed) throw outcome.error
        return outcome
      }
      log.warn({ route, attempt, reason, status: outcome instanceof ExchangeFailed ? undefined : outcome.status, delay_ms: Math.round(delay) }, 'request to Django failed, trying again')
      onRetry?.(reason)
      await this.#pause(delay)
    }
  }

  /** One attempt, reported. */
  async #attempt (method: Method, route: string, send: () => Promise<Answer>): Promise<Answer | ExchangeFailed> {
    const begin = performance.now()
    const seconds = (): number => (performance.now() - begin) / 1000
    try {
      const answer = await send()
      const errorKind = answer.status < 400 ? undefined : errorFor(answer, {}).kind
      this.#report({ method, route, status: answer.status, seconds: seconds(), ...(errorKind === undefined ? {} : { errorKind }) })
      return answer
    } catch (error) {
      if (!(error instanceof ExchangeFailed)) throw error
      this.#report({ method, route, errorKind: error.error.kind, seconds: seconds() })
      return error
    }
  }

  #report (report: AttemptReport): void {
    this.#engine.onAttempt?.(report)
    this.#context.onAttempt?.(report)
  }

  async #pause (delay: number): Promise<void> {
    const { signal } = this.#context
    try {
      await sleep(delay, undefined, signal === undefined ? {} : { signal })
    } catch (cause) {
      throw new CallError('cancelled', 'The call was cancelled.', { cause })
    }
  }
}
