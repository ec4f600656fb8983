import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { defineTool, startTask } from '../../../plugins/catalog/definition.ts'
import { json, modernRpc, token, type Handler } from '../../helper.ts'

export const extension = 'io.modelcontextprotocol/tasks'

const capabilities = 'io.modelcontextprotocol/clientCapabilities'

/** `_meta` of a client that takes tasks. */
export const takesTasks = { [capabilities]: { elicitation: {}, extensions: { [extension]: {} } } }

/** `_meta` of one that does not. */
export const takesNone = { [capabilities]: { elicitation: {} } }

/** A request of a client that takes tasks. */
export async function ask (app: FastifyInstance, method: string, params: Record<string, unknown>, { bearer = token(), meta = takesTasks }: { bearer?: string, meta?: Record<string, unknown> } = {}) {
  const response = await modernRpc(app, method, params, { bearer, meta })
  return { status: response.statusCode, headers: response.headers, ...response.json() }
}

/** Calls a tool and gives the id of the task. */
export async function begin (app: FastifyInstance, name: string, args: Record<string, unknown> = {}, bearer = token()): Promise<string> {
  const { result, error } = await ask(app, 'tools/call', { name, arguments: args }, { bearer })
  if (result?.resultType !== 'task') throw new Error(`no task: ${JSON.stringify(result ?? error)}`)
  return result.taskId
}

/** Asks until the task has one of these statuses. */
export async function until (app: FastifyInstance, taskId: string, statuses: readonly string[] = ['completed', 'failed', 'cancelled'], bearer = token()) {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const { result, error } = await ask(app, 'tasks/get', { taskId }, { bearer })
    if (error !== undefined) throw new Error(JSON.stringify(error))
    if (statuses.includes(result.status)) return result
    await pause(50)
  }
  throw new Error('the task does not get there')
}

export async function pause (milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => { setTimeout(resolve, milliseconds) })
}

const state = z.object({ location: z.string() })

/** A tool whose job Django does: POST answers 202 with a Location, which answers 202 until the job is done. */
export function exporting (mode: 'optional' | 'required' = 'optional', pollSeconds = 0.1) {
  return defineTool({
    name: 'export_rows',
    description: 'd',
    scopes: ['write'],
    input: z.object({ rows: z.int().default(3) }),
    output: z.object({ url: z.string(), rows: z.int() }),
    task: {
      mode,
      state,
      async poll ({ location }, { django }) {
        const { status, body } = await django.request('GET', location)
        if (status === 202) return { status: 'working', message: 'exporting' }
        return { status: 'completed', result: z.object({ url: z.string(), rows: z.int() }).loose().parse(body) }
      },
      async cancel ({ location }, { django }) {
        await django.request('DELETE', location)
      }
    },
    async handler ({ rows }, { django }) {
      const { headers } = await django.request('POST', '/exports/', { json: { rows } })
      return startTask({ state: { location: String(headers.location) }, pollSeconds, message: 'queued' })
    }
  })
}

/** What Django does with such jobs; each is done after it has been looked at `looks` times. */
export function exportJobs (looks = 2): Handler {
  const seen = new Map<string, number>()
  let jobs = 0
  return (request, response, body) => {
    const path = request.url ?? ''
    if (request.method === 'POST') {
      jobs += 1
      seen.set(`/exports/${jobs}/`, 0)
      json(response, 202, { rows: body.length }, { location: `/exports/${jobs}/` })
      return
    }
    if (request.method === 'DELETE') {
      response.writeHead(204).end()
      return
    }
    const count = (seen.get(path) ?? 0) + 1
    seen.set(path, count)
    if (count < looks) json(response, 202, {})
    else json(response, 200, { url: '/files/1', rows: 3 })
  }
}

export const writer = (): string => token({ scope: 'write' })
