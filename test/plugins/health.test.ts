import Fastify from 'fastify'
import t, { type Test } from 'tap'
import health, { type BackendHealth, type HealthOptions } from '../../plugins/health.ts'

async function build (t: Test, options: Partial<HealthOptions> = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(health, { version: '1.2.3', ...options })
  return app
}

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const healthy: BackendHealth = { healthy: true, ageSeconds: 3 }
const unhealthy: BackendHealth = { healthy: false, ageSeconds: 4, reason: 'answered with status 500' }

t.test('/live/ answers whatever the backend does', async (t) => {
  for (const backend of [async () => healthy, async () => unhealthy, async (): Promise<BackendHealth> => { throw new Error('must not be asked') }, async (): Promise<BackendHealth> => await new Promise(() => {})]) {
    const response = await (await build(t, { backend, draining: () => true })).inject('/live/')
    t.equal(response.statusCode, 200)
    t.match(response.json(), { status: 'alive', timestamp: iso, version: '1.2.3' })
    t.equal(response.headers['cache-control'], 'no-store')
  }
})

interface State { status: number, body: string, server: string, api: string }

const table: Array<[string, { backend: BackendHealth, draining: boolean, readyRequiresBackend?: boolean }, State]> = [
  ['all is well', { backend: healthy, draining: false }, { status: 200, body: 'ready', server: 'ok', api: 'ok' }],
  ['the backend fails', { backend: unhealthy, draining: false }, { status: 503, body: 'not_ready', server: 'ok', api: 'error' }],
  ['the backend fails and is not required', { backend: unhealthy, draining: false, readyRequiresBackend: false }, { status: 200, body: 'degraded', server: 'ok', api: 'error' }],
  ['the backend is well and not required', { backend: healthy, draining: false, readyRequiresBackend: false }, { status: 200, body: 'ready', server: 'ok', api: 'ok' }],
  ['the server drains', { backend: healthy, draining: true }, { status: 503, body: 'not_ready', server: 'draining', api: 'ok' }],
  ['the server drains and the backend is not required', { backend: healthy, draining: true, readyRequiresBackend: false }, { status: 503, body: 'not_ready', server: 'draining', api: 'ok' }],
  ['the server drains and the backend fails', { backend: unhealthy, draining: true }, { status: 503, body: 'not_ready', server: 'draining', api: 'error' }],
  ['the server drains, the backend fails and is not required', { backend: unhealthy, draining: true, readyRequiresBackend: false }, { status: 503, body: 'not_ready', server: 'draining', api: 'error' }]
]

for (const [name, { backend, draining, readyRequiresBackend = true }, expected] of table) {
  t.test(`/ready/ answers ${expected.status} when ${name}`, async (t) => {
    const app = await build(t, { backend: async () => backend, draining: () => draining, readyRequiresBackend })
    const response = await app.inject('/ready/')
    t.equal(response.statusCode, expected.status)
    t.match(response.json(), { status: expected.body, checks: { server: expected.server, api_backend: expected.api }, timestamp: iso })
    t.equal(response.headers['cache-control'], 'no-store')
  })
}

t.test('/ready/ requires the backend where nothing else is said', async (t) => {
  t.equal((await (await build(t, { backend: async () => unhealthy })).inject('/ready/')).statusCode, 503)
})

t.test('/health says how the backend is, since when, and why', async (t) => {
  const well = await (await build(t, { backend: async () => healthy })).inject('/health')
  t.equal(well.statusCode, 200)
  t.match(well.json(), { status: 'healthy', timestamp: iso, version: '1.2.3', api_status: 'healthy', api_checked_seconds_ago: 3 })
  t.notOk('api_reason' in well.json())

  const ill = await (await build(t, { backend: async () => unhealthy, readyRequiresBackend: false })).inject('/health')
  t.equal(ill.statusCode, 503)
  t.match(ill.json(), { status: 'degraded', timestamp: iso, version: '1.2.3', api_status: 'unhealthy', api_checked_seconds_ago: 4, api_reason: 'answered with status 500' })
  t.equal(ill.headers['cache-control'], 'no-store')
})

t.test('/health tells a backend that was not looked at yet', async (t) => {
  const response = await (await build(t, { backend: async () => ({ healthy: false, ageSeconds: null }) })).inject('/health')
  t.equal(response.json().api_checked_seconds_ago, null)
})

t.test('without a backend the service stands for itself', async (t) => {
  const app = await build(t)
  t.match((await app.inject('/ready/')).json(), { status: 'ready', checks: { server: 'ok', api_backend: 'ok' } })
  t.match((await app.inject('/health')).json(), { status: 'healthy', api_status: 'healthy', api_checked_seconds_ago: null })
})

t.test('the routes are marked as quiet and never shed', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const marked: string[] = []
  app.addHook('onRoute', ({ url, method, config }) => { if (method === 'GET' && config?.quiet === true && config.neverShed === true) marked.push(url) })
  await app.register(health, { version: '1' })
  t.same(marked.toSorted(), ['/health', '/live/', '/ready/'])
})

t.test('a schema that is no longer the current one degrades /health, which still answers 200', async (t) => {
  const backend = async () => healthy
  const well = await (await build(t, { backend, schema: () => ({ healthy: true, ageSeconds: 5 }) })).inject('/health')
  t.match(well.json(), { status: 'healthy', schema_status: 'healthy', schema_checked_seconds_ago: 5, schema_reason: undefined })
  const old = await build(t, { backend, schema: () => ({ healthy: false, ageSeconds: 500, reason: 'The schema cannot be read' }) })
  const response = await old.inject('/health')
  t.equal(response.statusCode, 200)
  t.match(response.json(), { status: 'degraded', api_status: 'healthy', schema_status: 'unhealthy', schema_checked_seconds_ago: 500, schema_reason: 'The schema cannot be read' })
  t.match((await old.inject('/ready/')).json(), { status: 'ready' })
  t.notOk('schema_status' in (await (await build(t, { backend })).inject('/health')).json(), 'nothing is said where there is none')
})
