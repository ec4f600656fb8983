import fastifyCors from '@fastify/cors'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, list, type OptionsShape } from '../checks/options.ts'
import { isOrigin } from '../checks/urls.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route sets its CORS headers itself. */
    cors?: false
  }
}

export interface CorsOptions {
  /** Origins of the pages that may read our answers, compared exactly, or `['*']` for all. */
  origins: readonly string[]
  /** Headers that pages may send beside those of every client; asked for with each request, since they may change. */
  headers?: () => readonly string[]
}

const origin = 'an origin such as https://app.example.com, or *'

const optionsSchema = z.strictObject({
  origins: list(z.string(origin).refine(isOrigin, origin), 'a list of origins'),
  headers: callback<() => readonly string[]>().default(() => () => [])
} satisfies OptionsShape<CorsOptions>)

/** What MCP clients send. Listed one by one, because a wildcard never covers Authorization (Fetch §3.3.4). */
const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'Accept',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Session-Id',
  'Last-Event-ID',
  'X-Correlation-ID',
  'traceparent',
  'tracestate'
]

/** What a client in a page has to read to sign in, to back off and to report a problem. */
const exposedHeaders = ['WWW-Authenticate', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Correlation-ID', 'Mcp-Session-Id']

/** Seconds for which a browser may remember a preflight. */
const preflightMaxAge = 600

/**
 * CORS for clients that run in web pages. Credentials are never allowed: tokens come in the Authorization header,
 * so a cookie has nothing to do here. This only tells browsers what to let through; refusing requests of other
 * origins is for the routes.
 */
const cors: FastifyPluginAsync<CorsOptions> = async (app, options) => {
  const { origins, headers } = checkOptions('cors', optionsSchema, options)
  const fixed = {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'DELETE'],
    exposedHeaders,
    maxAge: preflightMaxAge
  }
  await app.register(fastifyCors, {
    delegator (_request, callback) {
      callback(null, { ...fixed, allowedHeaders: [...allowedHeaders, ...headers()] })
    }
  })
}

export default fp(cors, { name: 'cors', fastify: '5.x' })
