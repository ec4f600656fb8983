import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { sameSecret } from '../../checks/secrets.ts'
import { errorKinds } from '../../errors.ts'
import metrics, { type MetricsOptions } from '../../plugins/metrics/index.ts'
import { authFailures, countedMethods, outcomes } from '../../plugins/metrics/instruments.ts'
import { buildApp, mcpHeaders, overHttp, token as bearer } from '../helper.ts'

async function build (t: Test, options: Partial<MetricsOptions> = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics, { version: '1.2.3', ...options })
  app.get('/items/:id', async () => 'ok')
  app.get('/broken', async () => { throw new Error('broken') })
  await app.ready()
  return app
}

type App = Awaited<ReturnType<typeof build>>

async function text (app: App): Promise<string> {
  const response = await app.inject('/metrics')
  return response.body
}

/** The samples of the exposition by name and labels, as they are written. */
async function samples (app: App): Promise<Map<string, number>> {
  const lines = (await text(app)).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(' ')
    return [line.slice(0, space), Number(line.slice(space + 1))]
  }))
}

// The client writes "Nan" for a mean of nothing, which Prometheus reads in any case.
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})? (-?[0-9.]+(?:e[+-]?\d+)?|[+-]Inf|NaN|Nan)$/

t.test('the text is a sound exposition', async (t) => {
  const app = await build(t)
  await app.inject('/items/1')
  app.instruments.operation({ method: 'tools/call', outcome: 'ok', tool: 'a "quoted" \\ name', protocolVersion: '2025-11-25', seconds: 0.2, resultBytes: 2000 })
  app.instruments.djangoRequest({ method: 'GET', route: '/api/v1/orbit/clients/{id}/', status: 200, seconds: 0.01 })
  const response = await app.inject('/metrics')
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4; charset=utf-8/)
  t.equal(response.headers['cache-control'], 'no-store')
  t.match(response.headers.vary, 'Accept')
  t.ok(response.body.endsWith('\n'))

  const types = new Map<string, string>()
  const helped = new Set<string>()
  const seen = new Set<string>()
  for (const line of response.body.split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      const known = kind === 'TYPE' ? types.has(name) : helped.has(name)
      if (known) t.fail(`${kind} of ${name} comes twice`)
      if (kind === 'TYPE') types.set(name, rest)
      else helped.add(name)
      continue
    }
    const parsed = sample.exec(line)
    if (parsed === null) {
      t.fail(`not a sample: ${line}`)
      continue
    }
    const [, name = '', labels = ''] = parsed
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
    if (!types.has(family) || !helped.has(family)) t.fail(`${name} has no type or no help`)
    if (types.get(family) === 'counter' && !name.endsWith('_total')) t.fail(`counter ${name} does not end with _total`)
    if (seen.has(name + labels)) t.fail(`${name}${labels} comes twice`)
    seen.add(name + labels)
  }
  for (const name of ['mcp_requests_total', 'mcp_errors_total', 'mcp_rate_limit_clients', 'mcp_metrics_timestamp', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds', 'http_request_duration_seconds', 'mcp_build_info']) {
    t.ok(types.has(name), name)
  }
})

t.test('a histogram counts up to +Inf', async (t) => {
  const app = await build(t)
  for (const seconds of [0.001, 0.3, 1000]) app.instruments.operation({ method: 'ping', outcome: 'ok', protocolVersion: '2025-11-25', seconds })
  const found = [...await samples(app)].filter(([name]) => name.startsWith('mcp_server_operation_duration_seconds_bucket'))
  t.same(found.map(([, value]) => value), [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3])
  t.match(found.at(-1)?.[0], 'le="+Inf"')
})

t.test('counters with known labels start at 0', async (t) => {
  const found = await samples(await build(t))
  for (const method of countedMethods) {
    for (const outcome of outcomes) t.equal(found.get(`mcp_requests_total{method="${method}",outcome="${outcome}"}`), 0)
    for (const kind of [...errorKinds, 'protocol']) t.equal(found.get(`mcp_errors_total{method="${method}",kind="${kind}"}`), 0)
  }
  for (const reason of authFailures) t.equal(found.get(`mcp_auth_failures_total{reason="${reason}"}`), 0)
  for (const name of ['mcp_rate_limited_total', 'mcp_shed_total{reason="eventLoopDelay"}', 'mcp_shed_total{reason="heapUsedBytes"}', 'mcp_django_retries_total{reason="network"}', 'mcp_requests_in_flight']) {
    t.equal(found.get(name), 0, name)
  }
})

t.test('instruments count what they are told', async (t) => {
  const app = await build(t)
  const { instruments } = app
  instruments.operation({ method: 'tools/call', outcome: 'ok', tool: 'a', protocolVersion: '2025-11-25', seconds: 0.1, resultBytes: 300 })
  instruments.operation({ method: 'tools/call', outcome: 'server_error', tool: 'a', errorKind: 'timeout', errorType: 'tool_error', protocolVersion: '2025-11-25', seconds: 0.1 })
  instruments.operation({ method: 'ping', outcome: 'client_error', errorKind: 'protocol', errorType: '-32601', protocolVersion: '_other', seconds: 0.1 })
  instruments.authFailed('expired')
  instruments.rateLimited()
  instruments.shed('heapUsedBytes')
  instruments.djangoRetry('network')
  instruments.djangoRequest({ method: 'GET', route: '/a/', status: 503, errorKind: 'unavailable', seconds: 0.1 })
  instruments.djangoRequest({ method: 'GET', route: '/a/', errorKind: 'timeout', seconds: 0.1 })
  instruments.inFlight.inc()
  const found = await samples(app)
  for (const [name, value] of Object.entries({
    'mcp_requests_total{method="tools/call",outcome="ok"}': 1,
    'mcp_requests_total{method="tools/call",outcome="server_error"}': 1,
    'mcp_requests_total{method="ping",outcome="client_error"}': 1,
    'mcp_errors_total{method="tools/call",kind="timeout"}': 1,
    'mcp_errors_total{method="ping",kind="protocol"}': 1,
    'mcp_tool_calls_total{tool="a",outcome="ok"}': 1,
    'mcp_tool_calls_total{tool="a",outcome="server_error"}': 1,
    'mcp_tool_result_bytes_count{tool="a"}': 1,
    'mcp_auth_failures_total{reason="expired"}': 1,
    mcp_rate_limited_total: 1,
    'mcp_shed_total{reason="heapUsedBytes"}': 1,
    'mcp_django_retries_total{reason="network"}': 1,
    'mcp_django_request_duration_seconds_count{http_request_method="GET",route="/a/",http_response_status_code="503",error_type="unavailable"}': 1,
    'mcp_django_request_duration_seconds_count{http_request_method="GET",route="/a/",http_response_status_code="",error_type="timeout"}': 1,
    mcp_requests_in_flight: 1
  })) t.equal(found.get(name), value, name)
  t.same(instruments.totals(), { requests: 3, errors: 2 })
})

t.test('requests are counted by route, and those that lead nowhere in one series', async (t) => {
  const app = await build(t)
  for (const id of [1, 2, 3]) await app.inject(`/items/${id}`)
  for (const path of ['/a', '/b', '/c/d', '/items/1/2', '/%00']) t.equal((await app.inject(path)).statusCode, 404, path)
  const counts = [...await samples(app)].filter(([name]) => name.startsWith('http_request_duration_seconds_count'))
  t.same(Object.fromEntries(counts), {
    'http_request_duration_seconds_count{method="GET",route="/items/:id",status_code="200"}': 3,
    'http_request_duration_seconds_count{method="GET",route="__unknown__",status_code="404"}': 5
  })
})

t.test('requests that a later plugin answers are counted', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics, { version: '1' })
  app.addHook('onRequest', async (request, reply) => { if (request.url === '/shed') await reply.code(503).send('no') })
  app.get('/shed', async () => 'ok')
  await app.inject('/shed')
  t.match(await text(app), 'http_request_duration_seconds_count{method="GET",route="/shed",status_code="503"} 1')
})

t.test('gauges are read when the metrics are', async (t) => {
  let clients = 3
  let reading: number | undefined = 7
  const app = await build(t, { rateLimitClients: () => clients })
  app.instruments.gauge('test_gauge', 'A gauge', () => reading)
  app.instruments.labelledGauge('test_kinds', 'A gauge', 'kind', () => ({ tool: 2, resource: 1 }))
  const first = await samples(app)
  t.equal(first.get('mcp_rate_limit_clients'), 3)
  t.equal(first.get('test_gauge'), 7)
  t.equal(first.get('test_kinds{kind="tool"}'), 2)
  t.equal(first.get('test_kinds{kind="resource"}'), 1)
  clients = 4
  reading = undefined
  const second = await samples(app)
  t.equal(second.get('mcp_rate_limit_clients'), 4)
  t.equal(second.get('test_gauge'), 7, 'undefined leaves the last value')
})

t.test('the time, the load and the version are there', async (t) => {
  const before = Math.floor(Date.now() / 1000)
  const found = await samples(await build(t))
  const timestamp = found.get('mcp_metrics_timestamp') ?? 0
  t.ok(Number.isInteger(timestamp) && timestamp >= before && timestamp <= Date.now() / 1000)
  const utilization = found.get('mcp_event_loop_utilization') ?? -1
  t.ok(utilization >= 0 && utilization <= 1)
  t.equal(found.get(`mcp_build_info{version="1.2.3",node="${process.version}"}`), 1)
})

t.test('JSON comes on Accept, with the names of the standard', async (t) => {
  const app = await build(t, { rateLimitClients: () => 5 })
  app.instruments.operation({ method: 'ping', outcome: 'ok', protocolVersion: '2025-11-25', seconds: 0.1 })
  app.instruments.operation({ method: 'ping', outcome: 'client_error', errorKind: 'protocol', protocolVersion: '2025-11-25', seconds: 0.1 })
  for (const accept of ['application/json', 'text/html;q=0.5, application/json']) {
    const response = await app.inject({ url: '/metrics', headers: { accept } })
    t.match(response.headers['content-type'], 'application/json')
    const body: { timestamp: unknown, metrics: Array<{ name: string }> } = response.json()
    t.match(body, { requests_total: 2, errors_total: 1, rate_limit_clients: 5, timestamp: Number })
    t.ok(Number.isInteger(body.timestamp))
    t.ok(body.metrics.some(({ name }) => name === 'mcp_requests_total'))
  }
  for (const accept of ['*/*', 'text/plain', 'application/openmetrics-text']) {
    const response = await app.inject({ url: '/metrics', headers: { accept } })
    t.match(response.headers['content-type'], 'text/plain', accept)
  }
})

t.test('two apps in one process do not share their counters', async (t) => {
  const first = await build(t)
  const second = await build(t)
  first.instruments.rateLimited()
  await first.inject('/items/1')
  t.equal((await samples(first)).get('mcp_rate_limited_total'), 1)
  const other = await samples(second)
  t.equal(other.get('mcp_rate_limited_total'), 0)
  t.notOk([...other.keys()].some((name) => name.startsWith('http_request_duration_seconds_count')))
})

t.test('the endpoint may be at another path', async (t) => {
  const app = await build(t, { path: '/internal/metrics' })
  t.equal((await app.inject('/internal/metrics')).statusCode, 200)
  t.equal((await app.inject('/metrics')).statusCode, 404)
  t.match((await app.inject({ url: '/internal/metrics', headers: { accept: 'application/json' } })).json(), { rate_limit_clients: 0 })
})

t.test('a counter of other plugins begins at 0 for each of its values', async (t) => {
  const app = await build(t)
  const count = app.instruments.counter('test_total', 'A test', 'result', ['good', 'bad'])
  count('good')
  count('good', 2)
  const found = await samples(app)
  t.equal(found.get('test_total{result="good"}'), 3)
  t.equal(found.get('test_total{result="bad"}'), 0)
})

t.test('[attack 78] [requirement 38] a token for the metrics is asked for where there is one, and compared as a whole', async (t) => {
  const token = '0123456789abcdef0123456789abcdef'
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(metrics, { version: '1', token })
  const get = async (authorization?: string) => await overHttp(app, { url: '/metrics', headers: authorization === undefined ? {} : { authorization } })
  for (const right of [`Bearer ${token}`, `bearer ${token}`]) t.equal((await get(right)).statusCode, 200)
  for (const wrong of [undefined, '', 'Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer  ${token}`, `Bearer ${token.slice(0, -1)}`, `Bearer ${token}0`, `Bearer ${'0'.repeat(32)}`, `Bearer ${'ä'.repeat(32)}`]) {
    const refused = await get(wrong)
    t.equal(refused.statusCode, 401, String(wrong))
    t.equal(refused.headers['www-authenticate'], 'Bearer')
    t.notMatch(refused.body, /mcp_|0123/)
  }
})

t.test('[attack 78] the whole app asks for it as well, and the token of a caller is none for the metrics', async (t) => {
  const app = await buildApp(t, { METRICS_TOKEN: '0123456789abcdef0123456789abcdef' })
  for (const [authorization, status] of [['Bearer 0123456789abcdef0123456789abcdef', 200], [`Bearer ${bearer()}`, 401], ['Bearer 0123456789abcdef0123456789abcdee', 401], ['Bearer \u00e9', 401]] as const) {
    for (const accept of ['text/plain', 'application/json']) t.equal((await overHttp(app, { url: '/metrics', headers: { authorization, accept } })).statusCode, status, authorization)
  }
  const forMcp = await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders('0123456789abcdef0123456789abcdef'), payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })
  t.equal(forMcp.statusCode, 401, 'nor is that of the metrics one for calls')
})

t.test('[attack 78] secrets are compared by digests, whatever their lengths', async (t) => {
  t.equal(sameSecret('a', 'a'), true)
  for (const [given, expected] of [['a', 'b'], ['', 'a'], ['a', ''], ['a', 'aa'], ['x'.repeat(100_000), 'x'], ['é', 'e\u0301']] as const) t.equal(sameSecret(given, expected), false)
})
