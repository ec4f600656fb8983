import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { AuthError } from '../../plugins/auth/index.ts'
import { onAnswered } from '../../plugins/logging/answered.ts'
import { RateLimitError } from '../../plugins/rate-limit/index.ts'
import { serveLegacy, type ServerInfo } from './legacy.ts'
import { scopesFor } from './methods.ts'
import { Operation } from './operation.ts'
import { errorCodes } from './protocol-error.ts'

export interface McpOptions {
  /** What the server calls itself in the handshake. */
  server: ServerInfo
  /** Origins of web pages that may call, or `*`. Requests without Origin do not come from a page. */
  allowedOrigins: readonly string[]
}

/** Revisions that may become a label value. */
const revisions = new Set(['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])

interface JsonRpcError {
  jsonrpc: '2.0'
  id: null
  error: { code: number, message: string, data: { correlation_id: string } }
}

function jsonRpcError (code: number, message: string, correlationId: string): JsonRpcError {
  return { jsonrpc: '2.0', id: null, error: { code, message, data: { correlation_id: correlationId } } }
}

/** Errors that Fastify answers before a message is read, in the words of JSON-RPC. */
const transportErrors = new Map([
  [400, { code: errorCodes.parseError, message: 'Parse error: the body is not valid JSON' }],
  [413, { code: errorCodes.invalidRequest, message: 'The body is too large' }],
  [415, { code: errorCodes.invalidRequest, message: 'The Content-Type must be application/json' }]
])

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function revisionOf (request: FastifyRequest): string {
  const header = request.headers['mcp-protocol-version']
  return typeof header !== 'string' ? '' : revisions.has(header) ? header : '_other'
}

/** Hands over headers that hooks have set, since a hijacked reply does not pass through Fastify any more. */
function handOver (reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  reply.hijack()
}

async function serve (app: FastifyInstance, server: ServerInfo, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { body } = request
  const method = isRecord(body) && typeof body.method === 'string' ? body.method : undefined
  const params = isRecord(body) && isRecord(body.params) ? body.params : {}

  // Batches were part of one revision only and are gone from it; limits and scopes are kept for one message a request.
  if (!isRecord(body)) {
    reply.code(400)
    await reply.send(jsonRpcError(errorCodes.invalidRequest, Array.isArray(body) ? 'Batches are not supported: send one message a request' : 'The body must be a JSON-RPC message', request.id))
    return
  }
  // Decided here, while the status can still be 403: inside the SDK's answer it would be too late.
  if (method !== undefined) await app.requireScopes(request, reply, scopesFor(app, method, params))

  const operation = new Operation(method, revisionOf(request))
  app.instruments.inFlight.inc()
  onAnswered(request, reply, (complete) => {
    app.instruments.inFlight.dec()
    operation.end(app.instruments, complete)
  })
  handOver(reply)
  try {
    await serveLegacy(app, server, request, reply, operation)
  } catch (error) {
    request.log.error({ err: error }, 'serving an MCP request failed')
    if (reply.raw.headersSent) reply.raw.destroy()
    else reply.raw.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(jsonRpcError(errorCodes.internalError, 'Internal error', request.id)))
  }
}

/**
 * The MCP endpoint over stateless Streamable HTTP (basic/transports). One scope holds the Origin check, the limits,
 * authentication and the routes, so that nothing reaches a route around them.
 */
const mcp: FastifyPluginAsync<McpOptions> = async (app, { server, allowedOrigins }) => {
  const anyOrigin = allowedOrigins.includes('*')

  app.addHook('onRequest', app.limits.address)
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    // DNS rebinding: a page that made a browser take us for its own host still names itself here.
    if (origin === undefined || anyOrigin || allowedOrigins.includes(origin)) return
    await reply.code(403).send({ error: 'Forbidden', message: 'Requests from this origin are not allowed.' })
  })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))

  app.setErrorHandler((error, request, reply) => {
    if (error instanceof AuthError || error instanceof RateLimitError) throw error
    const status = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
    const known = transportErrors.get(status)
    if (known === undefined) throw error
    request.log.info({ status, reason: known.message }, 'request refused')
    reply.code(status).send(jsonRpcError(known.code, known.message, request.id))
  })

  app.route({
    method: ['GET', 'DELETE'],
    url: '/mcp',
    async handler (_request, reply) {
      // No stream to open and no session to end (basic/transports, "Listening for Messages" and "Session Management").
      reply.code(405).header('Allow', 'POST')
      return { error: 'Method not allowed', message: 'This MCP endpoint takes POST only.' }
    }
  })

  await app.register(async (authenticated) => {
    authenticated.addHook('onRequest', authenticated.authenticate)
    authenticated.addHook('onRequest', authenticated.limits.principal)
    authenticated.post('/mcp', async (request, reply) => { await serve(app, server, request, reply) })
  })
}

export default mcp
