import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { checkOptions, type OptionsShape } from '../checks/options.ts'

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

const headerName = 'the name of a header'

const optionsSchema = z.strictObject({
  // A token of RFC 9110 §5.6.2.
  header: z.string(headerName).regex(/^[\w!#$%&'*+.^`|~-]+$/, headerName).default('X-Correlation-ID')
} satisfies OptionsShape<CorrelationOptions>)

/** A client's id is taken over only if it cannot break a log line or a header and stays short. */
const acceptable = /^[\w.-]{1,64}$/

/** The id that the client sent, if it is acceptable, else a new random UUID (RFC 9562). */
export function correlationIdFrom (value: string | string[] | undefined): string {
  return typeof value === 'string' && acceptable.test(value) ? value : randomUUID()
}

/** Gives every request a correlation id and sends it back with the answer. */
const correlation: FastifyPluginAsync<CorrelationOptions> = async (app, options) => {
  const { header } = checkOptions('correlation', optionsSchema, options)
  const lowerCase = header.toLowerCase()

  app.setGenReqId((raw) => correlationIdFrom(raw.headers[lowerCase]))
  app.decorateRequest('correlationId', { getter () { return this.id } })
  app.addHook('onRequest', (request, reply, next) => {
    reply.header(header, request.id)
    next()
  })
}

export default fp(correlation, { name: 'correlation', fastify: '5.x' })
