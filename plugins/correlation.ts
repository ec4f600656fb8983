import { randomUUID } from 'node:crypto'
import type { FastifyPluginCallback } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** Identifies this request in our logs, in the answer and in Django; the same as `request.id`. */
    readonly correlationId: string
  }
}

export interface CorrelationOptions {
  /** Header that carries the id, in and out. */
  header?: string
}

/** A client's id is taken over only if it cannot break a log line or a header and stays short. */
const acceptable = /^[\w.-]{1,64}$/

/** The id that the client sent, if it is acceptable, else a new random UUID (RFC 9562). */
export function correlationIdFrom (value: string | string[] | undefined): string {
  return typeof value === 'string' && acceptable.test(value) ? value : randomUUID()
}

/** Gives every request a correlation id and sends it back with the answer. */
const correlation: FastifyPluginCallback<CorrelationOptions> = (app, { header = 'X-Correlation-ID' }, done) => {
  const lowerCase = header.toLowerCase()

  app.setGenReqId((raw) => correlationIdFrom(raw.headers[lowerCase]))
  app.decorateRequest('correlationId', { getter () { return this.id } })
  app.addHook('onRequest', (request, reply, next) => {
    reply.header(header, request.id)
    next()
  })
  done()
}

export default fp(correlation, { name: 'correlation', fastify: '5.x' })
