import type { Server, ServerContext } from '@modelcontextprotocol/server'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { asCallError, type ToolTask } from '../../../plugins/catalog/index.ts'
import { taskKey, type TaskRecord } from '../../../plugins/tasks/index.ts'
import type { Principal } from '../../../plugins/auth/index.ts'
import { errorCodes, ProtocolError } from '../protocol-error.ts'
import { fail, logFailure, refuse, run, type McpRequest } from '../request.ts'
import { declaresTasks, missingFor, tasksRequired } from '../capabilities.ts'
import { advanced, ended } from './poll.ts'
import { detailedTask } from './wire.ts'

/*
 * The methods of the extension `io.modelcontextprotocol/tasks` (SEP-2663). A task is looked after by those who ask for
 * it: there is no worker, so nothing is lost with a process, and any replica serves any task.
 */

const taskParams = { params: z.looseObject({ taskId: z.string() }) }

/** Scopes that a request for a task needs: those of its tool. None where there is no such task, which its method says. */
export async function taskScopes (app: FastifyInstance, principal: Principal, params: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const key = typeof params.taskId === 'string' ? taskKey(principal.key, params.taskId) : undefined
  if (key === undefined) return []
  try {
    const record = await app.tasks.read(key)
    return record === undefined ? [] : app.catalog.tool(record.tool)?.scopes ?? []
  } catch {
    // The method meets the same error and answers with it.
    return []
  }
}

interface Found {
  key: string
  record: TaskRecord
  task: ToolTask
}

/** The caller's task of this id. One that has expired, is somebody else's or never was is all the same. */
async function found (app: FastifyInstance, request: McpRequest, id: string): Promise<Found> {
  const notFound = (): never => refuse(request, errorCodes.invalidParams, 'Task not found')
  const key = taskKey(request.principal.key, id)
  if (key === undefined) return notFound()
  const record = await app.tasks.read(key)
  if (record === undefined) return notFound()
  const task = app.catalog.tool(record.tool)?.task
  // Its scopes are not known then, so nothing of it may be shown.
  if (task === undefined) return refuse(request, errorCodes.internalError, 'The tool of this task is not there any more')
  return { key, record, task }
}

async function get (app: FastifyInstance, request: McpRequest, id: string, meta: unknown): Promise<Record<string, unknown>> {
  const { key, record, task } = await found(app, request, id)
  const now = await advanced(app, request, task, key, record)
  if (now === undefined) return refuse(request, errorCodes.invalidParams, 'Task not found')
  if (now.status === 'input_required') {
    for (const { request: question } of Object.values(now.questions)) {
      const missing = missingFor(question, meta)
      if (missing !== undefined) return refuse(request, errorCodes.missingClientCapability, 'This task asks something that this client cannot be asked', { requiredCapabilities: missing })
    }
  }
  return detailedTask(id, now)
}

async function update (app: FastifyInstance, request: McpRequest, id: string, responses: Readonly<Record<string, unknown>>): Promise<void> {
  const { key } = await found(app, request, id)
  await app.tasks.change(key, (record) => {
    // What is not asked, or is answered already, is passed over: the same answer may come twice.
    const answered = Object.entries(record.questions).filter(([question]) => Object.hasOwn(responses, question))
    if (answered.length === 0) return undefined
    const questions = Object.fromEntries(Object.entries(record.questions).filter(([question]) => !Object.hasOwn(responses, question)))
    const answers = { ...record.answers, ...Object.fromEntries(answered.map(([key, { name, digest }]) => [name, { question: digest, value: responses[key] }])) }
    const now = Date.now()
    if (Object.keys(questions).length > 0) return { ...record, questions, answers, updatedAt: now }
    return { ...record, status: 'working', questions, answers, updatedAt: now, nextPollAt: now }
  })
}

async function cancel (app: FastifyInstance, request: McpRequest, id: string): Promise<void> {
  const { key, task } = await found(app, request, id)
  let stopped: TaskRecord | undefined
  await app.tasks.change(key, (record) => {
    stopped = record.status === 'working' || record.status === 'input_required' ? record : undefined
    return stopped === undefined ? undefined : ended(record, 'cancelled', { message: undefined })
  })
  if (stopped === undefined || task.cancel === undefined) return
  const { tool, state } = stopped
  try {
    await run(app, request, `tool.${tool}`, async (context) => { await task.cancel?.(state, context) })
  } catch (error) {
    // The client has no use for it: what it wants is that the task ends.
    logFailure(request, { tool }, asCallError(error))
  }
}

/** Adds the methods to the server that serves one message of revision 2026-07-28. */
export function addTaskMethods (app: FastifyInstance, server: Server, requestOf: (ctx: ServerContext) => McpRequest): void {
  /** Serves one method: only to clients that know the extension, and so that nothing is thrown but what may be answered. */
  async function serve<Result> (ctx: ServerContext, method: (request: McpRequest) => Promise<Result>): Promise<Result> {
    const request = requestOf(ctx)
    if (!declaresTasks(ctx.mcpReq.envelope)) return refuse(request, errorCodes.missingClientCapability, 'This method needs a client that supports tasks', tasksRequired)
    try {
      return await method(request)
    } catch (thrown) {
      if (thrown instanceof ProtocolError) throw thrown
      return fail(request, { method: ctx.mcpReq.method }, thrown, () => errorCodes.internalError)
    }
  }

  server.setRequestHandler('tasks/get', taskParams, ({ taskId }, ctx) => serve(ctx, (request) => get(app, request, taskId, ctx.mcpReq.envelope)))
  server.setRequestHandler('tasks/update', taskParams, ({ taskId }, ctx) => serve(ctx, async (request) => {
    await update(app, request, taskId, ctx.mcpReq.inputResponses ?? {})
    return {}
  }))
  server.setRequestHandler('tasks/cancel', taskParams, ({ taskId }, ctx) => serve(ctx, async (request) => {
    await cancel(app, request, taskId)
    return {}
  }))
}
