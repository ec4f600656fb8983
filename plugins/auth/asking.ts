import type { FastifyInstance } from 'fastify'
import { createEngine } from '../django/engine.ts'
import { exchange, ExchangeFailed } from '../django/exchange.ts'
import { VerifierUnavailable } from './errors.ts'

export interface Question {
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string
}

/**
 * Sends a request to an authorization server and gives the JSON of its answer.
 * @throws {VerifierUnavailable} for anything but a 200 with JSON
 */
export type Ask = (url: string, question?: Question) => Promise<unknown>

/** Milliseconds that an authorization server may take: requests wait for it. */
const timeout = 5_000
/** Bytes of an answer: key sets and metadata have a few thousand. */
const maxBytes = 262_144
/** Connections to one server: a flood of tokens must not become one of connections. */
const maxSockets = 20

/** A way to ask authorization servers, with bounds on time and size, without redirects and retries. */
export function createAsk (app: FastifyInstance): Ask {
  const engine = createEngine(app, maxSockets)

  return async (url, { method = 'GET', headers = {}, body } = {}) => {
    const all = { accept: 'application/json', 'accept-encoding': 'identity', ...headers }
    const answer = await exchange(engine, url, { method, headers: all, body, signal: undefined, timeout, maxBytes }).catch((error: unknown) => {
      // The text of the error is about Django's API; what it wraps says what has happened.
      const reason = error instanceof ExchangeFailed ? error.error : error
      throw new VerifierUnavailable(`${url} gives no answer that can be read`, reason)
    })
    if (answer.status !== 200) throw new VerifierUnavailable(`${url} answers ${answer.status}`)
    try {
      return JSON.parse(answer.body.toString('utf8'))
    } catch {
      throw new VerifierUnavailable(`${url} answers with something that is no JSON`)
    }
  }
}
