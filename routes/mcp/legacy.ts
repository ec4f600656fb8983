import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CallToolRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type ServerNotification,
  type ServerRequest
} from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { anonymous } from '../../plugins/auth/index.ts'
import { callTool, readResource, type McpRequest } from './methods.ts'
import type { Operation } from './operation.ts'

export interface ServerInfo {
  name: string
  version: string
}

// The SDK makes one a server otherwise, and with it an Ajv: that alone costs more than the rest of a request.
const jsonSchemaValidator = new AjvJsonSchemaValidator()

// What a server without sessions cannot do is not advertised: it has no way to push a change or a log line.
const capabilities = { tools: {}, resources: {} }

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

function wantsProgress (body: unknown): boolean {
  if (typeof body !== 'object' || body === null || !('params' in body)) return false
  const { params } = body
  if (typeof params !== 'object' || params === null || !('_meta' in params)) return false
  const meta = params._meta
  return typeof meta === 'object' && meta !== null && 'progressToken' in meta
}

function requestOf (request: FastifyRequest, operation: Operation, { requestId, signal, _meta, sendNotification }: Extra): McpRequest {
  const progressToken = _meta?.progressToken
  return {
    id: requestId,
    correlationId: request.id,
    principal: request.principal ?? anonymous,
    signal,
    log: request.log,
    operation,
    async progress (progress, total, message) {
      if (progressToken === undefined) return
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, ...(total === undefined ? {} : { total }), ...(message === undefined ? {} : { message }) }
      })
    }
  }
}

function serverFor (app: FastifyInstance, info: ServerInfo, request: FastifyRequest, operation: Operation): Server {
  const server = new Server(info, { capabilities, jsonSchemaValidator })
  const principal = request.principal ?? anonymous

  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: app.catalog.toolListings(principal) }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => ({
    ...await callTool(app, requestOf(request, operation, extra), params.name, params.arguments)
  }))
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: app.catalog.resourceListings(principal) }))
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: app.catalog.templateListings(principal) }))
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }, extra) => await readResource(app, requestOf(request, operation, extra), params.uri))
  return server
}

/**
 * Serves one request of the revisions up to 2025-11-25 with a server and a transport of its own: nothing is shared
 * between two requests, so nothing can cross from one caller to another. The reply must have been hijacked.
 */
export async function serveLegacy (app: FastifyInstance, info: ServerInfo, request: FastifyRequest, reply: FastifyReply, operation: Operation): Promise<void> {
  const server = serverFor(app, info, request, operation)
  const transport = new StreamableHTTPServerTransport({
    // A single JSON answer has no room for notifications, so a stream is used where the client asked to be notified.
    enableJsonResponse: !wantsProgress(request.body)
  })
  server.onerror = (error) => { request.log.debug({ err: error }, 'MCP transport refused or failed') }
  // Closing aborts the handlers, and through their signal the requests to Django.
  reply.raw.once('close', () => { void server.close() })
  await server.connect(transport)
  await transport.handleRequest(request.raw, reply.raw, request.body)
}
