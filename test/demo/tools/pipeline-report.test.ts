import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { startDjango } from '../../../demo/django.ts'
import { buildApp, listen, modernRpc, rpc, token } from '../../helper.ts'
import { ask, begin, pause, takesNone, until } from '../../routes/tasks/helper.ts'

t.setTimeout(300_000)

const tools = fileURLToPath(new URL('../../../demo/tools', import.meta.url))
const call = { name: 'pipeline_report', arguments: {} }
const report = { statuses: [{ status: 'active', count: 215 }, { status: 'dropped' }, { status: 'lost' }, { status: 'won', count: 81, value: /^\d+\.\d\d$/ }] }

/** The variables of an app in front of a demo project whose reports take this long. */
async function variables (t: Test, seconds: number, log: (line: string) => void = () => undefined) {
  const django = await startDjango({ database: 'temporary', environment: { DEMO_REPORT_SECONDS: String(seconds) }, log })
  t.teardown(() => django.stop())
  return { DJANGO_BASE_URL: django.url, DJANGO_API_KEY: django.apiKey, TOOLS_DIR: tools, RATE_LIMIT_REQUESTS: 10_000 }
}

async function statusOf (app: FastifyInstance, taskId: string): Promise<string> {
  return (await ask(app, 'tasks/get', { taskId })).result.status
}

t.test('a job of the real Django becomes a task, is looked at until it is done, and gives its result', async (t) => {
  const app = await buildApp(t, await variables(t, 2.5))
  const created = (await ask(app, 'tools/call', call)).result
  t.match(created, { resultType: 'task', status: 'working', statusMessage: 'The report is begun', pollIntervalMs: 1000 })
  t.match(await until(app, created.taskId), { status: 'completed', result: { structuredContent: report } })
})

t.test('who takes no tasks waits for the same result, and is told how far it is', async (t) => {
  const { url } = await listen(t, await variables(t, 2.5))
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  t.teardown(() => client.close())
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${token()}` } } }))
  const heard: string[] = []
  const { structuredContent } = await client.callTool(call, { onprogress: ({ message }) => { heard.push(message ?? '') } })
  t.match(structuredContent, report)
  t.equal(heard.shift(), 'The report is begun')
  for (const message of heard) t.match(message, /^\d+ % of the report is done$/)
})

t.test('cancelling ends the job at Django', async (t) => {
  const lines: string[] = []
  const app = await buildApp(t, await variables(t, 3600, (line) => { lines.push(line) }))
  const taskId = await begin(app, call.name)
  t.equal(await statusOf(app, taskId), 'working')
  await ask(app, 'tasks/cancel', { taskId })
  t.equal(await statusOf(app, taskId), 'cancelled')
  while (!lines.some((line) => /DELETE \S*\/orbit\/reports\/\S+ .*204/.test(line))) await pause(50)
  t.pass('Django has heard of it')
})

t.test('a job that takes too long for a call goes on, and the caller is told so', async (t) => {
  const app = await buildApp(t, { ...await variables(t, 3600), CALL_TIMEOUT: 5 })
  for (const response of await Promise.all([rpc(app, 'tools/call', call), modernRpc(app, 'tools/call', call, { meta: takesNone })])) {
    t.match(response.json().result, { isError: true, content: [{ text: /has not ended within 5 seconds[\s\S]*The job goes on/ }] })
  }
})
