import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { CallError } from '../../../errors.ts'
import { asCallError, type JobProgress, type StartedJob, type ToolResult } from '../../../plugins/catalog/index.ts'
import { InputNeeded } from '../asking.ts'
import { logFailure, run, type McpRequest } from '../request.ts'
import { isPassing } from './poll.ts'

/** A failure after which the job goes on. The usual advice to try again would start another one. */
function goesOn (request: McpRequest, tool: string, error: CallError): ToolResult {
  request.operation.failed(error)
  logFailure(request, { tool }, error)
  return { isError: true, content: [{ type: 'text', text: `${error.message}\nThe job goes on: calling again would start another one.\nCorrelation id: ${request.correlationId}` }] }
}

async function pause (milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal })
  } catch (cause) {
    throw new CallError('cancelled', 'The call was cancelled.', { cause })
  }
}

/**
 * Waits for a job in the place of a client that does not take tasks, for as long as a call may take.
 * @param begin when the call began, as `performance.now()` tells it
 */
export async function waitForJob (app: FastifyInstance, request: McpRequest, tool: string, job: StartedJob, begin: number): Promise<ToolResult> {
  const left = (): number => begin + request.timeout * 1000 - performance.now()
  let { message } = job
  for (let looks = 1; left() > job.pollInterval; looks += 1) {
    await request.progress(looks, undefined, message)
    await pause(job.pollInterval, request.signal)
    let found: JobProgress
    try {
      found = await run(app, { ...request, timeout: Math.max(0, left() / 1000), canAsk: () => false, answers: {} }, `tool.${tool}`, (context) => job.task.poll(job.state, context))
    } catch (thrown) {
      if (thrown instanceof InputNeeded) return goesOn(request, tool, new CallError('conflict', 'The job needs an answer that only a client can bring which supports tasks.'))
      const error = asCallError(thrown)
      if (!isPassing(error)) throw error
      logFailure(request, { tool }, error)
      continue
    }
    if (found.status === 'completed') return found.result
    message = found.message
  }
  return goesOn(request, tool, new CallError('timeout', `The job was started, but has not ended within ${request.timeout} seconds. A client that supports tasks could wait for it.`))
}
