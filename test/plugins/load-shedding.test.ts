import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import loadShedding, { type LoadSheddingOptions } from '../../plugins/load-shedding.ts'

async function build (t: Test, options: LoadSheddingOptions) {
  const app = Fastify()
  t.teardown(() => app.close())
  const calls: string[] = []
  await app.register(loadShedding, options)
  app.get('/', async () => { calls.push('/'); return 'ok' })
  app.get('/live/', { config: { neverShed: true } }, async () => { calls.push('/live/'); return 'ok' })
  await app.ready()
  return { app, calls }
}

type App = Awaited<ReturnType<typeof build>>['app']

/** Waits until the load has been sampled, and tries again while it is not found too high. */
async function underPressure (app: App, burden = (): void => {}): Promise<void> {
  for (let tries = 0; tries < 500 && !app.isUnderPressure(); tries += 1) {
    burden()
    await sleep(10)
  }
}

t.test('a request is refused with 503 and Retry-After while a limit is exceeded', async (t) => {
  const shed: string[] = []
  const { app, calls } = await build(t, { maxHeapUsedBytes: 1, retryAfter: 7, onShed: (reason) => { shed.push(reason) } })
  await underPressure(app)
  const response = await app.inject('/')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '7')
  t.same(response.json(), { error: 'Service overloaded', message: 'Too much to do at the moment. Try again in 7 seconds.' })
  t.match(response.headers['content-type'], 'application/json')
  t.same(calls, [], 'the handler has not run')
  t.same(shed, ['heapUsedBytes'])
})

t.test('requests that lead nowhere are refused as well', async (t) => {
  const { app } = await build(t, { maxHeapUsedBytes: 1 })
  await underPressure(app)
  t.equal((await app.inject('/nothing')).statusCode, 503)
})

t.test('routes that are never shed are served, and not counted', async (t) => {
  const shed: string[] = []
  const { app, calls } = await build(t, { maxHeapUsedBytes: 1, onShed: (reason) => { shed.push(reason) } })
  await underPressure(app)
  const response = await app.inject('/live/')
  t.equal(response.statusCode, 200)
  t.equal(response.headers['retry-after'], undefined)
  t.same(calls, ['/live/'])
  t.same(shed, [])
})

function block (milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

t.test('a slow event loop is a reason too', async (t) => {
  const shed: string[] = []
  const { app } = await build(t, { maxEventLoopDelay: 1, onShed: (reason) => { shed.push(reason) } })
  let response = await app.inject('/')
  for (let tries = 0; tries < 500 && response.statusCode !== 503; tries += 1) {
    block(50)
    await sleep(10)
    response = await app.inject('/')
  }
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '5')
  t.same(shed, ['eventLoopDelay'])
})

/** Status of a request right after a start that took long, undefined where this machine was too slow to tell. */
async function afterSlowStart (): Promise<number | undefined> {
  const app = Fastify()
  try {
    await app.register(loadShedding, { maxEventLoopDelay: 1 })
    app.get('/', async () => 'ok')
    await sleep(50)
    block(1100)
    await app.ready()
    const ready = performance.now()
    // The first sample, which is taken once a second, holds what went before.
    for (let tries = 0; tries < 100 && !app.isUnderPressure(); tries += 1) await sleep(10)
    const underPressure = app.isUnderPressure()
    const { statusCode } = await app.inject('/')
    return underPressure && performance.now() - ready < 1_400 ? statusCode : undefined
  } finally {
    await app.close()
  }
}

t.test('a slow start is none', async (t) => {
  let status: number | undefined
  for (let tries = 0; tries < 10 && status === undefined; tries += 1) status = await afterSlowStart()
  t.not(status, 503)
})

t.test('a refused request is answered once although hooks of other plugins take their time', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  let calls = 0
  await app.register(loadShedding, { maxHeapUsedBytes: 1 })
  app.addHook('onSend', async (_request, _reply, payload) => { await sleep(5); return payload })
  app.get('/', async () => { calls += 1; return 'ok' })
  await app.ready()
  await underPressure(app)
  t.equal((await app.inject('/')).statusCode, 503)
  t.equal(calls, 0)
})

t.test('a process within its limits serves everything', async (t) => {
  const { app } = await build(t, {})
  t.equal((await app.inject('/')).statusCode, 200)
  t.equal((await app.inject('/live/')).statusCode, 200)
  t.equal(app.isUnderPressure(), false)
})
