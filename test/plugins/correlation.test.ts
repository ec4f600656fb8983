import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import correlation, { correlationIdFrom } from '../../plugins/correlation.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

async function build (t: Test, options: { header?: string } = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(correlation, options)
  app.get('/', (request) => ({ id: request.id, correlationId: request.correlationId }))
  app.get('/broken', async () => { throw new Error('broken') })
  return app
}

t.test('an acceptable id of the client is taken over and sent back', async (t) => {
  const app = await build(t)
  for (const id of ['a', 'order-42_a.b', 'A'.repeat(64), '0']) {
    const response = await app.inject({ url: '/', headers: { 'x-correlation-id': id } })
    t.equal(response.headers['x-correlation-id'], id)
    t.same(response.json(), { id, correlationId: id })
  }
})

t.test('every request without an id gets one of its own', async (t) => {
  const app = await build(t)
  const first = await app.inject('/')
  const second = await app.inject('/')
  t.match(first.headers['x-correlation-id'], uuid)
  t.match(second.headers['x-correlation-id'], uuid)
  t.not(first.headers['x-correlation-id'], second.headers['x-correlation-id'])
})

t.test('[requirement 36] [attack 47] an id that could harm a log line or a header is replaced, not cleaned', async (t) => {
  const table: Record<string, string | string[] | undefined> = {
    empty: '',
    'line break': 'a\nlevel=CRITICAL',
    'carriage return': 'a\r\nSet-Cookie: a=b',
    'trailing line break': 'abc\n',
    NUL: 'a\u0000b',
    escape: '\u001b[31mred',
    space: 'a b',
    quote: 'a"b',
    brace: '{}',
    slash: 'a/b',
    percent: '%0a',
    umlaut: 'ä',
    'beyond Latin-1': '\u0141\u010a',
    'line separator': '\u2028',
    '65 characters': 'a'.repeat(65),
    '10 KB': 'a'.repeat(10_240),
    several: ['a', 'b'],
    none: undefined
  }
  for (const [name, value] of Object.entries(table)) t.match(correlationIdFrom(value), uuid, name)
})

t.test('[requirement 36] an unacceptable id over the wire does not come back', async (t) => {
  const app = await build(t)
  for (const id of ['a b', '{"a":1}', 'a'.repeat(10_240), 'a, b', '%0d%0a']) {
    const response = await app.inject({ url: '/', headers: { 'x-correlation-id': id } })
    t.equal(response.statusCode, 200)
    t.match(response.headers['x-correlation-id'], uuid, id.slice(0, 20))
    t.notMatch(response.body, id)
  }
})

t.test('two ids in one request count as none', async (t) => {
  const app = await build(t)
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), hostname)
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Correlation-ID: first\r\nX-Correlation-ID: second\r\nConnection: close\r\n\r\n')
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => { answer += chunk })
  await once(socket, 'close')
  t.match(answer, /^HTTP\/1\.1 200 /)
  t.match(/^x-correlation-id: (.*)\r$/im.exec(answer)?.[1], uuid)
})

t.test('answers that no route of ours makes carry the id too', async (t) => {
  const app = await build(t)
  const headers = { 'x-correlation-id': 'mine' }
  const missing = await app.inject({ url: '/nothing-here', headers })
  t.equal(missing.statusCode, 404)
  t.equal(missing.headers['x-correlation-id'], 'mine')
  const broken = await app.inject({ url: '/broken', headers })
  t.equal(broken.statusCode, 500)
  t.equal(broken.headers['x-correlation-id'], 'mine')
  const malformed = await app.inject({ method: 'POST', url: '/', headers: { ...headers, 'content-type': 'application/json' }, payload: '{' })
  t.equal(malformed.statusCode, 400)
  t.equal(malformed.headers['x-correlation-id'], 'mine')
})

t.test('the header may have another name', async (t) => {
  const app = await build(t, { header: 'X-Request-ID' })
  const response = await app.inject({ url: '/', headers: { 'x-request-id': 'mine', 'x-correlation-id': 'other' } })
  t.equal(response.headers['x-request-id'], 'mine')
  t.equal(response.headers['x-correlation-id'], undefined)
})
