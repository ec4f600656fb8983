import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { shapeProblem } from '../../checks/json-shape.ts'
import { bodyLimits } from '../../routes/mcp/body.ts'
import { buildApp, environment, listen, LogLines, mcpHeaders, overHttp, rpc, token } from '../helper.ts'
import { head, sendRaw } from '../raw.ts'

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

/** Lines of a good request; the length is the test's. */
function lines (...more: string[]): string[] {
  return ['Host: localhost', 'Connection: close', 'Accept: application/json, text/event-stream', `Authorization: Bearer ${token()}`, ...more]
}

const typed = 'Content-Type: application/json'

/** Sends one good head with this body. */
async function post (url: string, body: string | Buffer, ...more: string[]) {
  return await sendRaw(url, head(lines(`Content-Length: ${Buffer.byteLength(body)}`, ...more)), body)
}

t.test('[attack 55] [requirement 31] a body of nothing but brackets is refused before it is parsed', async (t) => {
  const { url } = await listen(t)
  for (const body of ['['.repeat(800_000), '{"a":'.repeat(100_000), `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_opportunities","arguments":${'['.repeat(200)}${']'.repeat(200)}}}`]) {
    const answer = await post(url, body, typed)
    t.equal(answer.status, 400)
    t.match(JSON.parse(answer.body), { jsonrpc: '2.0', id: null, error: { code: -32600, message: /nested more than 64 levels/ } })
  }
})

t.test('[requirement 31] depth, number and length are bounded, and brackets in texts are none', async (t) => {
  const problem = (text: string) => shapeProblem(Buffer.from(text), bodyLimits)
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  t.equal(problem(nested(64)), undefined)
  t.match(problem(nested(65)), /64 levels/)
  t.equal(problem(`[${Array.from({ length: 1000 }, () => nested(60)).join()}]`), undefined, 'depth is not number')
  t.equal(problem(JSON.stringify({ a: '['.repeat(100), '{{{"{': '\\"[[[', c: '"\\' })), undefined)
  t.equal(problem(JSON.stringify(['\\', ...Array.from({ length: 70 }, () => '[')])), undefined)
  t.equal(problem(JSON.stringify(Array.from({ length: 99_999 }, () => 0))), undefined)
  t.match(problem(JSON.stringify(Array.from({ length: 100_001 }, () => 0))), /100000 values/)
  t.equal(problem(JSON.stringify('x'.repeat(786_000))), undefined)
  t.match(problem(JSON.stringify('x'.repeat(786_500))), /longer than 786432 bytes/)
  for (const broken of ['', '"', '"\\', '["', ']]]', '{"a":"b']) t.equal(problem(broken), undefined, 'whether it is JSON is not asked')
})

t.test('[attack 56] a body over the limit and one that is encoded are refused', async (t) => {
  const { url } = await listen(t)
  const fill = (length: number): string => `${ping.slice(0, -1)},"params":{"x":"${'x'.repeat(700_000)}","y":"${'y'.repeat(length - ping.length - 700_000 - 25)}"}}`
  t.equal((await post(url, fill(1_048_576), typed)).status, 200)
  t.equal((await post(url, fill(1_048_577), typed)).status, 413)
  for (const encoding of ['gzip', 'br', 'deflate', 'identity', 'gzip, gzip']) {
    const answer = await post(url, ping, typed, `Content-Encoding: ${encoding}`)
    t.equal(answer.status, 415, encoding)
    t.match(JSON.parse(answer.body), { error: { code: -32600, message: /Content-Encoding/ } })
  }
})

t.test('[attack 57] [attack 60] [attack 83] [requirement 31] what is not JSON by its type is refused, and what is read is read as JSON', async (t) => {
  const { url } = await listen(t)
  for (const type of ['text/plain', 'text/plain; application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/json, text/plain', 'application/json garbage', 'application/xml', 'application/vnd.api+json', 'application/', '*/*', ';application/json']) {
    t.equal((await post(url, ping, `Content-Type: ${type}`)).status, 415, type)
  }
  t.equal((await post(url, ping)).status, 415, 'none')
  for (const type of ['application/json', 'Application/JSON', 'application/json\t', 'application/json;', 'application/json ; charset=utf-8', 'application/json; charset=utf-16', 'application/json\t; a']) {
    t.equal((await post(url, ping, `Content-Type: ${type}`)).status, 200, type)
    t.equal((await post(url, '{"jsonrpc":', `Content-Type: ${type}`)).status, 400, type)
    t.equal((await post(url, '["not a message"]', `Content-Type: ${type}`)).status, 400, type)
  }
})

t.test('[attack 58] bytes that are no UTF-8 are refused, wherever they are', async (t) => {
  const { url } = await listen(t)
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
    const body = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":"'), Buffer.from(bytes), Buffer.from('","method":"ping"}')])
    const answer = await post(url, body, typed)
    t.equal(answer.status, 400)
    t.match(JSON.parse(answer.body), { error: { code: -32700, message: /UTF-8/ } })
  }
  t.match(JSON.parse((await post(url, '{"jsonrpc":"2.0","id":"é漢🎉","method":"ping"}', typed)).body), { id: 'é漢🎉', result: {} })
})

t.test('[attack 59] names that would reach a prototype are refused, at every depth', async (t) => {
  const app = await buildApp(t)
  for (const part of ['"__proto__":{"isAdmin":true}', '"a":{"b":[{"__proto__":{}}]}', '"constructor":{"prototype":{"x":1}}', '"\\u005f_proto__":{}']) {
    const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_opportunities","arguments":{${part}}}}` })
    t.equal(response.statusCode, 400, part)
  }
  t.equal('isAdmin' in {}, false)
})

t.test('[attack 34] a batch is refused whole, in both eras', async (t) => {
  let called = 0
  const app = await buildApp(t, {}, undefined, { tools: [{ name: 'allowed', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, handler: () => { called += 1; return 'x' } }, { name: 'wipe', description: 'd', input: { type: 'object' }, handler: () => { called += 1; return 'x' } }] })
  const batch = ['allowed', 'wipe'].map((name, id) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } }))
  for (const version of ['2025-03-26', '2025-11-25', '2026-07-28']) {
    const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), 'mcp-protocol-version': version }, payload: batch })
    t.equal(response.statusCode, 400)
    t.match(response.json(), { id: null, error: { code: -32600, message: /one message a request/ } })
  }
  t.equal(called, 0)
})

t.test('[attack 62] requests of which two servers could see different ends are refused', async (t) => {
  const { url } = await listen(t)
  const length = `Content-Length: ${ping.length}`
  const chunked = `${ping.length.toString(16)}\r\n${ping}\r\n0\r\n\r\n`
  // It ends the connection, and not the first one: what comes after that would be refused whatever it is.
  const smuggled = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const good = lines(typed).filter((line) => !line.startsWith('Connection:'))
  const send = async (request: string) => await sendRaw(url, Buffer.from(`${request}${smuggled}`, 'latin1'))
  for (const request of [head([...good, length]) + ping, head([...good, 'Transfer-Encoding: chunked']) + chunked]) {
    const { status, body } = await send(request)
    t.equal(status, 200, 'a good one is served')
    t.match(body, 'mcp_requests_total', 'and so is what comes behind it')
  }
  const cases: Record<string, string> = {
    'length and chunks': head([...good, length, 'Transfer-Encoding: chunked']) + chunked,
    'chunks and length': head([...good, 'Transfer-Encoding: chunked', length]) + chunked,
    'two lengths': head([...good, length, 'Content-Length: 0']) + ping,
    'a list of lengths': head([...good, `Content-Length: ${ping.length}, ${ping.length}`]) + ping,
    'a signed length': head([...good, `Content-Length: +${ping.length}`]) + ping,
    'a hexadecimal length': head([...good, 'Content-Length: 0x28']) + ping,
    'a negative length': head([...good, 'Content-Length: -1']) + ping,
    'an unknown encoding': head([...good, 'Transfer-Encoding: xchunked']) + chunked,
    'chunked twice': head([...good, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity']) + chunked,
    'chunks twice': head([...good, 'Transfer-Encoding: chunked, chunked']) + chunked,
    'chunked is not last': head([...good, 'Transfer-Encoding: chunked, gzip']) + chunked,
    'an encoding behind a vertical tab': head([...good, 'Transfer-Encoding:\u000bchunked']) + chunked,
    'a space before the colon': head([...good, `Content-Length : ${ping.length}`]) + ping,
    'a folded line': head([...good, 'X-A: a', ` ${length}`]) + ping,
    'a bare line feed': head([...good, length]).replaceAll('\r\n', '\n') + ping,
    'a bare carriage return': head([...good, `X-A: a\r${length}`]) + ping,
    'NUL in a value': head([...good, length, 'X-A: a\u0000b']) + ping,
    'NUL in a name': head([...good, length, 'X\u0000A: b']) + ping,
    'a line without a colon': head([...good, length, 'nonsense']) + ping,
    'no name': head([...good, length, ': b']) + ping,
    'a space before the first header': head([' X-A: b', ...good, length]) + ping,
    'a chunk size that overflows': `${head([...good, 'Transfer-Encoding: chunked'])}ffffffffffffffffff\r\n${ping}\r\n0\r\n\r\n`,
    'a chunk size with a sign': `${head([...good, 'Transfer-Encoding: chunked'])}+28\r\n${ping}\r\n0\r\n\r\n`,
    'a chunk that ends elsewhere': `${head([...good, 'Transfer-Encoding: chunked'])}2\r\n${ping}\r\n0\r\n\r\n`,
    'another version': head([...good, length], 'POST /mcp HTTP/2.0') + ping,
    'a space in the target': head([...good, length], 'POST /mcp /x HTTP/1.1') + ping,
    'a method of its own': head([...good, length], 'POSTX /mcp HTTP/1.1') + ping
  }
  for (const [title, request] of Object.entries(cases)) {
    const { status, body } = await send(request)
    t.equal(status, 400, title)
    t.notMatch(body, 'mcp_requests_total', title)
  }
})

t.test('[attack 62] [requirement 31] a body that two servers could read differently is refused', async (t) => {
  const { url } = await listen(t)
  const good = lines(typed)
  const length = `Content-Length: ${ping.length}`
  const chunked = `${ping.length.toString(16)}\r\n${ping}\r\n0\r\n\r\n`
  const cases: Record<string, string> = {
    'another encoding below chunks': head([...good, 'Transfer-Encoding: gzip, chunked']) + chunked,
    'an encoding that is none below chunks': head([...good, 'Transfer-Encoding: identity, chunked']) + chunked,
    'two encodings in two lines': head([...good, 'Transfer-Encoding: gzip', 'Transfer-Encoding: chunked']) + chunked,
    'two types': head([...good, length, 'content-type: text/plain']) + ping,
    'the same type twice': head([...good, length, typed]) + ping
  }
  for (const [title, request] of Object.entries(cases)) {
    const answer = await sendRaw(url, request)
    t.equal(answer.status, 400, title)
    t.match(JSON.parse(answer.body), { error: { code: -32600, message: /one Content-Type, and no Transfer-Encoding but chunked/ } }, title)
  }
  for (const request of [head([...good, length]) + ping, head([...good, 'Transfer-Encoding: Chunked']) + chunked]) t.equal((await sendRaw(url, request)).status, 200)
})

t.test('headers that are too large are refused before anything reads them', async (t) => {
  const { url } = await listen(t)
  t.equal((await sendRaw(url, head([...lines(typed), `X-A: ${'a'.repeat(20_000)}`]))).status, 431)
})

/** The app with times that a test can wait for. */
async function impatient (t: Test) {
  const loaded = loadConfig(environment())
  const app = Fastify({ ...serverOptions(loaded.config), requestTimeout: 300, http: { headersTimeout: 150, connectionsCheckingInterval: 20 } })
  t.teardown(() => app.close())
  await app.register(djangoMcpServer, { loaded })
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

/** What is answered to who sends the rest of a request a byte at a time; empty where the end came before the answer was read. */
async function drip (url: string, whole: string, sentAtOnce: number): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  let sent = sentAtOnce
  const timer = setInterval(() => {
    // Never the last one.
    if (sent < whole.length - 1 && socket.writable) socket.write(whole.charAt(sent))
    sent += 1
  }, 20)
  socket.on('data', (chunk) => {
    // A byte that comes after the connection has ended would take the answer with it.
    clearInterval(timer)
    answer += chunk.toString()
  })
  socket.on('error', () => undefined)
  socket.write(whole.slice(0, sentAtOnce))
  await new Promise((resolve) => { socket.once('close', resolve) })
  clearInterval(timer)
  return answer
}

t.test('[attack 61] [requirement 32] who sends headers or a body a byte at a time is cut off with 408', async (t) => {
  const { url } = await impatient(t)
  const whole = head(lines(typed, `Content-Length: ${ping.length}`)) + ping
  for (const [title, sentAtOnce] of [['headers', 20], ['the body', whole.length - ping.length]] as const) {
    let answer = ''
    for (let tries = 0; answer === '' && tries < 10; tries += 1) answer = await drip(url, whole, sentAtOnce)
    t.match(answer, /^HTTP\/1\.1 408 /, title)
  }
  let status = 408
  // A busy machine may let even these wait for too long.
  while (status === 408) ({ status } = await post(url, ping, typed))
  t.equal(status, 200, 'others are served')
})

t.test('[requirement 32] times and connections are bounded, and what production sets is what the server has', async (t) => {
  const { app } = await listen(t)
  t.match(app.server, { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 72_000, maxConnections: 5_000 })
  // Connections over the cap are closed; each is tried while the first one is open.
  app.server.maxConnections = 1
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const first = connect(address.port, '127.0.0.1')
  await once(first, 'connect')
  first.write(head(['Host: localhost'], 'GET /live/ HTTP/1.1'))
  t.match(String(await once(first, 'data')), /^HTTP\/1\.1 200 /)
  const second = connect(address.port, '127.0.0.1')
  second.on('error', () => undefined)
  await once(second, 'close')
  t.equal(second.bytesRead, 0)
  first.destroy()
})

t.test('[attack 64] [requirement 28] a null or foreign Origin is refused on every method and path of the endpoint', async (t) => {
  const { url } = await listen(t)
  for (const origin of ['null', 'https://evil.example', 'http://localhost:1', 'file://', '']) {
    for (const method of ['POST', 'GET', 'DELETE', 'PUT', 'PATCH']) {
      for (const path of ['/mcp', '/mcp/']) {
        t.equal((await sendRaw(url, head([...lines(typed, 'Content-Length: 0'), `Origin: ${origin}`], `${method} ${path} HTTP/1.1`))).status, 403, `${method} ${path} ${origin}`)
      }
    }
  }
})

t.test('[attack 65] [requirement 29] a preflight of another origin gets no permission', async (t) => {
  const app = await buildApp(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  const preflight = async (origin: string) => await overHttp(app, { method: 'OPTIONS', url: '/mcp', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization, x-evil' } })
  for (const origin of ['https://evil.example', 'null']) {
    const { headers } = await preflight(origin)
    t.equal(headers['access-control-allow-origin'], undefined)
    t.notMatch(JSON.stringify(headers), /evil/)
  }
  const { headers } = await preflight('https://app.example.com')
  t.equal(headers['access-control-allow-origin'], 'https://app.example.com')
  t.equal(headers['access-control-allow-credentials'], undefined)
  t.notMatch(headers['access-control-allow-headers'], /\*|evil/)
})

t.test('[attack 47] a name or an id that could break a header breaks nothing', async (t) => {
  const { url } = await listen(t)
  for (const value of ['a\\r\\nX-Evil: 1', 'Ā', '\\u0000', '\\ud800']) {
    const answer = await post(url, `{"jsonrpc":"2.0","id":"${value}","method":"tools/call","params":{"name":"${value}"}}`, typed)
    t.equal(answer.status, 200, value)
    t.notMatch(answer.headers, /evil/i)
    t.match(JSON.parse(answer.body), { error: { code: -32602 } })
  }
  const answer = await post(url, Buffer.from(ping), typed, 'X-Correlation-ID: a\u0001b')
  t.notMatch(answer.headers, '\u0001')
})

t.test('[attack 76] what a client sends stays inside its line of the log', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, { LOG_LEVEL: 'DEBUG' }, log)
  await rpc(app, 'tools/call', { name: 'a\n{"level":"ERROR"}\u001b[31m' })
  await overHttp(app, { url: '/x%0a%0dy', headers: { 'user-agent': 'a\tb' } })
  for (const line of log.lines) {
    t.match(line, /^\{.*\}\n$/)
    // oxlint-disable-next-line no-control-regex
    t.notMatch(line.trimEnd(), /[\u0000-\u001f]/)
  }
})
