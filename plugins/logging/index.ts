import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { checkOptions } from '../../checks/options.ts'
import { onAnswered } from './answered.ts'

export { loggingOptions, type LogFormat } from './options.ts'
export { namedLogger } from './named-logger.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is called by probes and scrapers all the time: its access line is written at level debug. */
    quiet?: boolean
  }
  interface FastifyRequest {
    /** Further fields of the request's access line. */
    logFields: Readonly<Record<string, unknown>> | null
  }
}

/** What the lines look like is for the server's logger: `loggingOptions`. */
const noOptions = z.strictObject({})

/** The beginning of a path that is only a word: a way that somebody took for ours. */
const word = /^\/[a-z._-]{1,24}(?=\/|\?|$)/i

/**
 * The way that was taken: a route with its variables left open, and of other ways the first word. The rest, like a
 * query, may carry what nobody should read in a log.
 */
function pathOf ({ routeOptions, url }: FastifyRequest): string {
  if (routeOptions.url !== undefined) return routeOptions.url
  const start = word.exec(url)?.[0] ?? '/'
  return start.length === url.length ? start : `${start}…`
}

function writeAccessLine (request: FastifyRequest, reply: FastifyReply, finished: boolean): void {
  const fields = {
    logger: 'access',
    method: request.method,
    path: pathOf(request),
    status: reply.raw.statusCode,
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    remote_address: request.ip,
    ...request.logFields
  }
  if (!finished) request.log.info({ ...fields, aborted: true }, 'request aborted by the client')
  else if (request.routeOptions.config.quiet === true) request.log.debug(fields, 'request completed')
  else request.log.info(fields, 'request completed')
}

/**
 * Writes one line for each request, when its answer has left or its client is gone. Meant for a server made
 * with `loggingOptions`, and usable with any other logger too.
 */
const logging: FastifyPluginAsync = async (app, options) => {
  checkOptions('logging', noOptions, options)
  app.decorateRequest('logFields', null)
  app.addHook('onRequest', (request, reply, next) => {
    onAnswered(request, reply, (complete) => { writeAccessLine(request, reply, complete) })
    next()
  })
}

export default fp(logging, { name: 'logging', fastify: '5.x' })
