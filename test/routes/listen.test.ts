import Fastify from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import djangoMcpServer from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { anonymous } from '../../plugins/auth/index.ts'
import { Catalog } from '../../plugins/catalog/index.ts'
import { ListenStreams, TooManyStreams } from '../../routes/mcp/listen.ts'
import { buildApp, environment, fromNow, listen, modernRequest, modernRpc, rpc, token } from '../helper.ts'
import { startRedis, withoutRedis } from '../redis.ts'

const filter = { notifications: { toolsListChanged: true, resourceSubscriptions: ['client://1'] } }

/** The app with its decorators in reach, listening. */
async function reachable (t: Test) {
  const app = Fastify({ return503OnClosing: false })
  t.teardown(() => app.close())
  await app.register(fp(djangoMcpServer), { loaded: loadConfig(environment({ RATE_LIMIT_REQUESTS: 1000 })) })
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

/** Opens a stream; gives its answer and a reader of its messages. */
async function open (url: string, bearer = token(), signal?: AbortSignal) {
  const { headers, payload } = modernRequest('subscriptions/listen', filter, { bearer })
  const response = await fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(payload), ...(signal === undefined ? {} : { signal }) })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  return {
    response,
    /** The next message, undefined where the stream has ended. */
    async next (): Promise<Record<string, unknown> | undefined> {
      for (;;) {
        const event = /data: (.*)\n\n/.exec(buffer)
        if (event !== null) {
          buffer = buffer.slice(event.index + event[0].length)
          return JSON.parse(event[1] ?? '')
        }
        const { value, done } = await reader?.read() ?? { value: undefined, done: true }
        if (done) return undefined
        buffer += value
      }
    }
  }
}

t.test('a stream begins with what is honoured and tells of changes', async (t) => {
  const { app, url } = await reachable(t)
  const stream = await open(url)
  t.match(stream.response.headers.get('content-type'), /^text\/event-stream/)
  t.ok(stream.response.headers.get('x-correlation-id'))
  const acknowledged = await stream.next()
  const subscription = { 'io.modelcontextprotocol/subscriptionId': 1 }
  t.match(acknowledged, { method: 'notifications/subscriptions/acknowledged', params: { notifications: { toolsListChanged: true }, _meta: subscription } })
  t.notMatch(JSON.stringify(acknowledged), 'client://1', 'single resources cannot be subscribed to')
  app.catalogs.replace(new Catalog([], [], []))
  t.match(await stream.next(), { method: 'notifications/tools/list_changed', params: { _meta: subscription } })
  t.strictSame(app.catalog.sizes, { tool: 0, prompt: 0, resource: 0, resource_template: 0 })
})

t.test('a stream needs a token with the scope', async (t) => {
  const { url } = await reachable(t)
  t.equal((await open(url, token({ scope: '' }))).response.status, 403)
  t.equal((await open(url, 'nonsense')).response.status, 401)
})

t.test('[attack 89] [requirement 32] a stream ends with its token', async (t) => {
  const { url } = await reachable(t)
  let stream = await open(url, token({ exp: fromNow(2) }))
  // A busy machine may need longer than that to open it.
  for (let seconds = 4; stream.response.status === 401; seconds *= 2) stream = await open(url, token({ exp: fromNow(seconds) }))
  t.ok(await stream.next())
  t.equal(await stream.next(), undefined)
})

t.test('[attack 84] [requirement 32] one principal has ten streams at most, and ends them by going away', async (t) => {
  const { url } = await reachable(t)
  const leaving = new AbortController()
  for (let index = 0; index < 10; index += 1) t.ok(await (await open(url, token(), leaving.signal)).next())
  t.equal((await open(url)).response.status, 429)
  t.equal((await open(url, token({ sub: 'user-2' }))).response.status, 200)
  leaving.abort()
  let status = 429
  while (status === 429) status = (await open(url)).response.status
  t.equal(status, 200)
})

t.test('shutdown ends streams as the protocol does, with their result', async (t) => {
  const { app, url } = await reachable(t)
  const stream = await open(url)
  t.ok(await stream.next())
  const closed = app.close()
  t.match(await stream.next(), { id: 1, result: { resultType: 'complete' } })
  t.equal(await stream.next(), undefined)
  await closed
})

t.test('a filter that is none is refused, and counted so', async (t) => {
  const app = await buildApp(t)
  const wrong = [{}, { notifications: null }, { notifications: [] }, { notifications: { toolsListChanged: 'yes' } }, { notifications: { resourceSubscriptions: 'client://1' } }, { notifications: { resourceSubscriptions: [5] } }]
  for (const params of wrong) {
    const response = await modernRpc(app, 'subscriptions/listen', params)
    t.equal(response.statusCode, 200)
    t.match(response.json(), { id: 1, error: { code: -32602, message: /^Invalid params: notifications/, data: { correlation_id: response.headers['x-correlation-id'] } } })
  }
  t.match((await app.inject('/metrics')).body, `mcp_errors_total{method="subscriptions/listen",kind="protocol"} ${wrong.length}\n`)
  t.match((await rpc(app, 'subscriptions/listen', {})).json(), { error: { code: -32601 } }, 'older revisions do not have it')
})

t.test('[attack 84] [requirement 32] however many streams are asked for at once, one principal has ten', { skip: withoutRedis }, async (t) => {
  // Its answers let many requests go on in the same moment.
  const redis = await startRedis(t)
  const { url } = await listen(t, { RATE_LIMIT_REQUESTS: 1000, REDIS_URL: redis.url })
  // So that they come over connections that are there already.
  await Promise.all(Array.from({ length: 60 }, async () => await (await fetch(`${url}/live/`)).text()))
  const answers = await Promise.all(Array.from({ length: 60 }, () => open(url)))
  t.equal(answers.filter(({ response }) => response.status === 200).length, 10)
  const refused = answers.filter(({ response }) => response.status === 429)
  t.equal(refused.length, 50)
  t.match(refused[0]?.response.headers.get('content-type'), 'application/json')
})

t.test('[requirement 32] all streams together are bounded as well', async (t) => {
  const app = Fastify()
  const streams = new ListenStreams({ info: { name: 'test', version: '1' }, log: app.log, isRevoked: async () => false, maxStreams: 2 })
  t.teardown(async () => {
    await streams.close()
    await app.close()
  })
  app.decorateRequest('principal', null)
  app.post('/mcp', async (request, reply) => {
    request.principal = { ...anonymous, key: String(streams.size) }
    reply.hijack()
    const { payload } = modernRequest('subscriptions/listen', filter)
    await streams.serve(request, reply, { ...payload, jsonrpc: '2.0' }).catch((error: unknown) => {
      t.ok(error instanceof TooManyStreams)
      reply.raw.writeHead(429).end()
    })
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const status of [200, 200, 429]) t.equal((await open(url)).response.status, status)
  t.equal(streams.size, 2)
})

t.test('[attack 89] [requirement 32] a stream ends when its token is revoked', async (t) => {
  let revoked = false
  const app = Fastify()
  const streams = new ListenStreams({ info: { name: 'test', version: '1' }, log: app.log, isRevoked: async () => revoked, revocationInterval: 10 })
  t.teardown(async () => {
    await streams.close()
    await app.close()
  })
  app.decorateRequest('principal', null)
  app.post('/mcp', async (request, reply) => {
    request.principal = anonymous
    reply.hijack()
    const { payload } = modernRequest('subscriptions/listen', filter)
    await streams.serve(request, reply, { ...payload, jsonrpc: '2.0' })
  })
  const stream = await open(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.ok(await stream.next())
  t.equal(streams.size, 1)
  revoked = true
  t.equal(await stream.next(), undefined)
  t.equal(streams.size, 0)
})
