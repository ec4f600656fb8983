import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { unattended } from '../../checks/unattended.ts'
import type { CallError } from '../../errors.ts'
import type { Principal } from '../../plugins/auth/index.ts'
import { asCallError, errorText, type ToolResult } from '../../plugins/catalog/index.ts'
import { cleanText } from '../../plugins/catalog/text.ts'
import type { CallIdentity } from '../../plugins/django/index.ts'
import type { CallContext } from '../../plugins/catalog/definition.ts'
import { namedLogger } from '../../plugins/logging/named-logger.ts'
import { createAsking, type Answered } from './asking.ts'
import { withDeadline } from './deadline.ts'
import type { Operation } from './operation.ts'
import { ProtocolError } from './protocol-error.ts'
import type { TraceContext } from './trace.ts'

/** Revisions with the handshake, and those without. */
export type Era = 'legacy' | 'modern'

/** One JSON-RPC request, whatever revision of the protocol it came in. */
export interface McpRequest {
  era: Era
  id: string | number
  correlationId: string
  principal: Principal
  /** How Django is told who that is; undefined where it is not told. */
  identity: CallIdentity | undefined
  signal: AbortSignal
  log: FastifyBaseLogger
  operation: Operation
  progress: CallContext['progress']
  /** The trace that it belongs to, where the client says so. */
  trace: TraceContext | undefined
  /** Seconds that serving it may take. */
  timeout: number
  canAsk: CallContext['canAsk']
  /** Whether the client takes a task in the place of a tool's result. */
  takesTasks: boolean
  /** What the user and the client have answered so far, by the names of the questions. */
  answers: Readonly<Record<string, Answered>>
}

/** Runs a part of the catalog with the context of the call, and for no longer than a call may take. */
export async function run<Result> (app: FastifyInstance, request: McpRequest, name: string, part: (context: CallContext) => Result | Promise<Result>): Promise<Result> {
  const { id, correlationId, principal, identity, progress, canAsk, answers, log, trace } = request
  let named: FastifyBaseLogger | undefined
  return await withDeadline(request.timeout, request.signal, async (signal) => await part({
    requestId: id,
    correlationId,
    principal,
    signal,
    progress: (done, total, message) => unattended(progress(done, total, message === undefined ? undefined : cleanText(message))),
    canAsk,
    // Made when it is asked for: most calls write no line of their own.
    get log () { return named ??= namedLogger(log, name) },
    django: app.django.bind({
      correlationId,
      signal,
      log,
      ...(trace === undefined ? {} : { trace }),
      ...identity === undefined ? {} : { identity },
      onAttempt: ({ method, route, status }) => { request.operation.asked(method, route, status) }
    }),
    ...createAsking(answers)
  }))
}

/** Writes what the caller is not told. The caller's own mistakes are no news for an operator. */
export function logFailure (request: McpRequest, what: Record<string, string>, error: CallError): void {
  const log = namedLogger(request.log, 'mcp')
  const fields = { ...what, error_kind: error.kind, django_status: error.status }
  if (error.kind === 'internal') log.error({ ...fields, err: error.cause ?? error }, 'call failed')
  else if (error.kind === 'unavailable' || error.kind === 'timeout' || error.kind === 'bad_response') log.warn({ ...fields, err: error.cause ?? error }, 'call failed')
  // Not its text, which may be Django's about somebody's data.
  else log.info(fields, 'call failed')
}

/** An answer that is a JSON-RPC error. */
export function refuse ({ operation, correlationId }: McpRequest, code: number, message: string, data: Record<string, unknown> = {}): never {
  operation.protocolFailure(code)
  throw new ProtocolError(code, message, { ...data, correlation_id: correlationId })
}

/** A failure where the protocol has no error results. */
export function fail (request: McpRequest, what: Record<string, string>, thrown: unknown, codeOf: (error: CallError) => number, data: Record<string, unknown> = {}): never {
  const error = asCallError(thrown)
  const code = codeOf(error)
  request.operation.protocolFailure(code, error)
  logFailure(request, what, error)
  throw new ProtocolError(code, errorText(error, request.correlationId), { ...data, correlation_id: request.correlationId })
}

/** A failure as a result of a tool, which a model can read. */
export function errorResult ({ correlationId }: McpRequest, error: CallError): ToolResult {
  return { content: [{ type: 'text', text: errorText(error, correlationId) }], isError: true }
}
