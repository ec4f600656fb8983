import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { stopClock } from '../../clock.ts'
import { buildApp, djangoStub, LogLines, modernRpc, token } from '../../helper.ts'
import { startRedis, withoutRedis } from '../../redis.ts'
import { ask, begin, exporting, exportJobs, takesNone, until, writer } from './helper.ts'

const options = { bearer: writer() }

/** With authentication nobody is let in while the deny-list in Redis cannot be asked. */
const withoutAuthentication = { AUTH_ENABLED: 'false', ENVIRONMENT: 'test', JWT_SECRET: undefined }

t.test('a task outlives the process that began it', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t, 'p4ss')
  const { url } = await djangoStub(t, exportJobs())
  const environment = { DJANGO_BASE_URL: url, REDIS_URL: redis.url }
  const first = await buildApp(t, environment, undefined, { tools: [exporting()] })
  const taskId = await begin(first, 'export_rows', {}, writer())
  await first.close()
  const second = await buildApp(t, environment, undefined, { tools: [exporting()] })
  t.match(await until(second, taskId, ['completed'], writer()), { result: { structuredContent: { url: '/files/1', rows: 3 } } })
  t.match((await ask(second, 'tasks/get', { taskId }, { bearer: token({ sub: 'user-2', scope: 'write' }) })).error, { code: -32602, message: 'Task not found' })
})

t.test('two replicas serve one task, and of both one looks at the job', { skip: withoutRedis }, async (t) => {
  const move = stopClock(t)
  const redis = await startRedis(t)
  const { url, requests } = await djangoStub(t, exportJobs(3))
  const environment = { DJANGO_BASE_URL: url, REDIS_URL: redis.url, RATE_LIMIT_REQUESTS: 1000 }
  const replicas = await Promise.all([1, 2].map(() => buildApp(t, environment, undefined, { tools: [exporting('optional', 1)] })))
  const [first, second] = replicas
  if (first === undefined || second === undefined) throw new Error('no replicas')
  const taskId = await begin(first, 'export_rows', {}, writer())
  const looks = (): number => requests.filter(({ method, url }) => method === 'GET' && url.startsWith('/exports/')).length
  t.match((await ask(second, 'tasks/get', { taskId }, options)).result, { status: 'working', statusMessage: 'queued' }, 'at once')
  move(1)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? first : second, 'tasks/get', { taskId }, options)))
  t.ok(answers.every(({ result }) => result.status === 'working'))
  t.equal(looks(), 1)
  await ask(second, 'tasks/cancel', { taskId }, options)
  t.match((await ask(first, 'tasks/get', { taskId }, options)).result, { status: 'cancelled' })
})

t.test('Redis goes away and comes back', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const { url, requests } = await djangoStub(t, exportJobs(1))
  const log = new LogLines()
  const app = await buildApp(t, { DJANGO_BASE_URL: url, REDIS_URL: redis.url, RATE_LIMIT_REQUESTS: 1000, LOG_LEVEL: 'INFO', ...withoutAuthentication }, log, { tools: [exporting()] })
  const taskId = await begin(app, 'export_rows', {}, writer())
  const posts = (): number => requests.filter(({ method }) => method === 'POST').length
  await redis.kill()
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const { status, error } = await ask(app, method, { taskId, inputResponses: {} }, options)
    t.equal(status, 200)
    t.match(error, { code: -32603, message: /The store of tasks cannot be reached\.\nTry again later/, data: { correlation_id: String } }, method)
    t.notMatch(JSON.stringify(error), /ECONN|127\.0\.0\.1|Connection/)
  }
  t.match((await ask(app, 'tools/call', { name: 'export_rows', arguments: {} }, options)).result, { isError: true, content: [{ text: /The store of tasks cannot be reached/ }] })
  t.equal(posts(), 1, 'no job is started whose task could not be kept')
  t.match((await modernRpc(app, 'tools/call', { name: 'export_rows', arguments: {} }, { ...options, meta: takesNone })).json(), { result: { structuredContent: { rows: 3 } } }, 'waiting needs no Redis')
  t.equal((await app.inject('/live/')).statusCode, 200)

  await redis.start()
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if ((await ask(app, 'tasks/get', { taskId }, options)).error.code === -32602) break
    await sleep(50)
  }
  t.match((await ask(app, 'tasks/get', { taskId }, options)).error, { code: -32602 }, 'this Redis kept nothing')
  t.ok(await begin(app, 'export_rows', {}, writer()), 'and takes new ones')
  t.equal(log.records.filter(({ message }) => message === 'Redis cannot be reached').length, 1)
})

t.test('Redis goes away while a job is started', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const jobs = exportJobs()
  const { url } = await djangoStub(t, (request, response, body) => {
    // Between the check that a task can be kept and its being kept.
    const killed = request.method === 'POST' ? redis.kill() : Promise.resolve()
    void killed.finally(() => { jobs(request, response, body) })
  })
  const log = new LogLines()
  const app = await buildApp(t, { DJANGO_BASE_URL: url, REDIS_URL: redis.url, LOG_LEVEL: 'INFO' }, log, { tools: [exporting()] })
  const { result } = await ask(app, 'tools/call', { name: 'export_rows', arguments: {} }, options)
  t.match(result, { isError: true, content: [{ text: /The store of tasks cannot be reached/ }] })
  t.notOk('taskId' in result)
  t.match(log.records.find(({ level, tool }) => level === 'ERROR' && tool === 'export_rows'), { message: /could not be kept: it goes on/, job_state: { location: '/exports/1/' } })
})

t.test('an app without its Redis starts all the same', async (t) => {
  const app = await buildApp(t, { REDIS_URL: 'redis://127.0.0.1:1', ...withoutAuthentication }, undefined, { tools: [exporting()] })
  t.equal((await app.inject('/live/')).statusCode, 200)
  t.match((await ask(app, 'tasks/get', { taskId: 'A'.repeat(32) }, options)).error, { code: -32603 })
})
