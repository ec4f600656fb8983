import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import { isRecord } from '../../checks/records.ts'
import { anonymous, AuthError } from '../../plugins/auth/index.ts'
import type { CallIdentity } from '../../plugins/django/index.ts'
import { onAnswered } from '../../plugins/logging/answered.ts'
import { namedLogger } from '../../plugins/logging/named-logger.ts'
import { RateLimitError } from '../../plugins/rate-limit/index.ts'
import { auditSource } from './audit.ts'
import { BodyError, takeJsonOnly } from './body.ts'
import { Cancelling } from './cancelling.ts'
import { UnreadMessage } from './exchange.ts'
import { KnownEnvelopes } from './known-envelopes.ts'
import type { ExtendLegacy, Leg } from './leg.ts'
import { ListenStreams, TooManyStreams } from './listen.ts'
import { legacyRevisions } from './legacy.ts'
import { scopesFor } from './methods.ts'
import { modernRevisions } from './modern.ts'
import { Operation } from './operation.ts'
import { errorCodes } from './protocol-error.ts'
import { headerOf, routeOf, type Refusal, type Route } from './routing.ts'
import { SealedState } from './sealed-state.ts'
import { taskScopes } from './tasks/index.ts'
import { MemoryUses, SharedUses } from './uses.ts'

export interface McpOptions {
  /** What the server calls itself. */
  server: { name: string, version: string }
  /** Origins of web pages that may call, or `*`. Requests without Origin do not come from a page. */
  allowedOrigins: readonly string[]
  /** A secret that all replicas share: what travels through a client between a question and its answer is sealed with it. */
  stateSecret: string
  /** Where it is remembered what was used once; in this process where it is left out. */
  redis?: Redis | undefined
  /** Seconds that one call may take. */
  timeout: number
  /** How Django is told whom a request is made for. */
  identityOf: (request: FastifyRequest) => CallIdentity | undefined
  /**
   * For what scenarios of the conformance suite expect of the older revisions and a server without sessions cannot
   * honour: a log level that lasts, a subscription. Nothing else sets it, so that nothing is advertised in vain.
   * @internal
   */
  extendLegacy?: ExtendLegacy | undefined
}

/** Errors that Fastify answers before a message is read, in the words of JSON-RPC. */
const transportErrors = new Map([
  [400, { code: errorCodes.parseError, message: 'Parse error: the body is not valid JSON' }],
  [413, { code: errorCodes.invalidRequest, message: 'The body is too large' }],
  [415, { code: errorCodes.invalidRequest, message: 'The Content-Type must be application/json' }]
])

/** The id that an answer to a message carries, null where it has none that can be read. */
function idOf (body: Readonly<Record<string, unknown>>): string | number | null {
  const { id, method } = body
  return typeof method === 'string' && (typeof id === 'string' || typeof id === 'number') ? id : null
}

function revisionLabel (revision: string | undefined): string {
  if (revision === undefined) return ''
  return legacyRevisions.has(revision) || modernRevisions.includes(revision) ? revision : '_other'
}

function errorBody (correlationId: string, { code, message, id = null, data }: Omit<Refusal, 'status'>) {
  return { jsonrpc: '2.0', id, error: { code, message, data: { ...(isRecord(data) ? data : {}), correlation_id: correlationId } } }
}

async function refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<void> {
  request.log.info({ status: refusal.status, code: refusal.code }, 'message refused')
  await reply.code(refusal.status).send(errorBody(request.id, refusal))
}

/** Hands over headers that hooks have set, since a hijacked reply does not pass through Fastify any more. */
function handOver (reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  reply.hijack()
}

/** Counts a request from here until its answer has left or its client is gone. */
function measure (app: FastifyInstance, request: FastifyRequest, reply: FastifyReply, operation: Operation): void {
  app.instruments.inFlight.inc()
  onAnswered(request, reply, (complete) => {
    app.instruments.inFlight.dec()
    operation.end(app.instruments, complete)
  })
}

/** Answers in the place of a leg, after Fastify has let go of the reply. */
function answerRaw (request: FastifyRequest, { raw }: FastifyReply, { status, ...error }: Refusal): void {
  if (raw.headersSent) raw.destroy()
  else raw.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(errorBody(request.id, error)))
}

/** Serves a message by one of the legs. What they did not expect becomes an answer without a word of it. */
async function hand (request: FastifyRequest, reply: FastifyReply, operation: Operation, serve: () => Promise<void>): Promise<void> {
  handOver(reply)
  // The client may be gone already, and nothing would tell a leg so: what nobody waits for is not begun.
  if (reply.raw.destroyed) return
  try {
    await serve()
  } catch (error) {
    const id = isRecord(request.body) ? idOf(request.body) : null
    if (error instanceof UnreadMessage) {
      operation.protocolFailure(errorCodes.invalidRequest)
      answerRaw(request, reply, { status: 400, code: errorCodes.invalidRequest, message: 'The body must be a JSON-RPC message', id })
      return
    }
    if (error instanceof TooManyStreams) {
      operation.refused('throttled')
      answerRaw(request, reply, { status: 429, code: errorCodes.internalError, message: 'Too many subscription streams are open', id })
      return
    }
    request.log.error({ err: error }, 'serving an MCP request failed')
    operation.protocolFailure(errorCodes.internalError)
    answerRaw(request, reply, { status: 500, code: errorCodes.internalError, message: 'Internal error', id })
  }
}

async function receive (app: FastifyInstance, leg: Leg, streams: ListenStreams, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { body } = request
  const method = isRecord(body) && typeof body.method === 'string' ? body.method : undefined
  const operation = new Operation(method, revisionLabel(headerOf(request, 'mcp-protocol-version')))
  measure(app, request, reply, operation)
  const params = isRecord(body) && isRecord(body.params) ? body.params : {}
  if (method !== undefined) {
    request.audit = auditSource(app, operation, method, params)
    request.logFields = operation.logFields(method === 'tools/call' ? params.name : undefined)
  }

  const route: Route = isRecord(body)
    ? routeOf(app, leg, streams, request, reply, body)
    // Batches were part of one revision only and are gone from it; limits and scopes are kept for one message a request.
    : { refusal: { status: 400, code: errorCodes.invalidRequest, message: Array.isArray(body) ? 'Batches are not supported: send one message a request' : 'The body must be a JSON-RPC message' } }
  if ('refusal' in route) {
    operation.protocolFailure(route.refusal.code)
    await refuse(request, reply, { id: isRecord(body) ? idOf(body) : null, ...route.refusal })
    return
  }
  try {
    // Decided here, while the status can still be 403: inside the answer it would be too late. And not before, so that
    // a client hears of all scopes at once: those that every call needs, and those of this one.
    const principal = request.principal ?? anonymous
    await app.requireScopes(request, reply, method?.startsWith('tasks/') === true ? await taskScopes(app, principal, params) : scopesFor(app, principal, method, params))
    const cost = method === 'tools/call' && typeof params.name === 'string' ? app.catalog.tool(params.name)?.cost ?? 1 : 1
    if (cost > 1) await app.limits.charge(request, reply, cost - 1)
  } catch (error) {
    operation.refused(error instanceof RateLimitError ? 'throttled' : 'forbidden')
    throw error
  }
  await hand(request, reply, operation, () => route.serve(operation))
}

/**
 * The MCP endpoint over stateless Streamable HTTP (basic/transports). One scope holds the limits, the Origin check,
 * authentication and the routes, so that nothing reaches a route around them.
 */
const mcp: FastifyPluginAsync<McpOptions> = async (app, { server, allowedOrigins, stateSecret, redis, timeout, identityOf, extendLegacy }) => {
  const log = namedLogger(app.log, 'mcp')
  const sealed = new SealedState(stateSecret, redis === undefined ? new MemoryUses() : new SharedUses(redis, log))
  const leg: Leg = { info: server, sealed, cancelling: new Cancelling(), envelopes: new KnownEnvelopes(), timeout, identityOf, extendLegacy }
  const streams = new ListenStreams({ info: server, log, isRevoked: app.isRevoked })
  app.catalogs.onChange(() => { streams.announceChange() })
  // Before the server waits for its connections to end, which streams do not do by themselves.
  app.addHook('preClose', () => streams.close())
  const anyOrigin = allowedOrigins.includes('*')

  app.addHook('onRequest', app.limits.address)
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    // DNS rebinding: a page that made a browser take us for its own host still names itself here.
    if (origin === undefined || anyOrigin || allowedOrigins.includes(origin)) return
    await reply.code(403).send({ error: 'Forbidden', message: 'Requests from this origin are not allowed.' })
  })

  takeJsonOnly(app)

  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AuthError || error instanceof RateLimitError) throw error
    if (error instanceof BodyError) return refuse(request, reply, { status: error.statusCode, code: error.code, message: error.message })
    const status = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
    const known = transportErrors.get(status)
    if (known === undefined) throw error
    return refuse(request, reply, { status, ...known })
  })

  app.route({
    method: ['GET', 'DELETE', 'PUT', 'PATCH'],
    url: '/mcp',
    config: { audit: true },
    async handler (_request, reply) {
      // No stream to open and no session to end (basic/transports, "Listening for Messages" and "Session Management").
      reply.code(405).header('Allow', 'POST')
      return { error: 'Method not allowed', message: 'This MCP endpoint takes POST only.' }
    }
  })

  await app.register(async (authenticated) => {
    authenticated.addHook('onRequest', authenticated.identify)
    authenticated.addHook('onRequest', authenticated.limits.principal)
    authenticated.post('/mcp', { config: { audit: true } }, async (request, reply) => { await receive(app, leg, streams, request, reply) })
  })
}

export default mcp
