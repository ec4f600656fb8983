import { isIP } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { callback, checkOptions, whole, type OptionsShape } from '../../checks/options.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { SharedCounters } from './shared-counters.ts'
import { WindowCounters, type Count } from './window-counters.ts'

/** Counts a request and throws a `RateLimitError` where it is one too many; usable as an `onRequest` hook. */
export type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

export interface Limits {
  /** Every request by the address it comes from. For before authentication. */
  readonly address: Limit
  /** Requests by who makes them. For after authentication. */
  readonly principal: Limit
  /** Takes further units from the principal's number, for a request that costs more than one; all of it at most. */
  readonly charge: (request: FastifyRequest, reply: FastifyReply, units: number) => Promise<void>
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
  /** Keys that this process keeps count of at most, for each limit. */
  maxKeys?: number
  /** Where all replicas count together; each counts by itself where it is left out, and while it cannot be reached. */
  redis?: Redis | undefined
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
  maxKeys: whole(1).default(100_000),
  redis: z.custom<Redis>((value) => typeof value === 'object' && value !== null && 'status' in value, 'a connection to Redis').optional()
} satisfies OptionsShape<RateLimitOptions>)

/** An address with the port that some proxies put behind it, which is another one for each connection. */
const withPort = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d{1,5})?$/i

/** The address of a client. What a proxy gives that is none counts as the proxy's own: made-up names must not each have a number. */
function addressOf ({ ip, socket }: FastifyRequest): string {
  if (isIP(ip) !== 0) return fastifyRateLimit.normalizeIP(ip)
  const [, bracketed, plain] = withPort.exec(ip) ?? []
  const address = bracketed ?? plain ?? ''
  return fastifyRateLimit.normalizeIP(isIP(address) === 0 ? socket.remoteAddress ?? '' : address)
}

/** Counts units by key; `length` is the window's in milliseconds, and `max` what it has. */
type Use = (key: string, units: number, length: number, max: number) => Count | Promise<Count>

type Counted = (error: Error | null, result?: { current: number, ttl: number }) => void

/**
 * Rate limits that a route applies as hooks, in the order it needs. IPv6 addresses count by /64 network and mapped
 * IPv4 addresses as what they are, since one host can use any number of the former and two forms of the latter.
 */
const rateLimit: FastifyPluginAsync<RateLimitOptions> = async (app, options) => {
  const { requests, addressRequests, window, principalOf, onLimited, maxKeys, redis } = checkOptions('rate-limit', optionsSchema, options)
  const length = window * 1000
  const counters: WindowCounters[] = []
  const log = namedLogger(app.log, 'rate-limit')

  function onChange (shared: boolean): void {
    if (shared) log.info('requests are counted in Redis again')
    else log.warn('Redis does not count requests: each replica counts by itself')
  }

  function createUse (): Use {
    const local = new WindowCounters(maxKeys)
    counters.push(local)
    if (redis === undefined) return (...args) => local.use(...args)
    const shared = new SharedCounters({ redis, local, onChange })
    return (...args) => shared.use(...args)
  }

  let next = createUse()

  /** The counters of one limit, as the rate limit plugin sees them. It makes its limits one after the other. */
  class Store {
    readonly #use = next

    incr (key: string, done: Counted, _length: number, max: number): void {
      const finish = ({ fits, used, ttl }: Count): void => { done(null, { current: fits ? used : max + 1, ttl }) }
      const count = this.#use(key, 1, length, max)
      if (count instanceof Promise) void count.then(finish)
      else finish(count)
    }

    child (): Store {
      return new Store()
    }
  }

  await app.register(fastifyRateLimit, { global: false, store: Store })

  // RateLimit header fields for HTTP, draft-ietf-httpapi-ratelimit-headers-11 §3 and §4
  function say (reply: FastifyReply, name: string, max: number, remaining: number, seconds: number): void {
    reply.header('RateLimit-Policy', `"${name}";q=${max};w=${window}`)
    reply.header('RateLimit', `"${name}";r=${remaining};t=${seconds}`)
  }

  function refuse (reply: FastifyReply, seconds: number): never {
    reply.header('Retry-After', seconds)
    onLimited?.()
    throw new RateLimitError(seconds)
  }

  function limit (name: string, max: number, keyOf: (request: FastifyRequest) => string): { hook: Limit, use: Use } {
    const use = createUse()
    next = use
    // The name keeps the keys of the limits apart in Redis.
    const count = app.createRateLimit({ max, timeWindow: length, keyGenerator: (request) => `${name}:${keyOf(request)}` })
    return {
      use,
      async hook (request, reply) {
        const state = await count(request)
        if (state.isAllowed) return
        say(reply, name, max, state.remaining, state.ttlInSeconds)
        if (state.isExceeded) refuse(reply, state.ttlInSeconds)
      }
    }
  }

  const principalKey = (request: FastifyRequest): string => principalOf(request) ?? addressOf(request)
  const principal = limit('principal', requests, principalKey)

  app.decorate('limits', {
    address: limit('address', addressRequests, addressOf).hook,
    principal: principal.hook,
    refused: limit('refused', requests, addressOf).hook,
    async charge (request, reply, units) {
      // One that costs more than there is can be made once in a window; the request itself is counted already.
      const { fits, used, ttl } = await principal.use(`principal:${principalKey(request)}`, Math.min(units, requests - 1), length, requests)
      const seconds = Math.ceil(ttl / 1000)
      say(reply, 'principal', requests, requests - used, seconds)
      if (!fits) refuse(reply, seconds)
    },
    // One client has a key in several limits: the limit that knows most of them comes closest.
    clients: () => Math.max(0, ...counters.map(({ size }) => size))
  })
}

export default fp(rateLimit, { name: 'rate-limit', fastify: '5.x' })
