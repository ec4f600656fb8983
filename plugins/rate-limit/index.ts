import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, whole, type OptionsShape } from '../../checks/options.ts'
import { WindowCounters } from './window-counters.ts'

/** Counts a request and throws a `RateLimitError` where it is one too many; usable as an `onRequest` hook. */
export type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

export interface Limits {
  /** Every request by the address it comes from. For before authentication. */
  readonly address: Limit
  /** Requests by who makes them. For after authentication. */
  readonly principal: Limit
  /** Requests that were refused or lead nowhere, by address: guessing credentials and paths. */
  readonly refused: Limit
  /** Clients whose requests are counted at the moment. */
  readonly clients: () => number
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly limits: Limits
  }
}

export interface RateLimitOptions {
  /** Requests of one principal in a window, and refused requests of one address. */
  requests: number
  /** Requests of one address in a window. */
  addressRequests: number
  /** Length of the window in seconds. */
  window: number
  /** Who makes a request, or undefined where that is not known: the address counts then. */
  principalOf?: (request: FastifyRequest) => string | undefined
  /** Told of every request that was one too many. */
  onLimited?: () => void
  /** Keys that are kept count of at most, for each limit. */
  maxKeys?: number
}

/** A request was one too many. `statusCode` makes Fastify answer 429 (RFC 6585 §4). */
export class RateLimitError extends Error {
  override readonly name = 'RateLimitError'
  readonly code = 'rate_limited'
  readonly statusCode = 429
  /** Seconds until the window ends. */
  readonly retryAfter: number

  constructor (retryAfter: number) {
    super(`Too many requests. Please try again in ${retryAfter} ${retryAfter === 1 ? 'second' : 'seconds'}.`)
    this.retryAfter = retryAfter
  }
}

const optionsSchema = z.strictObject({
  requests: whole(1),
  addressRequests: whole(1),
  window: whole(1, 'seconds'),
  principalOf: callback<(request: FastifyRequest) => string | undefined>().default(() => () => undefined),
  onLimited: callback<() => void>().optional(),
  maxKeys: whole(1).default(100_000)
} satisfies OptionsShape<RateLimitOptions>)

function addressOf (request: FastifyRequest): string {
  return fastifyRateLimit.normalizeIP(request.ip)
}

/**
 * Rate limits that a route applies as hooks, in the order it needs. IPv6 addresses count by /64 network and mapped
 * IPv4 addresses as what they are, since one host can use any number of the former and two forms of the latter.
 */
const rateLimit: FastifyPluginAsync<RateLimitOptions> = async (app, options) => {
  const { requests, addressRequests, window, principalOf, onLimited, maxKeys } = checkOptions('rate-limit', optionsSchema, options)
  const counters: WindowCounters[] = []

  class Store {
    readonly #counters = new WindowCounters(maxKeys)

    constructor () {
      counters.push(this.#counters)
    }

    incr (key: string, done: (error: Error | null, result?: { current: number, ttl: number }) => void, length: number, max: number): void {
      done(null, this.#counters.increment(key, length, max))
    }

    child (): Store {
      return new Store()
    }
  }

  await app.register(fastifyRateLimit, { global: false, store: Store })

  function limit (name: string, max: number, keyOf: (request: FastifyRequest) => string): Limit {
    const count = app.createRateLimit({ max, timeWindow: window * 1000, keyGenerator: keyOf })
    const policy = `"${name}";q=${max};w=${window}`
    return async (request, reply) => {
      const state = await count(request)
      if (state.isAllowed) return
      // RateLimit header fields for HTTP, draft-ietf-httpapi-ratelimit-headers-10 §3 and §4
      reply.header('RateLimit-Policy', policy)
      reply.header('RateLimit', `"${name}";r=${state.remaining};t=${state.ttlInSeconds}`)
      if (!state.isExceeded) return
      reply.header('Retry-After', state.ttlInSeconds)
      onLimited?.()
      throw new RateLimitError(state.ttlInSeconds)
    }
  }

  app.decorate('limits', {
    address: limit('address', addressRequests, addressOf),
    principal: limit('principal', requests, (request) => principalOf(request) ?? addressOf(request)),
    refused: limit('refused', requests, addressOf),
    // One client has a key in several limits: the limit that knows most of them comes closest.
    clients: () => Math.max(0, ...counters.map(({ size }) => size))
  })
}

export default fp(rateLimit, { name: 'rate-limit', fastify: '5.x' })
