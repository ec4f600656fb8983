import Fastify from 'fastify'
import t, { type Test } from 'tap'
import cors from '../../plugins/cors.ts'
import { overHttp } from '../helper.ts'

const good = 'https://app.example.com'

async function build (t: Test, origins: readonly string[], headers?: () => readonly string[]) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cors, { origins, ...(headers === undefined ? {} : { headers }) })
  app.post('/mcp', async () => 'ok')
  return app
}

type App = Awaited<ReturnType<typeof build>>

async function preflight (app: App, origin: string, headers: Record<string, string> = {}) {
  return await overHttp(app, { method: 'OPTIONS', url: '/mcp', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type,x-evil', ...headers } })
}

function names (value: unknown): string[] {
  return String(value).split(',').map((name) => name.trim().toLowerCase())
}

t.test('[requirement 29] a preflight of an allowed origin lists what may be sent', async (t) => {
  const response = await preflight(await build(t, [good, 'https://other.example.com']), good)
  t.equal(response.statusCode, 204)
  t.equal(response.headers['access-control-allow-origin'], good)
  t.match(response.headers.vary, 'Origin')
  const allowed = names(response.headers['access-control-allow-headers'])
  for (const name of ['authorization', 'content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'last-event-id', 'x-correlation-id', 'traceparent']) {
    t.ok(allowed.includes(name), name)
  }
  t.notOk(allowed.includes('*'), 'a wildcard would not cover Authorization')
  t.notOk(allowed.includes('x-evil'), 'what was asked for is not mirrored')
  t.ok(names(response.headers['access-control-allow-methods']).includes('post'))
  t.equal(response.headers['access-control-max-age'], '600')
})

t.test('what else may be sent is asked for with every preflight', async (t) => {
  const more = ['Mcp-Param-Region']
  const app = await build(t, [good], () => more)
  const allowed = async () => names((await preflight(app, good)).headers['access-control-allow-headers'])
  t.ok((await allowed()).includes('authorization'))
  t.ok((await allowed()).includes('mcp-param-region'))
  t.notOk((await allowed()).includes('mcp-param-team'))
  more.push('Mcp-Param-Team')
  t.ok((await allowed()).includes('mcp-param-team'))
})

t.test('[attack 65] an origin that is not allowed gets no permission, and is not mirrored', async (t) => {
  const app = await build(t, [good])
  for (const origin of ['https://evil.example', 'null', 'https://app.example.com.evil.example', 'https://evil-app.example.com', 'http://app.example.com', 'https://app.example.com:8443', 'HTTPS://APP.EXAMPLE.COM', `${good}/`, '*']) {
    for (const response of [await preflight(app, origin), await overHttp(app, { method: 'POST', url: '/mcp', headers: { origin } })]) {
      t.equal(response.headers['access-control-allow-origin'], undefined, origin)
      t.notMatch(JSON.stringify(response.headers), 'evil')
    }
  }
})

t.test('[requirement 29] an answer to an allowed origin may be read, with the headers that a client needs', async (t) => {
  const app = await build(t, [good])
  const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: { origin: good } })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['access-control-allow-origin'], good)
  t.match(response.headers.vary, 'Origin')
  const exposed = names(response.headers['access-control-expose-headers'])
  for (const name of ['www-authenticate', 'retry-after', 'ratelimit', 'ratelimit-policy', 'x-correlation-id']) t.ok(exposed.includes(name), name)
})

t.test('credentials are never allowed', async (t) => {
  for (const origins of [[good], ['*']]) {
    const app = await build(t, origins)
    for (const response of [await preflight(app, good), await overHttp(app, { method: 'POST', url: '/mcp', headers: { origin: good, cookie: 'a=b' } })]) {
      t.equal(response.statusCode < 300, true)
      t.equal(response.headers['access-control-allow-credentials'], undefined)
    }
  }
})

t.test('* lets pages of all origins read', async (t) => {
  const response = await preflight(await build(t, [good, '*']), 'https://any.example')
  t.equal(response.headers['access-control-allow-origin'], '*')
})

t.test('without origins no page may read', async (t) => {
  const response = await preflight(await build(t, []), good)
  t.equal(response.headers['access-control-allow-origin'], undefined)
})

t.test('a request without an origin is served', async (t) => {
  const app = await build(t, [good])
  const response = await overHttp(app, { method: 'POST', url: '/mcp' })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['access-control-allow-origin'], undefined)
})
