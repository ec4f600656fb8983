import { classifyInboundRequest, PROTOCOL_VERSION_META_KEY as protocolVersionKey, type JSONRPCNotification, type JSONRPCRequest, type MessageClassification } from '@modelcontextprotocol/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isRecord } from '../../checks/records.ts'
import { anonymous, grants } from '../../plugins/auth/index.ts'
import type { ParameterHeader } from '../../plugins/catalog/parameter-headers.ts'
import { declaresTasks, tasksRequired } from './capabilities.ts'
import { contradiction, parameterHeaderProblem, standardHeaderProblem } from './headers.ts'
import type { Leg } from './leg.ts'
import { legacyMethods, legacyRefusal, legacyRevisions, serveLegacy } from './legacy.ts'
import type { ListenStreams } from './listen.ts'
import { modernMethods, modernRevisions, serveModern } from './modern.ts'
import type { Operation } from './operation.ts'
import { method, shapes, type Handle, type Prepared } from './params.ts'
import { errorCodes } from './protocol-error.ts'

/** A message that is refused before any server of the SDK sees it. */
export interface Refusal {
  status: number
  code: number
  message: string
  id?: string | number | null
  data?: unknown
}

export function headerOf (request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Where a message goes: to the leg of its era, or nowhere. */
export type Route = { refusal: Refusal } | { serve: (operation: Operation) => Promise<void> }

/** Arguments of a tool that headers repeat; none of one that the caller may not know of, which is refused later like one that is not there. */
function headersOf ({ catalog }: FastifyInstance, { principal }: FastifyRequest, name: string): readonly ParameterHeader[] {
  const tool = catalog.tool(name)
  return tool !== undefined && grants(principal ?? anonymous, tool.scopes) ? tool.parameterHeaders : []
}

/** What headers and body of a message say differently; undefined where they agree. */
function headerRefusal (app: FastifyInstance, request: FastifyRequest, method: string, params: unknown, modern: boolean): Refusal | undefined {
  const fields = isRecord(params) ? params : {}
  const wanted = method === 'tools/call' && typeof fields.name === 'string' ? headersOf(app, request, fields.name) : []
  const problem = modern
    ? standardHeaderProblem(request.headers, method, fields) ?? parameterHeaderProblem(request.headers, wanted, fields.arguments)
    : contradiction(request.headers, method, fields, wanted)
  return problem === undefined ? undefined : { status: 400, code: errorCodes.headerMismatch, message: problem }
}

/** The route of a request whose parameters are what its method takes. */
function preparedRoute<Context> (prepared: Prepared<Context> | undefined, serve: (operation: Operation, handle: Handle<Context> | undefined) => Promise<void>): Route {
  return prepared !== undefined && 'problem' in prepared
    ? { refusal: { status: 200, code: errorCodes.invalidParams, message: prepared.problem } }
    : { serve: (operation) => serve(operation, prepared?.handle) }
}

function legacyRoute (app: FastifyInstance, leg: Leg, request: FastifyRequest, reply: FastifyReply, body: Record<string, unknown>): Route {
  const { method, params } = body
  const isRequest = typeof method === 'string' && 'id' in body
  const refusal = legacyRefusal(request, body) ?? (isRequest ? headerRefusal(app, request, method, params, false) : undefined)
  if (refusal !== undefined) return { refusal }
  return preparedRoute(isRequest ? legacyMethods.get(method)?.(params) : undefined, (operation, handle) => serveLegacy(app, leg, request, reply, operation, body, handle))
}

/**
 * Whether a message can only be one of the older revisions: it names no revision itself, and its header names none of
 * the newer ones. Looked at first, because the SDK's classification costs more than the rest of the way to a leg.
 */
function isPlainlyLegacy (body: Readonly<Record<string, unknown>>, version: string | undefined): boolean {
  if (version !== undefined && !legacyRevisions.has(version)) return false
  const meta = isRecord(body.params) ? body.params._meta : undefined
  return !isRecord(meta) || !(protocolVersionKey in meta)
}

function listenRoute (streams: ListenStreams, request: FastifyRequest, reply: FastifyReply, message: JSONRPCRequest): Route {
  const params = isRecord(message.params) ? message.params : {}
  // Tasks are not announced; but only who knows them may ask for that (SEP-2663, "Task Status Notifications").
  if (isRecord(params.notifications) && 'taskIds' in params.notifications && !declaresTasks(params._meta)) {
    return { refusal: { status: 400, code: errorCodes.missingClientCapability, message: 'Following tasks needs a client that supports them', data: tasksRequired } }
  }
  return preparedRoute(method(shapes.listen)(params), () => streams.serve(request, reply, message))
}

function modernRoute (app: FastifyInstance, leg: Leg, streams: ListenStreams, request: FastifyRequest, reply: FastifyReply, message: JSONRPCRequest | JSONRPCNotification, classification: MessageClassification): Route {
  const revision = classification.revision ?? 'unknown'
  if (!modernRevisions.includes(revision)) {
    return { refusal: { status: 400, code: errorCodes.unsupportedProtocolVersion, message: 'Unsupported protocol version', data: { supported: modernRevisions, requested: revision } } }
  }
  const serve = (operation: Operation, handle?: Parameters<typeof serveModern>[7]): Promise<void> => serveModern(app, leg, request, reply, operation, message, classification, handle)
  if (!('id' in message)) return { serve }
  const { method, params } = message
  const refusal = headerRefusal(app, request, method, params, true)
  if (refusal !== undefined) return { refusal }
  return method === 'subscriptions/listen' ? listenRoute(streams, request, reply, message) : preparedRoute(modernMethods.get(method)?.(params), serve)
}

/** Finds the era of a message, and refuses what neither serves. The caller may not be known to have the scopes yet. */
export function routeOf (app: FastifyInstance, leg: Leg, streams: ListenStreams, request: FastifyRequest, reply: FastifyReply, body: Record<string, unknown>): Route {
  const version = headerOf(request, 'mcp-protocol-version')
  if (isPlainlyLegacy(body, version)) return legacyRoute(app, leg, request, reply, body)
  const mcpMethod = headerOf(request, 'mcp-method')
  const plain = leg.envelopes.plainRequest(body, version, mcpMethod)
  if (plain !== undefined && version !== undefined) return modernRoute(app, leg, streams, request, reply, plain, { era: 'modern', revision: version })

  const mcpName = headerOf(request, 'mcp-name')
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(mcpMethod === undefined ? {} : { mcpMethodHeader: mcpMethod }),
    ...(mcpName === undefined ? {} : { mcpNameHeader: mcpName })
  })
  if (outcome.kind === 'reject') return { refusal: { status: outcome.httpStatus, code: outcome.code, message: outcome.message, data: outcome.data } }
  if (outcome.kind === 'legacy') return legacyRoute(app, leg, request, reply, body)
  if (outcome.messageKind === 'request' && outcome.classification.era === 'modern') leg.envelopes.add(body)
  return modernRoute(app, leg, streams, request, reply, outcome.message, outcome.classification)
}
