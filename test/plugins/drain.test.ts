import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import drain, { type DrainOptions } from '../../plugins/drain.ts'

async function build (t: Test, options: DrainOptions = {}, onClose = (): void => {}) {
  const app = Fastify({ return503OnClosing: false, keepAliveTimeout: 72_000 })
  let release = (): void => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  let arrived = (): void => {}
  const arrival = new Promise<void>((resolve) => { arrived = resolve })
  let drained = (): void => {}
  const draining = new Promise<void>((resolve) => { drained = resolve })
  await app.register(drain, { ...options, onDrain: () => { drained(); options.onDrain?.() } })
  app.addHook('onClose', async () => { onClose() })
  app.get('/', async () => ({ draining: app.draining() }))
  app.get('/slow', async () => { arrived(); await released; return 'done' })
  app.get('/hijacked', async (_request, reply) => {
    reply.hijack()
    arrived()
    await released
    reply.raw.writeHead(200).end('done')
  })
  const agent = new Agent({ keepAlive: true })
  t.teardown(async () => { agent.destroy(); release(); await app.close() })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  async function request (path: string): Promise<{ status: number | undefined, body: string }> {
    const [response]: IncomingMessage[] = await once(get(`${url}${path}`, { agent }), 'response')
    if (response === undefined) throw new Error('no answer')
    let body = ''
    for await (const chunk of response.setEncoding('utf8')) body += String(chunk)
    return { status: response.statusCode, body }
  }
  return { app, request, release, arrival, draining }
}

t.test('a server that was not told to stop does not drain', async (t) => {
  let drains = 0
  const { app, request } = await build(t, { onDrain: () => { drains += 1 } })
  t.equal(app.draining(), false)
  t.same(await request('/'), { status: 200, body: '{"draining":false}' })
  t.equal(drains, 0)
})

for (const path of ['/slow', '/hijacked']) {
  t.test(`[attack 85] a request of ${path} in flight is finished, and its kept connection does not hold the server`, async (t) => {
    const { app, request, release, arrival, draining } = await build(t)
    const answer = request(path)
    await arrival
    const close = app.close()
    await draining
    t.equal(app.draining(), true)
    for (let tries = 0; tries < 1000 && app.server.listening; tries += 1) await sleep(5)
    t.equal(app.server.listening, false)
    // The connection would stay open for 72 seconds from here, which is longer than this test may take.
    release()
    t.same(await answer, { status: 200, body: 'done' })
    await close
  })
}

t.test('requests that arrive while load balancers look are served', async (t) => {
  const events: string[] = []
  const { app, request, draining } = await build(t, { seconds: 0.2, onDrain: () => { events.push('drain') } }, () => { events.push('closed') })
  const close = app.close()
  await draining
  t.equal(app.draining(), true)
  t.same(await request('/'), { status: 200, body: '{"draining":true}' })
  events.push('served')
  await close
  t.same(events, ['drain', 'served', 'closed'])
  await t.rejects(request('/'), { code: 'ECONNREFUSED' })
})

t.test('a connection that never said anything does not hold the server, and one in the middle of a request is heard', async (t) => {
  const { app, draining } = await build(t)
  app.server.headersTimeout = 600_000
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  async function connected (): Promise<Socket> {
    const accepted = once(app.server, 'connection')
    const socket = connect(address === null || typeof address === 'string' ? 0 : address.port, '127.0.0.1')
    t.teardown(() => { socket.destroy() })
    await accepted
    return socket
  }
  const [silent, speaking] = [await connected(), await connected()]
  const arrived = new Promise<void>((resolve) => {
    app.server.on('checkContinue', (request, response) => {
      resolve()
      request.resume().on('end', () => { response.end('heard') })
    })
  })
  speaking.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n')
  await arrived
  const ended = once(silent, 'close')
  const close = app.close()
  await draining
  silent.resume()
  await ended
  let answer = ''
  speaking.on('data', (chunk) => { answer += String(chunk) })
  speaking.write('hello')
  await once(speaking, 'close')
  t.match(answer, /^HTTP\/1\.1 200 [\s\S]*heard/)
  await close
})

t.test('draining begins once', async (t) => {
  let drains = 0
  const { app } = await build(t, { onDrain: () => { drains += 1 } })
  await Promise.all([app.close(), app.close()])
  t.equal(drains, 1)
})
