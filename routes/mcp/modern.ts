import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  PROTOCOL_VERSION_META_KEY,
  Server,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type MessageClassification,
  type MessageExtraInfo,
  type ServerContext
} from '@modelcontextprotocol/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { anonymous } from '../../plugins/auth/index.ts'
import type { WayToAsk } from '../../plugins/catalog/definition.ts'
import { askingState, InputNeeded, withResponses, type AskingState } from './asking.ts'
import { declaresTasks, missingFor, tasksExtension } from './capabilities.ts'
import { Exchange } from './exchange.ts'
import { requestOf, type Incoming } from './incoming.ts'
import type { Call, Leg } from './leg.ts'
import { promptsPage, resourcesPage, templatesPage, toolsPage } from './lists.ts'
import { callTool, complete, getPrompt, readResource } from './methods.ts'
import type { Operation } from './operation.ts'
import { method, shapes, type Handle, type Method } from './params.ts'
import { errorCodes } from './protocol-error.ts'
import { refuse, type McpRequest } from './request.ts'
import type { Binding } from './sealed-state.ts'
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

const cacheHints = { 'server/discover': listCache }

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

/** What is asked to find out whether a client can be asked so. */
const ways: Readonly<Record<WayToAsk, string>> = { elicitation: 'elicitation/create', sampling: 'sampling/createMessage', roots: 'roots/list' }

type Meta = NonNullable<JSONRPCRequest['params']>['_meta']

function incoming ({ mcpReq }: ServerContext, meta: Meta): Incoming {
  const { id, signal } = mcpReq
  return {
    era: 'modern', id, signal, meta, notify: (notification) => mcpReq.notify(notification), canAsk: (way) => missingFor({ method: ways[way] }, meta) === undefined, takesTasks: declaresTasks(meta)
  }
}

/** What the handlers of one request need. */
interface Serving {
  call: Call
  ctx: ServerContext
  /** `_meta` of the request, envelope included. */
  meta: Meta
}

/** The state that a client has sent back, undefined where it has sent none. */
async function stateOf ({ sealed }: Leg, { mcpReq }: ServerContext, binding: Binding): Promise<AskingState | undefined | 'invalid'> {
  const sent = mcpReq.requestState()
  if (sent === undefined) return undefined
  const state = typeof sent === 'string' ? askingState.safeParse(await sealed.open(sent, binding)) : undefined
  return state?.success === true ? state.data : 'invalid'
}

/** Runs what may ask the user: with the answers that came back, and with the question as its result where one is open. */
async function asking (target: string, args: unknown, { call, ctx, meta }: Serving, run: (request: McpRequest) => Promise<object>): Promise<object> {
  const { leg, principal } = call
  const binding = { principal: principal.key, method: ctx.mcpReq.method, target, arguments: args }
  const own = requestOf(call, incoming(ctx, meta))
  const state = await stateOf(leg, ctx, binding)
  if (state === 'invalid') return refuse(own, errorCodes.invalidParams, 'Invalid or expired requestState', { reason: 'invalid_request_state' })
  try {
    return await run(state === undefined ? own : { ...own, answers: withResponses(state, ctx.mcpReq.inputResponses ?? {}) })
  } catch (error) {
    if (!(error instanceof InputNeeded)) throw error
    for (const question of Object.values(error.requests)) {
      const missing = missingFor(question, meta)
      if (missing !== undefined) return refuse(own, errorCodes.missingClientCapability, 'This asks something that the client cannot be asked', { requiredCapabilities: missing })
    }
    return inputRequired({ inputRequests: error.requests, requestState: leg.sealed.seal(error.state, binding) })
  }
}

/** Methods of this revision. */
export const modernMethods: ReadonlyMap<string, Method<Serving>> = new Map([
  ['tools/list', method(shapes.list, ({ cursor }, { call }: Serving) => ({ ...toolsPage(call, cursor, false), ...listCache }))],
  ['tools/call', method(shapes.callTool, ({ name, arguments: args }, serving: Serving) => (
    asking(name, args, serving, (request) => callTool(serving.call.app, request, name, args))
  ))],
  ['resources/list', method(shapes.list, ({ cursor }, { call }: Serving) => ({ ...resourcesPage(call, cursor), ...listCache }))],
  ['resources/templates/list', method(shapes.list, ({ cursor }, { call }: Serving) => ({ ...templatesPage(call, cursor), ...listCache }))],
  ['resources/read', method(shapes.readResource, ({ uri }, serving: Serving) => asking(uri, undefined, serving, async (request) => {
    const { contents, cache } = await readResource(serving.call.app, request, uri)
    return { contents, ttlMs: cache.ttlMs, cacheScope: cache.scope }
  }))],
  ['prompts/list', method(shapes.list, ({ cursor }, { call }: Serving) => ({ ...promptsPage(call, cursor), ...listCache }))],
  ['prompts/get', method(shapes.getPrompt, ({ name, arguments: args }, serving: Serving) => (
    asking(name, args, serving, (request) => getPrompt(serving.call.app, request, name, args))
  ))],
  ['completion/complete', method(shapes.complete, async ({ ref, argument, context }, { call, ctx, meta }: Serving) => ({
    completion: await complete(call.app, requestOf(call, incoming(ctx, meta)), ref, argument, context?.arguments ?? {})
  }))],
  ['tasks/get', method(shapes.task)],
  ['tasks/update', method(shapes.updateTask)],
  ['tasks/cancel', method(shapes.task)]
])

/**
 * A server for one request. What is ours is the handler for what the SDK has none for: one that is registered would
 * look at parameters and results twice more, which costs as much as the rest of making a server.
 */
function serverFor (call: Call, revision: string, meta: Meta, handle: Handle<Serving> | undefined): Server {
  const server = new RevisionServer(call.leg.info, revision)
  if (handle !== undefined) server.fallbackRequestHandler = async (_request, ctx) => ({ ...await handle({ call, ctx, meta }) })
  return server
}

/**
 * What a server is shown of a request whose envelope and parameters were found valid: what it still takes from them,
 * and of the envelope as much as it asks for. It would look through the whole of both again.
 */
function shown (message: JSONRPCRequest, revision: string): JSONRPCRequest {
  const { requestState, inputResponses } = message.params ?? {}
  return {
    ...message,
    params: {
      _meta: { [PROTOCOL_VERSION_META_KEY]: revision, [CLIENT_CAPABILITIES_META_KEY]: {} },
      ...(requestState === undefined ? {} : { requestState }),
      ...(inputResponses === undefined ? {} : { inputResponses })
    }
  }
}

/**
 * Serves one message of revision 2026-07-28, which has no handshake, with a server of its own. The reply must have
 * been hijacked, and headers must have been checked.
 */
export async function serveModern (app: FastifyInstance, leg: Leg, request: FastifyRequest, reply: FastifyReply, operation: Operation, message: JSONRPCRequest | JSONRPCNotification, classification: MessageClassification, handle: Handle<Serving> | undefined): Promise<void> {
  const call: Call = { app, leg, request, principal: request.principal ?? anonymous, operation }
  const { revision = '' } = classification
  const meta = 'id' in message ? message.params?._meta : undefined
  const server = serverFor(call, revision, meta, handle)
  if (message.method.startsWith('tasks/')) addTaskMethods(app, server, (ctx) => requestOf(call, incoming(ctx, meta)))
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
  exchange.receive('id' in message && handle !== undefined ? shown(message, revision) : message, { classification })
}
