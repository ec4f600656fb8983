import {
  inputRequired,
  Server,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type MessageClassification,
  type MessageExtraInfo,
  type ServerContext
} from '@modelcontextprotocol/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { anonymous } from '../../plugins/auth/index.ts'
import type { WayToAsk } from '../../plugins/catalog/definition.ts'
import { askingState, InputNeeded, withResponses } from './asking.ts'
import { Exchange } from './exchange.ts'
import { requestOf, type Incoming } from './incoming.ts'
import type { Call, Leg } from './leg.ts'
import { promptsPage, resourcesPage, templatesPage, toolsPage } from './lists.ts'
import { callTool, complete, getPrompt, readResource } from './methods.ts'
import type { Operation } from './operation.ts'
import { errorCodes, ProtocolError } from './protocol-error.ts'
import type { McpRequest } from './request.ts'
import { declaresTasks, tasksExtension } from './tasks/capability.ts'
import { addTaskMethods } from './tasks/index.ts'

/** Revisions that this leg serves. */
export const modernRevisions: readonly string[] = ['2026-07-28']

/** What is advertised; changes are pushed on streams of `subscriptions/listen`. */
export const modernCapabilities = {
  tools: { listChanged: true },
  resources: { listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  extensions: { [tasksExtension]: {} }
}

/** Milliseconds for which lists may be kept. They depend on the caller's scopes, so they are nobody else's. */
const listCache = { ttlMs: 60_000, cacheScope: 'private' as const }

const cacheHints = {
  'server/discover': { ttlMs: 60_000, cacheScope: 'private' as const },
  'tools/list': listCache,
  'prompts/list': listCache,
  'resources/list': listCache,
  'resources/templates/list': listCache
}

/** HTTP status of JSON-RPC errors that are found before a handler runs; those of handlers stay inside a 200. */
const earlyStatus: ReadonlyMap<number, number> = new Map([
  [errorCodes.parseError, 400],
  [errorCodes.invalidRequest, 400],
  [errorCodes.methodNotFound, 404],
  [errorCodes.headerMismatch, 400],
  [errorCodes.missingClientCapability, 400],
  [errorCodes.unsupportedProtocolVersion, 400]
])

/** A server of one revision, which no handshake has to agree on. */
class RevisionServer extends Server {
  constructor (info: Leg['info'], revision: string) {
    super(info, { capabilities: modernCapabilities, cacheHints, supportedProtocolVersions: [...modernRevisions] })
    this._negotiatedProtocolVersion = revision
  }
}

const askable = z.object({
  'io.modelcontextprotocol/clientCapabilities': z.object({
    elicitation: z.object({ form: z.unknown().optional(), url: z.unknown().optional() }).optional(),
    sampling: z.unknown().optional(),
    roots: z.unknown().optional()
  })
})

/** Whether the client of a request says that it can be asked so. One that names no mode of elicitation takes forms. */
function declares (envelope: unknown, way: WayToAsk): boolean {
  const declared = askable.safeParse(envelope).data?.['io.modelcontextprotocol/clientCapabilities']
  if (way !== 'elicitation') return declared?.[way] !== undefined
  const { elicitation } = declared ?? {}
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

function incoming ({ mcpReq }: ServerContext): Incoming {
  const { id, signal, _meta, envelope } = mcpReq
  return {
    era: 'modern', id, signal, meta: _meta, notify: (notification) => mcpReq.notify(notification), canAsk: (way) => declares(envelope, way), takesTasks: declaresTasks(envelope)
  }
}

/** Runs what may ask the user: with the answers that came back, and with the question as its result where one is open. */
async function asking<Result extends object> (call: Call, ctx: ServerContext, target: string, args: unknown, run: (request: McpRequest) => Promise<Result>) {
  const { leg: { sealed }, request, principal, operation } = call
  const binding = { principal: principal.key, method: ctx.mcpReq.method, target, arguments: args }
  const sent = ctx.mcpReq.requestState<string>()
  const state = sent === undefined ? undefined : askingState.safeParse(await sealed.open(sent, binding))
  if (state?.success === false) {
    operation.protocolFailure(errorCodes.invalidParams)
    throw new ProtocolError(errorCodes.invalidParams, 'Invalid or expired requestState', { reason: 'invalid_request_state', correlation_id: request.id })
  }
  const answers = state?.data === undefined ? {} : withResponses(state.data, ctx.mcpReq.inputResponses ?? {})
  try {
    return await run({ ...requestOf(call, incoming(ctx)), answers })
  } catch (error) {
    if (!(error instanceof InputNeeded)) throw error
    return inputRequired({ inputRequests: error.requests, requestState: sealed.seal(error.state, binding) })
  }
}

/**
 * Puts the handler of a method on a server. A request has a server of its own, which gets the one handler that it
 * needs: the other seven would cost as much as the rest of making it.
 */
const handlers: Readonly<Record<string, (server: Server, call: Call) => void>> = {
  'tools/list' (server, call) {
    server.setRequestHandler('tools/list', ({ params }) => toolsPage(call, params?.cursor, false))
  },
  'tools/call' (server, call) {
    server.setRequestHandler('tools/call', ({ params }, ctx) => (
      asking(call, ctx, params.name, params.arguments, async (request) => ({ ...await callTool(call.app, request, params.name, params.arguments) }))
    ))
  },
  'resources/list' (server, call) {
    server.setRequestHandler('resources/list', ({ params }) => resourcesPage(call, params?.cursor))
  },
  'resources/templates/list' (server, call) {
    server.setRequestHandler('resources/templates/list', ({ params }) => templatesPage(call, params?.cursor))
  },
  'resources/read' (server, call) {
    server.setRequestHandler('resources/read', ({ params }, ctx) => asking(call, ctx, params.uri, undefined, async (request) => {
      const { contents, cache } = await readResource(call.app, request, params.uri)
      return { contents, ttlMs: cache.ttlMs, cacheScope: cache.scope }
    }))
  },
  'prompts/list' (server, call) {
    server.setRequestHandler('prompts/list', ({ params }) => promptsPage(call, params?.cursor))
  },
  'prompts/get' (server, call) {
    server.setRequestHandler('prompts/get', ({ params }, ctx) => (
      asking(call, ctx, params.name, params.arguments, async (request) => ({ ...await getPrompt(call.app, request, params.name, params.arguments) }))
    ))
  },
  'completion/complete' (server, call) {
    server.setRequestHandler('completion/complete', async ({ params }, ctx) => ({
      completion: await complete(call.app, requestOf(call, incoming(ctx)), params.ref, params.argument, params.context?.arguments ?? {})
    }))
  }
}

function serverFor (call: Call, revision: string, method: string): Server {
  const server = new RevisionServer(call.leg.info, revision)
  if (Object.hasOwn(handlers, method)) handlers[method]?.(server, call)
  return server
}

/**
 * Serves one message of revision 2026-07-28, which has no handshake, with a server of its own. The reply must have
 * been hijacked, and headers must have been checked.
 */
export async function serveModern (app: FastifyInstance, leg: Leg, request: FastifyRequest, reply: FastifyReply, operation: Operation, message: JSONRPCRequest | JSONRPCNotification, classification: MessageClassification): Promise<void> {
  const call: Call = { app, leg, request, principal: request.principal ?? anonymous, operation }
  const server = serverFor(call, classification.revision ?? '', message.method)
  if (message.method.startsWith('tasks/')) addTaskMethods(app, server, (ctx) => requestOf(call, incoming(ctx)))
  const exchange = new Exchange<JSONRPCMessage, MessageExtraInfo>({
    response: reply.raw,
    requestId: 'id' in message ? message.id : undefined,
    correlationId: request.id,
    closing: app.draining,
    onUnforeseen (error) { request.log.error({ reason: error.message }, 'serving an MCP request failed') },
    onError (code, early) {
      operation.protocolFailure(code)
      return early || code === errorCodes.missingClientCapability ? earlyStatus.get(code) ?? 200 : 200
    }
  })
  server.onerror = (error) => {
    // Only how it begins: the rest may be the whole message.
    request.log.debug({ reason: error.message.split(':')[0] }, 'MCP server reported an error')
    exchange.reported()
  }
  await server.connect(exchange)
  exchange.receive(message, { classification })
}
