import type { FastifyInstance } from 'fastify'
import { isRecord } from '../../checks/records.ts'
import type { AuditSource } from '../../plugins/audit.ts'
import type { Operation } from './operation.ts'
import { traceOf } from './trace.ts'

type Params = Readonly<Record<string, unknown>>

type Describe = (app: FastifyInstance, params: Params) => { target?: unknown, arguments?: unknown, fields?: Readonly<Record<string, unknown>> }

/** What a tool says of itself, whatever becomes of the call; nothing of one that is none. */
function hintsOf ({ catalog }: FastifyInstance, name: unknown): Readonly<Record<string, unknown>> {
  const annotations = typeof name === 'string' ? catalog.tool(name)?.listing.annotations : undefined
  return isRecord(annotations) ? { read_only: annotations.readOnlyHint, destructive: annotations.destructiveHint } : {}
}

/** What a method works on, and with which arguments. Methods that are not here only list, and leave no line. */
const audited: ReadonlyMap<string, Describe> = new Map<string, Describe>([
  ['tools/call', (app, params) => ({ target: params.name, arguments: params.arguments, fields: hintsOf(app, params.name) })],
  ['prompts/get', (_app, params) => ({ target: params.name, arguments: params.arguments })],
  // The template and not the URI, which names somebody's data as an argument does.
  ['resources/read', ({ catalog }, { uri }) => ({ target: typeof uri === 'string' ? catalog.resource(uri)?.resource.uri : undefined, arguments: { uri } })],
  ['completion/complete', (_app, { ref, argument }) => ({ arguments: { ref, argument } })],
  ['tasks/get', (_app, { taskId }) => ({ arguments: { taskId } })],
  ['tasks/update', (_app, { taskId }) => ({ arguments: { taskId } })],
  ['tasks/cancel', (_app, { taskId }) => ({ arguments: { taskId } })]
])

/** Characters of a name that are written: one that does not exist may be anything. */
const maxTarget = 100

/** What the audit line of a request says, once it is served. */
export function auditSource (app: FastifyInstance, operation: Operation, method: string, params: Params): AuditSource | null {
  const describe = audited.get(method)
  if (describe === undefined) return null
  return (complete) => {
    const { target, arguments: args, fields } = describe(app, params)
    const trace = traceOf(isRecord(params._meta) ? params._meta : undefined)
    return {
      action: method,
      ...(typeof target === 'string' ? { target: target.slice(0, maxTarget) } : {}),
      arguments: args,
      outcome: operation.outcome(complete),
      fields: { ...fields, error_kind: operation.errorKind, django_calls: operation.djangoCalls, trace_id: trace?.traceparent.split('-')[1] }
    }
  }
}
