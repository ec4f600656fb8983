import { hash } from 'node:crypto'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, flag, text, type OptionsShape } from '../checks/options.ts'
import { onAnswered } from './logging/answered.ts'
import { namedLogger } from './logging/named-logger.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A line is written for what the route does and for what it refuses. */
    audit?: boolean
  }
  interface FastifyRequest {
    /** What a route has done, asked for when its answer has left; null where it does nothing that is worth a line. */
    audit: AuditSource | null
  }
}

/** What was done. `complete` is false where the client went away before it had the answer. */
export type AuditSource = (complete: boolean) => AuditEntry | undefined

/** What one request did, or tried to. */
export interface AuditEntry {
  /** What was asked for. */
  action: string
  /** On what. */
  target?: string
  /** Only the names of its members and a keyed digest are written. */
  arguments?: unknown
  /** How it ended: `succeeded`, or in one word why not. */
  outcome: string
  /** Further fields of the line. */
  fields?: Readonly<Record<string, unknown>>
}

/** Who made a request, as far as is known. */
export interface AuditPrincipal {
  subject: string
  issuer?: string | undefined
  clientId?: string | undefined
  tokenId?: string | undefined
}

export interface AuditOptions {
  /** Keys the digests of arguments: short values could be guessed from plain ones. */
  secret: string
  /** Whether lines are written. */
  enabled?: boolean
  /** Who makes a request. */
  principalOf?: (request: FastifyRequest) => AuditPrincipal | null | undefined
}

const optionsSchema = z.strictObject({
  secret: text(),
  enabled: flag().default(true),
  principalOf: callback<NonNullable<AuditOptions['principalOf']>>().default(() => () => undefined)
} satisfies OptionsShape<AuditOptions>)

/** Names of arguments that are written at most. */
const maxNames = 32
const plainName = /^[\w.-]{1,64}$/

/** What a status says where nothing else is known of a refusal. */
const refusals: ReadonlyMap<number, string> = new Map([[401, 'unauthenticated'], [403, 'forbidden'], [429, 'rate_limited'], [503, 'overloaded']])

/** The word that an error has for why a request was refused. */
function reasonOf (error: Error): string | undefined {
  if ('failure' in error && typeof error.failure === 'string') return error.failure
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The construction of HMAC (RFC 2104) from one-shot hashes: Node's own takes ten times as long to take its key in. */
function keyedDigest (key: string, text: string): string {
  return hash('sha256', key + hash('sha256', key + text), 'base64url')
}

/**
 * Writes who did what, and who was refused what, one line for each request of the routes that ask for it
 * (`config: { audit: true }`). The lines are there whatever the level of the log, under `"logger": "audit"`.
 */
const audit: FastifyPluginAsync<AuditOptions> = async (app, options) => {
  const { secret, enabled, principalOf } = checkOptions('audit', optionsSchema, options, ['secret'])
  app.decorateRequest('audit', null)
  if (!enabled) return
  const key = hash('sha256', `audit ${secret}`)
  const log = namedLogger(app.log.child({}, { level: 'info' }), 'audit')
  const reasons = new WeakMap<FastifyRequest, string>()

  function digested (value: unknown): Record<string, unknown> {
    if (value === undefined) return {}
    const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
    return {
      args_keys: names.slice(0, maxNames).filter((name) => plainName.test(name)),
      args_sha256: keyedDigest(key, JSON.stringify(value))
    }
  }

  function write (request: FastifyRequest, reply: FastifyReply, complete: boolean): void {
    const entry = request.audit?.(complete)
    const { statusCode: status } = reply.raw
    const refused = status >= 400 && status !== 404 && status !== 405
    if (entry === undefined && !refused) return
    const who = principalOf(request)
    const reason = refused ? reasons.get(request) : undefined
    log.info({
      event: refused ? 'mcp.refusal' : 'mcp.call',
      correlation_id: request.id,
      decision: refused ? 'deny' : 'allow',
      ...(entry === undefined ? {} : { action: entry.action, target: entry.target, ...digested(entry.arguments) }),
      outcome: !refused ? entry?.outcome : reason === 'scope' ? 'insufficient_scope' : refusals.get(status) ?? 'malformed',
      reason,
      ...entry?.fields,
      issuer: who?.issuer,
      subject: who?.subject,
      client_id: who?.clientId,
      token_sha256: who?.tokenId === undefined ? undefined : hash('sha256', who.tokenId, 'base64url'),
      remote_address: request.ip,
      status,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10
    }, 'audit')
  }

  app.addHook('onRequest', (request, reply, next) => {
    if (request.routeOptions.config.audit === true) onAnswered(request, reply, (complete) => { write(request, reply, complete) })
    next()
  })
  app.addHook('onError', (request, _reply, error, next) => {
    const reason = reasonOf(error)
    if (reason !== undefined) reasons.set(request, reason)
    next()
  })
}

export default fp(audit, { name: 'audit', fastify: '5.x' })
