import type { FastifyInstance } from 'fastify'
import { CallError } from '../../../errors.ts'
import { StartedJob, type Tool, type ToolResult } from '../../../plugins/catalog/index.ts'
import { namedLogger } from '../../../plugins/logging/named-logger.ts'
import { newTaskId, taskKey, type TaskRecord } from '../../../plugins/tasks/index.ts'
import { errorCodes } from '../protocol-error.ts'
import { errorResult, refuse, type McpRequest } from '../request.ts'
import { tasksRequired } from '../capabilities.ts'
import { waitForJob } from './wait.ts'
import { taskFields } from './wire.ts'

/** What a call gives that goes on as a task (SEP-2663, "Task Creation"). */
export type CreatedTask = ReturnType<typeof taskFields> & {
  resultType: 'task'
  /** Nothing; the SDK puts it there anyway. */
  content: []
}

/**
 * The answer to a client that does not take tasks from a tool that gives nothing else; undefined where the call goes
 * on. Older revisions have no code for it, but a model that can read.
 * @throws {ProtocolError} in revision 2026-07-28
 */
export function refusalWithoutTasks (request: McpRequest, { task }: Tool): ToolResult | undefined {
  if (task?.mode !== 'required' || request.takesTasks) return undefined
  if (request.era === 'modern') return refuse(request, errorCodes.missingClientCapability, 'This tool needs a client that supports tasks', tasksRequired)
  const error = new CallError('forbidden', 'This tool needs a client that supports tasks, of protocol revision 2026-07-28 or later.')
  request.operation.failed(error)
  return errorResult(request, error)
}

async function create (app: FastifyInstance, request: McpRequest, tool: string, job: StartedJob): Promise<CreatedTask> {
  const log = namedLogger(request.log, 'mcp')
  const now = Date.now()
  const id = newTaskId()
  const record: TaskRecord = {
    tool,
    status: 'working',
    message: job.message,
    createdAt: now,
    updatedAt: now,
    ttl: app.tasks.ttl,
    state: job.state,
    pollInterval: job.pollInterval,
    nextPollAt: now + job.pollInterval,
    questions: {},
    asked: 0,
    answers: {}
  }
  try {
    // Only what is kept may be answered: the client may ask for it at once, and from any replica.
    await app.tasks.create(request.principal.key, taskKey(request.principal.key, id) ?? '', record)
  } catch (error) {
    log.error({ tool, job_state: job.state }, 'a job has been started whose task could not be kept: it goes on, and nobody will look at it')
    throw error
  }
  log.info({ tool }, 'task created')
  return { resultType: 'task', content: [], ...taskFields(id, record) }
}

/** Runs a call whose tool may start a job: the job becomes a task, or is waited for where the client takes none. */
export async function withTask (app: FastifyInstance, request: McpRequest, tool: Tool, call: () => Promise<ToolResult | StartedJob>): Promise<ToolResult | CreatedTask> {
  const begin = performance.now()
  // Before there is a job that would be lost.
  if (tool.task !== undefined && request.takesTasks) await app.tasks.check(request.principal.key)
  const given = await call()
  if (!(given instanceof StartedJob)) return given
  return request.takesTasks ? await create(app, request, tool.name, given) : await waitForJob(app, request, tool.name, given, begin)
}
