import { isIP } from 'node:net'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { fieldCount } from '../checks/fields.ts'
import { callback, checkOptions, list, type OptionsShape } from '../checks/options.ts'
import { isHostName } from '../checks/urls.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route answers whatever host a request names: for probes, which may name any. */
    anyHost?: boolean
  }
}

export interface HostOptions {
  /** Names under which clients reach this service, without ports, or `['*']` for any. */
  names: readonly string[]
  /** Told of every refusal before it is sent; what it throws is sent in its place. */
  onRefused?: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
}

const name = 'a host name without port, or *'

const optionsSchema = z.strictObject({
  names: list(z.string(name).refine((text) => text === '*' || isHostName(text), name), 'a list of host names'),
  onRefused: callback<NonNullable<HostOptions['onRefused']>>().optional()
} satisfies OptionsShape<HostOptions>)

/** uri-host and port of a Host field (RFC 9110 §7.2); user information is no part of it. */
const hostField = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i

/**
 * Refuses requests for hosts that this service is not. A page whose name is made to resolve to our address (DNS
 * rebinding) is same-origin with us for its browser, but names its own host. An address and `localhost` cannot be
 * rebound, so they are always served.
 */
const host: FastifyPluginAsync<HostOptions> = async (app, options) => {
  const { names, onRefused } = checkOptions('host', optionsSchema, options)
  const allowed = new Set(['localhost', ...names.map((name) => name.toLowerCase())])
  const any = allowed.has('*')
  let lastServed: string | undefined

  function isServed (value: string): boolean {
    // Nearly always the same one again.
    if (value === lastServed) return true
    const name = hostField.exec(value)?.[1]?.toLowerCase()
    if (name === undefined || !(any || allowed.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0)) return false
    lastServed = value
    return true
  }

  async function refuse (request: FastifyRequest, reply: FastifyReply, next: HookHandlerDoneFunction, status: number, body: { error: string, message: string }): Promise<void> {
    try {
      await onRefused?.(request, reply)
    } catch (error) {
      next(error instanceof Error ? error : new Error('a refusal failed', { cause: error }))
      return
    }
    reply.code(status).send(body)
  }

  app.addHook('onRequest', (request, reply, next) => {
    if (request.routeOptions.config.anyHost === true) {
      next()
      return
    }
    const value = request.raw.headers.host
    // Node takes the first of several; a proxy in front of us may have routed by another (RFC 9112 §3.2).
    if (value === undefined || fieldCount(request.raw.rawHeaders, 'host') !== 1) {
      void refuse(request, reply, next, 400, { error: 'Bad Request', message: 'A request must have one Host header.' })
      return
    }
    // A target that is a whole URL goes before the header (RFC 9112 §3.2.2).
    const target = request.originalUrl.startsWith('/') ? value : URL.parse(request.originalUrl)?.host ?? value
    if (isServed(target) && (target === value || isServed(value))) {
      next()
      return
    }
    request.log.info({ host: target.slice(0, 255) }, 'a request for another host was refused')
    void refuse(request, reply, next, 403, { error: 'Forbidden', message: 'This service does not answer for this host.' })
  })
}

export default fp(host, { name: 'host', fastify: '5.x' })
