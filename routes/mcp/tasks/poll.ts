import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { CallError } from '../../../errors.ts'
import { asCallError, errorText, type ToolTask } from '../../../plugins/catalog/index.ts'
import { NoRoom, type TaskRecord } from '../../../plugins/tasks/index.ts'
import { InputNeeded } from '../asking.ts'
import { errorCodes } from '../protocol-error.ts'
import { errorResult, logFailure, run, type McpRequest } from '../request.ts'

/** What a look at a job does to its task. */
type Finding = (record: TaskRecord) => TaskRecord

/** Whether an error only says that a job could not be looked at: it goes on, and the next look may fare better. */
export function isPassing ({ kind }: CallError): boolean {
  return kind === 'unavailable' || kind === 'timeout' || kind === 'throttled'
}

/** The task in a status that it does not leave any more, without what only a running one needs. */
export function ended (record: TaskRecord, status: 'completed' | 'failed' | 'cancelled', outcome: Pick<TaskRecord, 'message' | 'result' | 'error'>): TaskRecord {
  return { ...record, ...outcome, status, updatedAt: Date.now(), state: null, questions: {}, answers: {}, lease: undefined }
}

function working (message: string | undefined, nextPollAt: number): Finding {
  return (record) => ({ ...record, message, nextPollAt, updatedAt: message === record.message ? record.updatedAt : Date.now() })
}

/** The task with questions, each under a key that it has never used (SEP-2663, "Task Update Requests"). */
function asking ({ requests, state: { pending } }: InputNeeded): Finding {
  return (record) => {
    let { asked } = record
    const questions = Object.fromEntries(Object.entries(requests).map(([name, request]) => {
      asked += 1
      return [`${name}.${asked}`, { name, request, digest: pending[name] ?? '' }]
    }))
    // An answer that is asked for again was not good.
    const answers = Object.fromEntries(Object.entries(record.answers).filter(([name]) => !Object.hasOwn(requests, name)))
    return { ...record, status: 'input_required', questions, asked, answers, updatedAt: Date.now() }
  }
}

/** A failure of the tool, in the words of the protocol: what a call would have answered with as its result, or as an error. */
function failed (request: McpRequest, tool: string, error: CallError): Finding {
  request.operation.failed(error)
  logFailure(request, { tool }, error)
  const text = errorText(error, request.correlationId)
  // "failed" is for what went wrong in the server; a tool that says what is wrong has given a result (SEP-2663, "Task Execution Errors").
  if (error.kind !== 'internal') return (record) => ended(record, 'completed', { message: undefined, result: { ...errorResult(request, error) } })
  return (record) => ended(record, 'failed', {
    message: error.message,
    error: { code: errorCodes.internalError, message: text, data: { correlation_id: request.correlationId } }
  })
}

async function look (app: FastifyInstance, request: McpRequest, task: ToolTask, { tool, state, answers, pollInterval }: TaskRecord): Promise<Finding> {
  const next = Date.now() + pollInterval
  try {
    const found = await run(app, { ...request, answers }, `tool.${tool}`, (context) => task.poll(state, context))
    if (found.status === 'working') return working(found.message, next)
    return (record) => ended(record, 'completed', { message: found.message, result: { ...found.result } })
  } catch (thrown) {
    if (thrown instanceof InputNeeded) return asking(thrown)
    const error = asCallError(thrown)
    // The client went away, which says nothing about the job.
    if (request.signal.aborted) return (record) => record
    if (!isPassing(error)) return failed(request, tool, error)
    request.operation.failed(error)
    logFailure(request, { tool }, error)
    return working(`The job could not be looked at: ${error.message}`, Math.max(next, Date.now() + (error.retryAfter ?? 0) * 1000))
  }
}

function isDue ({ status, nextPollAt, lease }: TaskRecord): boolean {
  const now = Date.now()
  return status === 'working' && now >= nextPollAt && (lease === undefined || now >= lease.until)
}

/**
 * Looks at the job of a task, if it is time to and nobody else does, and gives the task as it is then. Of all callers
 * and replicas one looks; the others see what it found last time.
 */
export async function advanced (app: FastifyInstance, request: McpRequest, task: ToolTask, key: string, record: TaskRecord): Promise<TaskRecord | undefined> {
  if (!isDue(record)) return record
  const token = randomUUID()
  // A little longer than a look can take.
  const until = Date.now() + request.timeout * 1000 + 5000
  const claimed = await app.tasks.change(key, (current) => isDue(current) ? { ...current, lease: { token, until } } : undefined)
  if (claimed?.lease?.token !== token) return claimed
  const finding = await look(app, request, task, claimed)
  // Where the task was cancelled meanwhile, it stays so.
  const keep = async (found: Finding): Promise<TaskRecord | undefined> => await app.tasks.change(key, (current) => current.lease?.token === token ? { ...found(current), lease: undefined } : undefined)
  try {
    return await keep(finding)
  } catch (thrown) {
    if (!(thrown instanceof NoRoom)) throw thrown
    // A result that is too large: every further look would find it again, and the task would never end.
    return await keep(failed(request, claimed.tool, new CallError('bad_response', 'The job has ended, and its result is too large to be kept.', { cause: thrown })))
  }
}
