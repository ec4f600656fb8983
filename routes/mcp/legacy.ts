import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  SUPPORTED_PROTOCOL_VERSIONS,
  type JSONRPCMessage,
  type MessageExtraInfo,
  type ServerNotification,
  type ServerRequest
} from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isRecord } from '../../checks/records.ts'
import { CallError } from '../../errors.ts'
import { anonymous } from '../../plugins/auth/index.ts'
import { InputNeeded } from './asking.ts'
import { confirmationProblems, question, withoutConfirmation } from './confirmation.ts'
import { Exchange } from './exchange.ts'
import { requestOf, type Incoming } from './incoming.ts'
import type { Call, Leg } from './leg.ts'
import { promptsPage, resourcesPage, templatesPage, toolsPage } from './lists.ts'
import { callTool, complete, failedCall, getPrompt, readResource } from './methods.ts'
import type { Operation } from './operation.ts'
import { method, shapes, type Handle, type Method } from './params.ts'
import { errorCodes, ProtocolError } from './protocol-error.ts'

// The SDK makes one a server otherwise, and with it an Ajv: that alone costs more than the rest of a request.
const jsonSchemaValidator = new AjvJsonSchemaValidator()

// What a server without sessions cannot do is not advertised: it has no way to push a change or a log line.
const capabilities = { tools: {}, resources: {}, prompts: {}, completions: {} }

/** Revisions that this leg serves. */
export const legacyRevisions: ReadonlySet<string> = new Set(SUPPORTED_PROTOCOL_VERSIONS)

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

function incoming ({ requestId, signal, _meta, sendNotification }: Extra): Incoming {
  return { era: 'legacy', id: requestId, signal, meta: _meta, notify: sendNotification, canAsk: () => false, takesTasks: false }
}

/** What the handlers of one request need. */
interface Serving {
  call: Call
  extra: Extra
}

/** What a prompt or a resource that asks comes to, where there is nobody to ask. */
function cannotAsk (error: unknown, request: FastifyRequest): never {
  if (!(error instanceof InputNeeded)) throw error
  throw new ProtocolError(errorCodes.invalidRequest, 'This needs a client that it can ask, of protocol revision 2026-07-28 or later', { correlation_id: request.id })
}

async function callAsking ({ name, arguments: given }: z.output<typeof shapes.callTool>, { call, extra }: Serving): Promise<object> {
  const { app, leg: { sealed }, principal } = call
  const own = requestOf(call, incoming(extra))
  const bindingOf = (args: unknown) => ({ principal: principal.key, method: 'tools/call', target: name, arguments: args })
  const asks = app.catalog.tool(name)?.asks === true
  const problems = asks ? confirmationProblems(given) : []
  if (problems.length > 0) {
    call.operation.calls(name)
    return failedCall(own, name, new CallError('invalid_input', 'The arguments are not valid.', { problems }))
  }
  const { args, answers } = asks ? await withoutConfirmation(given ?? {}, sealed, bindingOf) : { args: given, answers: {} }
  try {
    // The one way of asking for which there is a detour.
    return await callTool(app, { ...own, answers, canAsk: (way) => way === 'elicitation' }, name, args)
  } catch (error) {
    if (error instanceof InputNeeded) return question(error, sealed, bindingOf(args))
    throw error
  }
}

/** Methods of these revisions. */
export const legacyMethods: ReadonlyMap<string, Method<Serving>> = new Map([
  ['initialize', method(shapes.initialize)],
  ['tools/list', method(shapes.list, ({ cursor }, { call }: Serving) => toolsPage(call, cursor, true))],
  ['tools/call', method(shapes.callTool, callAsking)],
  ['resources/list', method(shapes.list, ({ cursor }, { call }: Serving) => resourcesPage(call, cursor))],
  ['resources/templates/list', method(shapes.list, ({ cursor }, { call }: Serving) => templatesPage(call, cursor))],
  ['resources/read', method(shapes.readResource, async ({ uri }, { call, extra }: Serving) => {
    const { contents } = await readResource(call.app, requestOf(call, incoming(extra)), uri).catch((error: unknown) => cannotAsk(error, call.request))
    return { contents }
  })],
  ['prompts/list', method(shapes.list, ({ cursor }, { call }: Serving) => promptsPage(call, cursor))],
  ['prompts/get', method(shapes.getPrompt, ({ name, arguments: args }, { call, extra }: Serving) => (
    getPrompt(call.app, requestOf(call, incoming(extra)), name, args).catch((error: unknown) => cannotAsk(error, call.request))
  ))],
  ['completion/complete', method(shapes.complete, async ({ ref, argument, context }, { call, extra }: Serving) => ({
    completion: await complete(call.app, requestOf(call, incoming(extra)), ref, argument, context?.arguments ?? {})
  }))]
])

/**
 * A server for one request. What is ours is the handler for what the SDK has none for: one that is registered would
 * look at parameters and results once more, which costs as much as the rest of making a server.
 */
function serverFor (call: Call, handle: Handle<Serving> | undefined): Server {
  const server = new Server(call.leg.info, { capabilities, jsonSchemaValidator })
  if (handle !== undefined) server.fallbackRequestHandler = async (_request, extra) => ({ ...await handle({ call, extra }) })
  return server
}

function isId (id: unknown): boolean {
  return typeof id === 'string' || Number.isInteger(id)
}

/** Whether a body can be a message, as far as has to be known to answer it; the SDK looks at the rest. */
function isMessage (body: object): body is JSONRPCMessage {
  if (!('jsonrpc' in body) || body.jsonrpc !== '2.0') return false
  return 'method' in body ? typeof body.method === 'string' && (!('id' in body) || isId(body.id)) : 'id' in body && ('result' in body || 'error' in body)
}

/**
 * A request without what asks for a task in revision 2025-11-25: whoever does not declare tasks is to pass that over
 * (basic/utilities/tasks, "Capability Negotiation"). The SDK would refuse it.
 */
function withoutTask (message: JSONRPCMessage): JSONRPCMessage {
  if (!('method' in message) || !isRecord(message.params) || !Object.hasOwn(message.params, 'task')) return message
  const { task: _task, ...params } = message.params
  return { ...message, params }
}

const cancellation = z.object({ requestId: z.union([z.string(), z.number()]) })

/** Id of the request that a message cancels; undefined for a message that does not. */
function cancelledId (message: JSONRPCMessage): string | number | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined
  return cancellation.safeParse(message.params).data?.requestId
}

/** What a request of these revisions must accept; several clients send only one of them by mistake. */
function acceptsBoth (accept: string | undefined): boolean {
  // Case does not matter in types (RFC 9110 §8.3.1).
  return accept !== undefined && /application\/json/i.test(accept) && /text\/event-stream/i.test(accept)
}

/** Why a message is not served, with the HTTP status that says so; undefined where it is. */
export function legacyRefusal (request: FastifyRequest, body: object): { status: number, code: number, message: string } | undefined {
  const version = request.headers['mcp-protocol-version']
  if (!acceptsBoth(request.headers.accept)) return { status: 406, code: errorCodes.serverError, message: 'Not Acceptable: the client must accept both application/json and text/event-stream' }
  if (!isMessage(body)) return { status: 400, code: errorCodes.invalidRequest, message: 'The body must be a JSON-RPC message' }
  if (typeof version === 'string' && !legacyRevisions.has(version) && !('method' in body && body.method === 'initialize')) {
    return { status: 400, code: errorCodes.serverError, message: `Unsupported protocol version (supported: ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')})` }
  }
  return undefined
}

/**
 * Serves one message of the revisions up to 2025-11-25 with a server of its own: nothing is shared between two
 * requests, so nothing can cross from one caller to another. The reply must have been hijacked.
 */
export async function serveLegacy (app: FastifyInstance, leg: Leg, request: FastifyRequest, reply: FastifyReply, operation: Operation, body: object, handle: Handle<Serving> | undefined): Promise<void> {
  if (!isMessage(body)) throw new Error('not a JSON-RPC message')
  const { cancelling } = leg
  const cancelled = cancelledId(body)
  if (cancelled !== undefined) cancelling.cancel(request, cancelled)
  const server = serverFor({ app, leg, request, principal: request.principal ?? anonymous, operation }, handle)
  const requestId = 'method' in body && 'id' in body ? body.id : undefined
  const exchange = new Exchange<JSONRPCMessage, MessageExtraInfo>({
    response: reply.raw,
    requestId,
    correlationId: request.id,
    closing: app.draining,
    onUnforeseen (error) { request.log.error({ reason: error.message }, 'serving an MCP request failed') },
    onError (code) {
      operation.protocolFailure(code)
      // Errors stay inside the answer of these revisions.
      return 200
    }
  })
  leg.extendLegacy?.(server, request)
  server.onerror = (error) => {
    // Only how it begins: the rest may be the whole message.
    request.log.debug({ reason: error.message.split(':')[0] }, 'MCP server reported an error')
    exchange.reported()
  }
  if (requestId !== undefined) {
    reply.raw.once('close', cancelling.watch(request, requestId, () => {
      operation.failed(new CallError('cancelled', 'The client has cancelled the request.'))
      exchange.cancel()
    }))
  }
  await server.connect(exchange)
  exchange.receive(withoutTask(body))
}
