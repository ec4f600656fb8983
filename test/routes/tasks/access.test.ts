import t from 'tap'
import { Catalog } from '../../../plugins/catalog/index.ts'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import djangoMcpServer from '../../../app.ts'
import { loadConfig } from '../../../config.ts'
import { buildApp, djangoStub, environment, modernRequest, modernRpc, overHttp, rpc, token } from '../../helper.ts'
import { ask, begin, exporting, exportJobs, extension, takesNone, writer } from './helper.ts'

const methods = ['tasks/get', 'tasks/update', 'tasks/cancel']

t.test('[attack 38] the task of another principal looks like one that does not exist', async (t) => {
  const { url, requests } = await djangoStub(t, exportJobs())
  const app = await buildApp(t, { DJANGO_BASE_URL: url, RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [exporting()] })
  const taskId = await begin(app, 'export_rows', {}, writer())
  const seen = requests.length
  const strangers = [token({ sub: 'user-2', scope: 'write' }), token({ client_id: 'another', scope: 'write' })]
  const ids = ['', 'x', 'constructor', `${taskId}=`, `${taskId.slice(0, -1)}A`, ` ${taskId}`, taskId.toLowerCase(), '../x', 'A'.repeat(32), 'A'.repeat(100_000)]
  const unknown = ids.filter((id) => id !== taskId)
  for (const method of methods) {
    const bodies = new Set<string>()
    const refused = async (id: string, bearer: string): Promise<void> => {
      const { status, error } = await ask(app, method, { taskId: id, inputResponses: {} }, { bearer })
      t.equal(status, 200)
      bodies.add(JSON.stringify({ ...error, data: Object.keys(error.data) }))
    }
    for (const bearer of strangers) await refused(taskId, bearer)
    for (const id of unknown.filter((id) => id.trim() === id && id.length < 1000)) await refused(id, writer())
    t.strictSame([...bodies], ['{"code":-32602,"message":"Task not found","data":["correlation_id"]}'], method)
  }
  const long = await overHttp(app, { ...modernRequest('tasks/get', { taskId: 'A'.repeat(100_000) }), headers: { ...modernRequest('tasks/get').headers, 'mcp-name': 'A' } })
  t.match(long.json(), { error: { code: -32020 } }, 'the header must name the task')
  t.equal(requests.length, seen, 'Django hears nothing of it')
  t.match((await ask(app, 'tasks/get', { taskId }, { bearer: writer() })).result, { status: 'working' }, 'and the task goes on')
})

t.test('the scopes of the tool are asked for again', async (t) => {
  const { url } = await djangoStub(t, exportJobs())
  const app = await buildApp(t, { DJANGO_BASE_URL: url, RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [exporting()] })
  const taskId = await begin(app, 'export_rows', {}, writer())
  for (const method of methods) {
    const response = await ask(app, method, { taskId, inputResponses: {} }, { bearer: token({ scope: 'read' }) })
    t.equal(response.status, 403, method)
    t.match(response.headers['www-authenticate'], /error="insufficient_scope".*scope="[^"]*write/)
    t.notOk('result' in response)
  }
  t.match((await ask(app, 'tasks/get', { taskId }, { bearer: writer() })).result, { status: 'working' })
})

t.test('a task ends after a day, whatever its status', async (t) => {
  const { url } = await djangoStub(t, exportJobs())
  const app = await buildApp(t, { DJANGO_BASE_URL: url }, undefined, { tools: [exporting()] })
  const taskId = await begin(app, 'export_rows', {}, writer())
  const { now } = Date
  t.teardown(() => { Date.now = now })
  const later = (seconds: number): string => {
    Date.now = () => now() + seconds * 1000
    return token({ scope: 'write', exp: Math.floor(Date.now() / 1000) + 600 })
  }
  t.match((await ask(app, 'tasks/get', { taskId }, { bearer: later(86_390) })).result, { status: 'working', ttlMs: 86_400_000 })
  t.match((await ask(app, 'tasks/get', { taskId }, { bearer: later(86_401) })).error, { code: -32602, message: 'Task not found' })
})

t.test('parameters that are not valid', async (t) => {
  const app = await buildApp(t)
  const refused = async (method: string, params: Record<string, unknown>): Promise<void> => {
    const { headers, ...request } = modernRequest(method, params)
    const response = await overHttp(app, { ...request, headers: { ...headers, 'mcp-name': 'x' } })
    t.match(response.json(), { error: { code: -32602, message: /^Invalid params/ } }, `${method} ${JSON.stringify(params)}`)
  }
  for (const method of methods) {
    await refused(method, {})
    await refused(method, { taskId: 5 })
    await refused(method, { taskId: null })
  }
  await refused('tasks/update', { taskId: 'x' })
  await refused('tasks/update', { taskId: 'x', inputResponses: [] })
  await refused('tasks/update', { taskId: 'x', inputResponses: null })
  for (const method of ['tasks/list', 'tasks/result']) t.match((await ask(app, method, { taskId: 'x' })).error, { code: -32601 }, method)
})

t.test('older revisions have no tasks', async (t) => {
  const app = await buildApp(t)
  for (const method of methods) {
    for (const params of [{ taskId: 'x', inputResponses: {} }, {}]) t.match((await rpc(app, method, params)).json(), { error: { code: -32601 } })
  }
  t.notMatch(JSON.stringify((await rpc(app, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } })).json()), 'tasks')
})

t.test('only a client that takes tasks may ask to follow them', async (t) => {
  const app = await buildApp(t)
  const response = await modernRpc(app, 'subscriptions/listen', { notifications: { taskIds: ['x'] } }, { meta: takesNone })
  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: { code: -32021, data: { requiredCapabilities: { extensions: { [extension]: {} } } } } })
})

t.test('a tool that is not there any more shows nothing of its tasks', async (t) => {
  const { url } = await djangoStub(t, exportJobs())
  const app = Fastify()
  t.teardown(() => app.close())
  // With fp, so that the catalog is in reach.
  await app.register(fp(djangoMcpServer), { loaded: loadConfig(environment({ DJANGO_BASE_URL: url })), definitions: { tools: [exporting()] } })
  await app.ready()
  const taskId = await begin(app, 'export_rows', {}, writer())
  const { catalog } = app
  app.catalogs.replace(new Catalog([], [], []))
  for (const method of methods) {
    t.match((await ask(app, method, { taskId, inputResponses: {} }, { bearer: token({ scope: 'read' }) })).error, { code: -32603, message: 'The tool of this task is not there any more' }, method)
  }
  app.catalogs.replace(catalog)
  t.match((await ask(app, 'tasks/get', { taskId }, { bearer: writer() })).result, { status: 'working' })
})
