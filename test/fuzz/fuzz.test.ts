import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { djangoStub, json, mcpHeaders } from '../helper.ts'
import { fuzz } from './fuzz.ts'
import { problemOf } from './invariants.ts'
import type { FuzzRequest } from './requests.ts'
import { startServer } from './server.ts'

t.test('[attack 58] [attack 74] [requirement 4] [requirement 31] requests of every kind are answered, and none shows the inside', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, { count: 0, results: [] }) })
  const { app, log, url } = await startServer(django.url)
  t.teardown(() => app.close())
  const result = await fuzz(url, { seed: 20_261_124, seconds: 60, rounds: 300 })
  t.equal(result.failure, undefined)
  t.ok(result.requests >= 300)
  for (const status of [200, 202, 400, 401, 403]) t.ok((result.statuses.get(status) ?? 0) > 0, `some are answered with ${status}`)
  t.strictSame(log.lines.filter((line) => !line.includes('"logger":"audit"') && !line.includes('password=hunter2')), [], 'no error that no tool made')
})

/** A server that answers every request with this. */
async function serverWith (t: Test, answer: (request: FastifyRequest, reply: FastifyReply) => unknown) {
  const app = Fastify({ bodyLimit: 10_000_000 })
  t.teardown(() => app.close())
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)))
    } catch {
      done(null, null)
    }
  })
  app.setErrorHandler((_error, _request, reply) => reply.code(403).send({ error: 'x', message: 'x' }))
  app.addHook('onRequest', (_request, reply, next) => {
    reply.header('x-correlation-id', 'x')
    next()
  })
  app.all('/*', (request, reply) => reply.send(answer(request, reply)))
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

function idOf (body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'id' in body ? body.id : null
}

t.test('mistakes of a server are found, and what repeats them is printed', async (t) => {
  for (const [title, answer, expected] of [
    ['a 500', (request: FastifyRequest, reply: FastifyReply) => { if (typeof idOf(request.body) === 'string') reply.code(500); return { jsonrpc: '2.0', id: idOf(request.body), result: {} } }, /^status 500/],
    ['an answer without its id', () => ({ jsonrpc: '2.0', id: null, result: {} }), /^the answer has the id null/],
    ['a stack', (request: FastifyRequest) => ({ jsonrpc: '2.0', id: idOf(request.body), result: { text: 'at run (/app/node_modules/x.js:1:2)' } }), /^the answer shows the inside/],
    ['what is no answer', () => ({ ok: true }), /^neither an answer/]
  ] as const) {
    const { failure } = await fuzz(await serverWith(t, answer), { seed: 1, seconds: 30, rounds: 200 })
    t.match(failure, expected, title)
    t.match(failure, /repeat: npm run fuzz -- --seed 1 --path [\d:]+$/, title)
  }
})

t.test('what goes wrong beside the answers is found too', async (t) => {
  const url = await serverWith(t, (_request, reply) => { reply.code(403); return { error: 'x', message: 'x' } })
  let rounds = 0
  const { failure } = await fuzz(url, { seed: 1, seconds: 30, rounds: 50, alsoWrong: () => { rounds += 1; return rounds > 3 ? 'it crashed' : undefined } })
  t.match(failure, /^it crashed/)
})

t.test('a seed repeats its requests', async (t) => {
  const bodies: string[][] = [[], []]
  for (const seen of bodies) {
    const url = await serverWith(t, (request, reply) => { seen.push(JSON.stringify(request.body)); reply.code(403); return { error: 'x', message: 'x' } })
    await fuzz(url, { seed: 7, seconds: 60, rounds: 20 })
  }
  t.ok((bodies[0]?.length ?? 0) > 10)
  t.strictSame(bodies[0]?.toSorted(), bodies[1]?.toSorted())
})

t.test('what an answer must be', async (t) => {
  const message = { jsonrpc: '2.0', id: 5, method: 'ping' }
  const request: FuzzRequest = { method: 'POST', path: '/mcp', headers: Object.entries(mcpHeaders()), body: Buffer.from(''), message }
  const headers = { 'x-correlation-id': 'x', 'content-type': 'application/json' }
  const problem = (status: number, body: unknown, more: Partial<FuzzRequest> = {}, type = 'application/json') => problemOf({ ...request, ...more }, { status, headers: { ...headers, 'content-type': type }, body: typeof body === 'string' ? body : JSON.stringify(body) })
  const error = { jsonrpc: '2.0', id: 5, error: { code: -32601, message: 'x' } }
  t.equal(problem(200, { jsonrpc: '2.0', id: 5, result: {} }), undefined)
  t.equal(problem(200, error), undefined)
  t.equal(problem(202, ''), undefined)
  t.equal(problem(401, { error: 'x', message: 'y' }), undefined)
  t.equal(problem(503, { error: 'x', message: 'y' }), undefined)
  t.equal(problem(400, { ...error, id: null, error: { code: -32700, message: 'x' } }), undefined)
  t.equal(problem(200, `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\nevent: message\ndata: ${JSON.stringify(error)}\n\n`, {}, 'text/event-stream'), undefined)
  t.match(problem(502, ''), '502')
  t.match(problem(202, 'x'), 'a body')
  t.match(problem(200, 'x'), 'not JSON')
  t.match(problem(200, { jsonrpc: '2.0', id: 6, result: {} }), 'id 6')
  t.match(problem(400, { ...error, id: 6 }), 'id 6')
  t.match(problem(400, { ...error, id: null }), 'without the id')
  t.match(problem(200, { error: 'x', message: 'y' }), 'neither')
  t.match(problem(418, { error: 'x', message: 'y' }), 'plain error')
  t.match(problem(200, { ...error, error: { code: 1, message: 'connect ECONNREFUSED' } }), 'inside')
  t.match(problemOf(request, { status: 200, headers: {}, body: '{}' }), 'correlation')
  t.match(problemOf(request, { status: 200, headers: { ...headers, 'x-evil': '1' }, body: '{}' }), 'injected')
})
