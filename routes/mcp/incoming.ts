import type { CallContext } from '../../plugins/catalog/definition.ts'
import type { Call } from './leg.ts'
import type { Era, McpRequest } from './request.ts'
import { traceOf } from './trace.ts'

/** What an SDK says of a request that it hands to a handler. */
export interface Incoming {
  era: Era
  id: string | number
  signal: AbortSignal
  meta: Readonly<Record<string, unknown>> & { progressToken?: string | number | undefined } | undefined
  notify: (notification: ProgressNotification) => Promise<void>
  canAsk: CallContext['canAsk']
  takesTasks: boolean
}

interface ProgressNotification {
  method: 'notifications/progress'
  params: { progressToken: string | number, progress: number, total?: number, message?: string }
}

/** Whether a client reads a stream of events, without which it cannot be told anything before the answer (RFC 9110 §12.5.1). */
function takesStream (accept: string | undefined): boolean {
  return accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept)
}

/**
 * Tells the client of progress that grows (basic/utilities/progress, "Behavior Requirements"), where it asks for it and
 * is still there. A tool need not wait for it, so that nobody is left is no error.
 */
function progressOf ({ meta, signal, notify }: Incoming, accept: string | undefined): CallContext['progress'] {
  const given = meta?.progressToken
  const progressToken = given !== undefined && takesStream(accept) ? given : undefined
  let reached = -Infinity
  return async (progress, total, message) => {
    if (progressToken === undefined || signal.aborted || !(progress > reached)) return
    reached = progress
    await notify({
      method: 'notifications/progress',
      params: { progressToken, progress, ...(total === undefined ? {} : { total }), ...(message === undefined ? {} : { message }) }
    })
  }
}

/** A request in the words of both eras. */
export function requestOf ({ leg, request, principal, operation }: Call, incoming: Incoming): McpRequest {
  const { era, id, signal, meta, canAsk, takesTasks } = incoming
  return {
    era,
    id,
    correlationId: request.id,
    principal,
    identity: leg.identityOf(request),
    signal,
    log: request.log,
    operation,
    trace: traceOf(meta),
    timeout: leg.timeout,
    canAsk,
    takesTasks,
    answers: {},
    progress: progressOf(incoming, request.headers.accept)
  }
}
