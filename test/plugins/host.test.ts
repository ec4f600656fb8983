import Fastify from 'fastify'
import t, { type Test } from 'tap'
import host from '../../plugins/host.ts'
import { buildApp, listen, mcpHeaders, overHttp, token } from '../helper.ts'
import { head, sendRaw } from '../raw.ts'

async function build (t: Test, names: readonly string[]) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(host, { names })
  app.get('/', async () => 'ok')
  app.get('/live/', { config: { anyHost: true } }, async () => 'ok')
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

const close = 'Connection: close'

t.test('[attack 64] [requirement 28] only hosts that the service is are served, whatever the path', async (t) => {
  const { app } = await build(t, ['mcp.example.com', '[::2]'])
  for (const name of ['mcp.example.com', 'MCP.Example.com', 'mcp.example.com:8443', 'localhost', 'localhost:8080', '127.0.0.1:8080', '10.1.2.3', '[::1]', '[2001:db8::1]:80']) {
    t.equal((await overHttp(app, { url: '/', headers: { host: name } })).statusCode, 200, name)
  }
  for (const name of ['evil.example', 'mcp.example.com.evil.example', 'evil.example:8080', 'mcp.example.com@evil.example', 'evil.example#mcp.example.com', 'mcp.example.com, evil.example', 'mcp.example.com:x', '[::g]', '127.0.0.1.evil.example', 'localhost.', '0x7f000001.evil.example', '*']) {
    for (const url of ['/', '/nothing']) {
      const response = await overHttp(app, { url, headers: { host: name } })
      t.equal(response.statusCode, 403, `${name} ${url}`)
      t.notMatch(response.body, 'evil')
    }
  }
})

t.test('a host that was served once does not open the way for another', async (t) => {
  const { app } = await build(t, ['mcp.example.com'])
  for (const [name, status] of [['mcp.example.com', 200], ['evil.example', 403], ['mcp.example.com', 200], ['evil.example', 403]] as const) {
    t.equal((await overHttp(app, { url: '/', headers: { host: name } })).statusCode, status)
  }
})

t.test('[attack 63] two Host headers and none are refused', async (t) => {
  const { url } = await build(t, ['mcp.example.com'])
  for (const lines of [['Host: localhost', 'Host: localhost'], ['Host: localhost', 'hOST: evil.example'], ['Host: evil.example', 'Host: localhost']]) {
    t.equal((await sendRaw(url, head([...lines, close], 'GET / HTTP/1.1'))).status, 400, lines.join())
  }
  t.equal((await sendRaw(url, head([], 'GET / HTTP/1.0'))).status, 400, 'HTTP/1.0 need not send one')
  t.equal((await sendRaw(url, head(['Host:', close], 'GET / HTTP/1.1'))).status, 403, 'an empty one')
})

t.test('[attack 63] a target that is a URL goes before the header, and both must be ours', async (t) => {
  const { url } = await build(t, ['mcp.example.com'])
  const get = async (target: string, name: string): Promise<number> => (await sendRaw(url, head([`Host: ${name}`, close], `GET ${target} HTTP/1.1`))).status
  t.equal(await get('http://mcp.example.com/', 'mcp.example.com'), 200)
  t.equal(await get('http://evil.example/', 'mcp.example.com'), 403)
  t.equal(await get('http://mcp.example.com/', 'evil.example'), 403)
  t.equal(await get('http://mcp.example.com@evil.example/', 'mcp.example.com'), 403)
})

t.test('probes may name any host', async (t) => {
  const { app } = await build(t, ['mcp.example.com'])
  t.equal((await overHttp(app, { url: '/live/', headers: { host: 'pod-7.internal' } })).statusCode, 200)
})

t.test('* serves every host', async (t) => {
  const { app, url } = await build(t, ['*'])
  t.equal((await overHttp(app, { url: '/', headers: { host: 'anything.example' } })).statusCode, 200)
  t.equal((await sendRaw(url, head(['Host: a', 'Host: b', close], 'GET / HTTP/1.1'))).status, 400, 'but one at a time')
})

t.test('[attack 64] through the whole app', async (t) => {
  const app = await buildApp(t, { PUBLIC_URL: 'https://mcp.example.com/sub', ALLOWED_HOSTS: 'mcp, mcp.internal', READY_REQUIRES_DJANGO: 'false' })
  const ping = async (name: string): Promise<number> => (await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), host: name }, payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })).statusCode
  for (const name of ['mcp.example.com', 'mcp:8080', 'mcp.internal', '10.0.0.7:8080', 'localhost']) t.equal(await ping(name), 200, name)
  for (const name of ['evil.example', 'example.com']) {
    t.equal(await ping(name), 403, name)
    t.equal((await overHttp(app, { url: '/.well-known/oauth-protected-resource/mcp', headers: { host: name } })).statusCode, 403)
    for (const url of ['/live/', '/ready/', '/metrics']) t.equal((await overHttp(app, { url, headers: { host: name } })).statusCode, 200, url)
  }
})

t.test('[attack 64] [requirement 34] a flood of foreign hosts is limited', async (t) => {
  for (const url of ['/mcp', '/nothing', '/.well-known/oauth-protected-resource']) {
    const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '2', RATE_LIMIT_ADDRESS_REQUESTS: '100' })
    const found: number[] = []
    for (let index = 0; index < 4; index += 1) found.push((await overHttp(app, { method: url === '/mcp' ? 'POST' : 'GET', url, headers: { host: 'evil.example' } })).statusCode)
    t.strictSame(found, [403, 403, 429, 429], url)
    t.equal((await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })).statusCode, 200, 'who names the right one is served')
  }
  const { url } = await listen(t, { RATE_LIMIT_REQUESTS: '1' })
  for (const status of [400, 429]) t.equal((await sendRaw(url, head(['Host: localhost', 'Host: localhost', close], 'GET / HTTP/1.1'))).status, status)
})

t.test('a public URL with an address is one of our hosts', async (t) => {
  const { url } = await listen(t, { PUBLIC_URL: 'http://[::1]:8080' })
  t.equal((await fetch(`${url}/live/`)).status, 200)
})
