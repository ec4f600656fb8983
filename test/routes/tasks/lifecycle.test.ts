import t from 'tap'
import { z } from 'zod'
import { CallError } from '../../../errors.ts'
import { defineTool, startTask } from '../../../plugins/catalog/definition.ts'
import { stopClock } from '../../clock.ts'
import { buildApp, djangoStub, LogLines, modernRpc, token } from '../../helper.ts'
import { ask, begin, exporting, exportJobs, extension, pause, takesNone, takesTasks, until, writer } from './helper.ts'

t.test('a job that Django does becomes a task, and its end the result', async (t) => {
  const move = stopClock(t)
  const { url, requests } = await djangoStub(t, exportJobs())
  const log = new LogLines()
  const app = await buildApp(t, { DJANGO_BASE_URL: url, LOG_LEVEL: 'INFO' }, log, { tools: [exporting('optional', 5)] })
  const jobs = () => requests.filter(({ url }) => url.startsWith('/exports/'))
  const created = await ask(app, 'tools/call', { name: 'export_rows', arguments: {} }, { bearer: writer() })
  const { taskId, createdAt } = created.result
  t.equal(created.status, 200)
  t.match(created.result, { resultType: 'task', status: 'working', statusMessage: 'queued', ttlMs: 86_400_000, pollIntervalMs: 5000, lastUpdatedAt: createdAt })
  t.match(createdAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.match(taskId, /^[\w-]{32}$/, '192 bits')
  for (const field of ['result', 'error', 'inputRequests', 'requestState', 'structuredContent', 'ttl', 'task']) t.notOk(field in created.result, field)

  const get = async () => (await ask(app, 'tasks/get', { taskId }, { bearer: writer() })).result
  move(4.999)
  t.match(await get(), { resultType: 'complete', taskId, status: 'working', statusMessage: 'queued' })
  t.equal(jobs().length, 1, 'Django is not asked before it is time')
  move(0.001)
  t.match(await get(), { status: 'working', statusMessage: 'exporting' })
  move(5)
  const done = await get()
  t.equal(done.status, 'completed')
  t.strictSame(done.result, { resultType: 'complete', content: [{ type: 'text', text: '{"url":"/files/1","rows":3}' }], structuredContent: { url: '/files/1', rows: 3 } })
  t.ok(done.lastUpdatedAt > createdAt)
  const before = requests.length
  t.match(await get(), { status: 'completed' })
  t.equal(requests.length, before, 'an ended task is not looked at')
  t.equal(jobs()[1]?.headers['x-correlation-id']?.length, 36)
  t.match(log.records.filter(({ message }) => message === 'task created'), [{ tool: 'export_rows' }])
  t.notMatch(log.text, taskId, 'no id in the log')
})

t.test('discovery names the extension', async (t) => {
  const app = await buildApp(t)
  const { capabilities } = (await modernRpc(app, 'server/discover')).json().result
  t.strictSame(capabilities.extensions, { [extension]: {} })
  t.notOk('tasks' in capabilities)
})

t.test('of many who ask at the same time one looks at the job', async (t) => {
  const move = stopClock(t)
  let looks = 0
  const tool = defineTool({
    name: 'slow',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll () {
        looks += 1
        await pause(100)
        return { status: 'working', message: `look ${looks}` }
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 1 })
  })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool] })
  const taskId = await begin(app, 'slow')
  move(1)
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(app, 'tasks/get', { taskId })))
  t.equal(looks, 1)
  t.ok(answers.every(({ result }) => result.status === 'working'))
  t.ok(answers.some(({ result }) => result.statusMessage === 'look 1'))
})

t.test('a tool may give its result at once', async (t) => {
  const tool = defineTool({
    name: 'quick',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: { mode: 'optional', poll: () => ({ status: 'working' }) },
    handler: () => 'done already'
  })
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  t.match((await ask(app, 'tools/call', { name: 'quick' })).result, { resultType: 'complete', content: [{ text: 'done already' }] })
})

t.test('cancelling ends the task, and the job where the tool can end it', async (t) => {
  const { url, requests } = await djangoStub(t, exportJobs())
  const app = await buildApp(t, { DJANGO_BASE_URL: url }, undefined, { tools: [exporting()] })
  const taskId = await begin(app, 'export_rows', {}, writer())
  const options = { bearer: writer() }
  const ack = await ask(app, 'tasks/cancel', { taskId }, options)
  t.strictSame(Object.keys(ack.result).filter((key) => key !== '_meta'), ['resultType'])
  t.equal(ack.result.resultType, 'complete')
  t.strictSame(requests.filter(({ method }) => method === 'DELETE').map(({ url }) => url), ['/exports/1/'])
  await pause(120)
  const before = requests.length
  const { result } = await ask(app, 'tasks/get', { taskId }, options)
  t.equal(result.status, 'cancelled')
  t.notOk('result' in result || 'error' in result)
  t.match((await ask(app, 'tasks/cancel', { taskId }, options)).result, { resultType: 'complete' }, 'again is no error')
  t.equal(requests.length, before, 'the job is not stopped twice, nor looked at')
})

t.test('a task that is cancelled while its job is looked at stays cancelled', async (t) => {
  let looking: (() => void) | undefined
  let found: (() => void) | undefined
  const started = new Promise<void>((resolve) => { looking = resolve })
  const tool = defineTool({
    name: 'held',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll () {
        looking?.()
        await new Promise<void>((resolve) => { found = resolve })
        return { status: 'completed', result: 'too late' }
      },
      cancel () { throw new Error('cannot be stopped') }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const taskId = await begin(app, 'held')
  await pause(110)
  const get = ask(app, 'tasks/get', { taskId })
  await started
  t.match((await ask(app, 'tasks/cancel', { taskId })).result, { resultType: 'complete' }, 'what its cancel throws is for the log')
  found?.()
  t.match((await get).result, { status: 'cancelled' })
  t.match((await ask(app, 'tasks/get', { taskId })).result, { status: 'cancelled' })
})

t.test('what goes wrong while a job is looked at', async (t) => {
  let thrown: unknown
  let looks = 0
  const tool = defineTool({
    name: 'failing',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    output: z.object({ count: z.int() }),
    task: {
      mode: 'optional',
      poll () {
        looks += 1
        if (thrown === undefined) return { status: 'completed', result: { count: 1 } }
        throw thrown
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  const log = new LogLines()
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000, LOG_LEVEL: 'INFO' }, log, { tools: [tool] })

  thrown = new CallError('conflict', 'The export failed: no rows.')
  const refused = await until(app, await begin(app, 'failing'))
  t.match(refused, { status: 'completed', result: { isError: true, content: [{ text: /The export failed: no rows\.[\s\S]*Correlation id/ }] } }, 'an error that the tool names is its result')
  t.notOk('error' in refused)

  thrown = new Error('secret detail')
  const broken = await until(app, await begin(app, 'failing'))
  t.match(broken, { status: 'failed', statusMessage: 'The server failed to do this.', error: { code: -32603, message: /The server failed to do this/, data: { correlation_id: String } } })
  t.notOk('result' in broken)
  t.notMatch(JSON.stringify(broken), 'secret detail')
  t.match(log.text, 'secret detail', 'the log has it')

  thrown = new CallError('unavailable', 'The API failed.', { status: 503 })
  looks = 0
  const taskId = await begin(app, 'failing')
  await pause(110)
  t.match((await ask(app, 'tasks/get', { taskId })).result, { status: 'working', statusMessage: 'The job could not be looked at: The API failed.' }, 'it goes on where it could not be looked at')
  thrown = undefined
  t.match(await until(app, taskId), { status: 'completed', result: { structuredContent: { count: 1 } } })
  t.equal(looks, 2)

  thrown = new CallError('throttled', 'Too many requests.', { retryAfter: 3600 })
  const waiting = await begin(app, 'failing')
  await pause(110)
  await ask(app, 'tasks/get', { taskId: waiting })
  thrown = undefined
  await pause(110)
  t.match((await ask(app, 'tasks/get', { taskId: waiting })).result, { status: 'working' }, 'and as long as it asks to be left alone, it is')
})

t.test('results and states that are not of their form', async (t) => {
  const broken = (name: string, poll: () => unknown, state: unknown = null, pollSeconds: unknown = 0.1) => ({
    name,
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    output: z.object({ count: z.int() }),
    task: { mode: 'optional', state: z.null(), poll },
    handler: () => startTask({ state, ...z.object({ pollSeconds: z.custom<number>() }).parse({ pollSeconds }) })
  })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, {
    tools: [
      broken('wrong_result', () => ({ status: 'completed', result: { count: 'many' } })),
      broken('wrong_status', () => ({ status: 'finished' })),
      broken('nothing', () => undefined),
      broken('cyclic', () => undefined, (() => { const state: Record<string, unknown> = {}; state.self = state; return state })()),
      broken('function_state', () => undefined, () => 1),
      broken('large_state', () => undefined, 'x'.repeat(70_000)),
      broken('wrong_state', () => undefined, 'text'),
      broken('restless', () => undefined, null, 0),
      broken('timeless', () => undefined, null, Number.NaN),
      { name: 'taskless', description: 'd', scopes: ['read'], input: z.object({}), handler: () => startTask({ state: null }) }
    ]
  })
  for (const name of ['wrong_result', 'wrong_status', 'nothing']) {
    t.match(await until(app, await begin(app, name)), { status: 'failed', error: { code: -32603 } }, name)
  }
  for (const name of ['cyclic', 'function_state', 'large_state', 'wrong_state', 'restless', 'timeless', 'taskless']) {
    const { result } = await ask(app, 'tools/call', { name })
    t.match(result, { isError: true }, name)
    t.notOk('taskId' in result)
  }
})

t.test('a result that is too large to be kept ends its task all the same', async (t) => {
  let looks = 0
  const tool = defineTool({
    name: 'large',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      poll () {
        looks += 1
        return { status: 'completed', result: 'x'.repeat(17_000_000) }
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool] })
  const taskId = await begin(app, 'large')
  t.match(await until(app, taskId), { status: 'completed', result: { isError: true, content: [{ text: /^The job has ended, and its result is too large to be kept\./ }] } })
  t.match((await ask(app, 'tasks/get', { taskId })).result, { status: 'completed' })
  t.equal(looks, 1)
})

t.test('a client that went away says nothing about the job', async (t) => {
  let looks = 0
  let looking: (() => void) | undefined
  const started = new Promise<void>((resolve) => { looking = resolve })
  const tool = defineTool({
    name: 'held',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll (_state, { signal }) {
        looks += 1
        looking?.()
        if (looks > 1) return { status: 'completed', result: 'done' }
        await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }) })
        throw new Error('aborted')
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const taskId = await begin(app, 'held')
  await pause(110)
  const leaving = new AbortController()
  const sent = fetch(`${url}/mcp`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token()}`, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tasks/get', 'mcp-name': taskId },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { taskId, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', ...takesTasks } } })
  })
  await started
  leaving.abort()
  await t.rejects(sent)
  t.match(await until(app, taskId), { status: 'completed', result: { content: [{ text: 'done' }] } })
})

t.test('clients are told to ask less often as a task gets older', async (t) => {
  const move = stopClock(t)
  const { url } = await djangoStub(t, exportJobs())
  const app = await buildApp(t, { DJANGO_BASE_URL: url }, undefined, { tools: [exporting('optional', 5)] })
  const taskId = await begin(app, 'export_rows', {}, writer())
  const intervalAfter = async (seconds: number): Promise<number> => {
    move(seconds)
    return (await ask(app, 'tasks/get', { taskId }, { bearer: writer() })).result.pollIntervalMs
  }
  t.strictSame([await intervalAfter(1), await intervalAfter(199), await intervalAfter(7000)], [5000, 20_000, 60_000])
})

t.test('a client that does not take tasks', async (t) => {
  const app = await buildApp(t)
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const answer = await ask(app, method, { taskId: 'x', inputResponses: {} }, { meta: takesNone })
    t.equal(answer.status, 400)
    t.match(answer.error, { code: -32021, data: { requiredCapabilities: { extensions: { [extension]: {} } } } }, method)
  }
})
