import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { CallError } from '../../errors.ts'
import type { Principal } from '../../plugins/auth/index.ts'
import { asCallError, errorText, type Resource, type ToolResult } from '../../plugins/catalog/index.ts'
import type { CallContext } from '../../plugins/catalog/definition.ts'
import { namedLogger } from '../../plugins/logging/named-logger.ts'
import type { Operation } from './operation.ts'
import { errorCodes, ProtocolError } from './protocol-error.ts'

/** One JSON-RPC request, whatever revision of the protocol it came in. */
export interface McpRequest {
  id: string | number
  correlationId: string
  principal: Principal
  signal: AbortSignal
  log: FastifyBaseLogger
  operation: Operation
  progress: CallContext['progress']
}

function contextOf (app: FastifyInstance, request: McpRequest, name: string): CallContext {
  const { id, correlationId, principal, signal, progress } = request
  const log = namedLogger(request.log, name)
  return { requestId: id, correlationId, principal, signal, progress, log, django: app.django.bind({ correlationId, signal, log }) }
}

/** Writes what the caller is not told. The caller's own mistakes are no news for an operator. */
function logFailure ({ log }: McpRequest, what: Record<string, string>, error: CallError): void {
  const fields = { ...what, error_kind: error.kind, django_status: error.status }
  if (error.kind === 'internal') log.error({ ...fields, err: error.cause ?? error }, 'call failed')
  else if (error.kind === 'unavailable' || error.kind === 'timeout' || error.kind === 'bad_response') log.warn({ ...fields, err: error.cause ?? error }, 'call failed')
  else log.info({ ...fields, reason: error.message }, 'call failed')
}

/**
 * `tools/call`. What goes wrong in the tool is a result that a model can read; only an unknown tool is a protocol error.
 * @throws {ProtocolError}
 */
export async function callTool (app: FastifyInstance, request: McpRequest, name: string, args: unknown): Promise<ToolResult> {
  const { operation, correlationId } = request
  const tool = app.catalog.tool(name)
  operation.calls(tool?.name)
  if (tool === undefined) {
    operation.protocolFailure(errorCodes.invalidParams)
    throw new ProtocolError(errorCodes.invalidParams, `Unknown tool: ${name.slice(0, 100)}`, { correlation_id: correlationId })
  }
  try {
    const result = await tool.call(args ?? {}, contextOf(app, request, `tool.${tool.name}`))
    operation.gave(result.content.reduce((bytes, block) => bytes + (block.type === 'text' ? Buffer.byteLength(block.text) : 0), 0))
    return result
  } catch (thrown) {
    const error = asCallError(thrown)
    operation.failed(error)
    logFailure(request, { tool: tool.name }, error)
    return { content: [{ type: 'text', text: errorText(error, correlationId) }], isError: true }
  }
}

/**
 * `resources/read`. Reading has no error results, so everything that goes wrong is a protocol error.
 * @throws {ProtocolError}
 */
export async function readResource (app: FastifyInstance, request: McpRequest, uri: string): Promise<{ contents: Awaited<ReturnType<Resource['read']>> }> {
  const { operation, correlationId } = request
  const data = { uri: uri.slice(0, 2048), correlation_id: correlationId }
  const found = app.catalog.resource(uri)
  if (found === undefined) {
    operation.protocolFailure(errorCodes.resourceNotFound)
    throw new ProtocolError(errorCodes.resourceNotFound, 'Resource not found', data)
  }
  try {
    return { contents: await found.resource.read(uri, found.variables, contextOf(app, request, `resource.${found.resource.listing.name}`)) }
  } catch (thrown) {
    const error = asCallError(thrown)
    const code = error.kind === 'not_found' ? errorCodes.resourceNotFound : error.kind === 'invalid_input' ? errorCodes.invalidParams : errorCodes.internalError
    operation.protocolFailure(code, error)
    logFailure(request, { resource: found.resource.uri }, error)
    throw new ProtocolError(code, errorText(error, correlationId), data)
  }
}

/** Scopes that a request needs beyond those that every request needs. */
export function scopesFor (app: FastifyInstance, method: string, params: Readonly<Record<string, unknown>>): readonly string[] {
  if (method === 'tools/call' && typeof params.name === 'string') return app.catalog.tool(params.name)?.scopes ?? []
  if (method === 'resources/read' && typeof params.uri === 'string') return app.catalog.resource(params.uri)?.resource.scopes ?? []
  return []
}
