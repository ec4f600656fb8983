import { once } from 'node:events'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { z } from 'zod'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { defineTool } from '../../plugins/catalog/definition.ts'
import { djangoStub, environment, json, listen, mcpHeaders, modernRequest, modernRpc, rpc, token } from '../helper.ts'

/** The app with a tool that ends when it is cancelled or told to. */
async function waiting (t: Test) {
  const calls: Array<{ signal: AbortSignal, finish: () => void }> = []
  let entered: () => void = () => undefined
  const tool = defineTool({
    name: 'wait',
    description: 'd',
    annotations: { readOnlyHint: true },
    input: z.object({ progress: z.boolean().default(false) }),
    async handler (args, { signal, progress }) {
      if (args.progress) await progress(1)
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => { resolve() })
        calls.push({ signal, finish: resolve })
        entered()
      })
      return 'done'
    }
  })
  const { app, url } = await listen(t, {}, undefined, { tools: [tool] })
  const post = async (message: Record<string, unknown>, { bearer = token(), agent = 'a' } = {}) => await fetch(`${url}/mcp`, { method: 'POST', headers: { ...mcpHeaders(bearer), 'user-agent': agent }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  return {
    app,
    calls,
    /** Begins a call and waits until its tool runs. */
    begin: async (id: string | number, options = {}, params: Record<string, unknown> = {}) => {
      const running = new Promise<void>((resolve) => { entered = resolve })
      const response = post({ id, method: 'tools/call', params: { name: 'wait', ...params } }, options)
      await running
      return { response }
    },
    cancel: async (params: unknown, options = {}) => {
      const response = await post({ method: 'notifications/cancelled', params }, options)
      t.equal(response.status, 202)
      t.equal(await response.text(), '')
    }
  }
}

t.test('a call that is cancelled ends, without an answer', async (t) => {
  const { app, calls, begin, cancel } = await waiting(t)
  for (const id of [7, '7']) {
    const { response } = await begin(id)
    await cancel({ requestId: id, reason: 'x' })
    t.equal(calls.at(-1)?.signal.aborted, true)
    t.equal(await (await response).text(), '')
    t.match((await response).headers.get('content-type'), 'text/event-stream')
  }
  const { response } = await begin(1, {}, { arguments: { progress: true }, _meta: { progressToken: 1 } })
  await cancel({ requestId: 1 })
  const text = await (await response).text()
  t.match(text, 'notifications/progress')
  t.notMatch(text, '"result"')
  const { body } = await app.inject('/metrics')
  t.match(body, 'mcp_requests_total{method="tools/call",outcome="cancelled"} 3\n')
  t.match(body, 'mcp_requests_in_flight 0\n')
})

t.test('nobody cancels what is another\'s, and nothing is cancelled that may be another\'s', async (t) => {
  const { calls, begin, cancel } = await waiting(t)
  const { response } = await begin(7)
  await cancel({ requestId: 7 }, { bearer: token({ sub: 'user-2' }) })
  await cancel({ requestId: 7 }, { bearer: token({ client_id: 'other' }) })
  await cancel({ requestId: 7 }, { agent: 'b' })
  await cancel({ requestId: '7' })
  await cancel({ requestId: 8 })
  for (const params of [{}, { requestId: null }, { requestId: {} }, { requestId: '__proto__' }]) await cancel(params)
  const same = await begin(7)
  await cancel({ requestId: 7 })
  t.strictSame(calls.map(({ signal }) => signal.aborted), [false, false])
  calls[0]?.finish()
  t.match(await (await response).json(), { id: 7, result: { content: [{ text: 'done' }] } })
  await cancel({ requestId: 7 })
  t.equal(calls[1]?.signal.aborted, true, 'the one that is left')
  t.equal(await (await same.response).text(), '')
  await cancel({ requestId: 7 })
})

t.test('a call whose client goes away before it is served does not begin, in both eras', async (t) => {
  const loaded = loadConfig(environment())
  const app = Fastify(serverOptions(loaded.config))
  t.teardown(() => app.close())
  let waiting: () => void = () => undefined
  let done: () => void = () => undefined
  // As a hook does that asks Redis or an authorization server.
  app.addHook('preHandler', async (request, reply) => {
    if (request.url !== '/mcp') return
    const gone = once(reply.raw, 'close')
    waiting()
    await gone
    // What the endpoint does with it is done by then.
    setImmediate(done)
  })
  let begun = 0
  await app.register(djangoMcpServer, {
    loaded,
    definitions: { tools: [{ name: 'write', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, handler () { begun += 1; return 'x' } }] }
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const { headers, payload } = modernRequest('tools/call', { name: 'write' })
  const messages = [
    { headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'write' } } },
    { headers, payload }
  ]
  for (const [index, message] of messages.entries()) {
    const reached = new Promise<void>((resolve) => { waiting = resolve })
    const served = new Promise<void>((resolve) => { done = resolve })
    const leaving = new AbortController()
    const sent = t.rejects(fetch(`${url}/mcp`, { method: 'POST', headers: message.headers, body: JSON.stringify(message.payload), signal: leaving.signal }))
    await reached
    leaving.abort()
    await sent
    await served
    t.match((await app.inject('/metrics')).body, `mcp_requests_total{method="tools/call",outcome="cancelled"} ${index + 1}\n`)
  }
  t.equal(begun, 0)
  t.match((await app.inject('/metrics')).body, 'mcp_requests_in_flight 0\n')
})

t.test('what a tool has begun and does not wait for ends with the call, and not with the server', async (t) => {
  const unseen: unknown[] = []
  const listener = (reason: unknown): void => { unseen.push(reason) }
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  let reached: () => void = () => undefined
  let waiting = 0
  const django = await djangoStub(t, (request, response) => {
    if (request.url?.startsWith('/rows/') !== true) { json(response, 200, {}); return }
    waiting += 1
    if (waiting % 3 === 0) reached()
  })
  const schema = z.unknown()
  const tool = defineTool({
    name: 'both',
    description: 'd',
    annotations: { readOnlyHint: true },
    asks: true,
    input: z.object({ question: z.boolean().default(false) }),
    async handler ({ question }, { django, ask }) {
      if (question) {
        const [one, two] = [ask({ message: 'One?' }), ask({ message: 'Two?' })]
        return `${(await one).action} ${(await two).action}`
      }
      // As one writes it who has not heard of Promise.all: the others fail while the first one is waited for.
      const [one, two, three] = [django.get('/rows/', { schema }), django.request('GET', '/rows/'), django.send({ method: 'GET', route: '/rows/', target: '/rows/', headers: {}, body: undefined })]
      return JSON.stringify([await one, await two, await three])
    }
  })
  const { app, url } = await listen(t, { DJANGO_BASE_URL: django.url, DJANGO_MAX_RETRIES: 0 }, undefined, { tools: [tool] })
  const { headers, payload } = modernRequest('tools/call', { name: 'both' })
  for (const message of [{ headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'both' } } }, { headers, payload }]) {
    const begun = new Promise<void>((resolve) => { reached = resolve })
    const leaving = new AbortController()
    const sent = t.rejects(fetch(`${url}/mcp`, { method: 'POST', headers: message.headers, body: JSON.stringify(message.payload), signal: leaving.signal }))
    await begun
    leaving.abort()
    await sent
  }
  let metrics = ''
  while (!metrics.includes('mcp_requests_total{method="tools/call",outcome="cancelled"} 2\n')) metrics = await (await fetch(`${url}/metrics`)).text()
  const question = { name: 'both', arguments: { question: true } }
  t.match((await rpc(app, 'tools/call', question)).json().result, { isError: true, content: [{ text: /One\?/ }] })
  t.match((await modernRpc(app, 'tools/call', question)).json().result, { resultType: 'input_required' })
  t.strictSame(unseen, [])
})

t.test('telling a client of progress that has gone away is no error, in both eras', async (t) => {
  const told: Array<Promise<void>> = []
  let running: () => void = () => undefined
  let ended: () => void = () => undefined
  const tool = defineTool({
    name: 'steps',
    description: 'd',
    annotations: { readOnlyHint: true },
    input: z.object({}),
    async handler (_args, { signal, progress }) {
      await progress(1)
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => { resolve() })
        running()
      })
      // A tool need not wait for it; then an error would be nobody's, and end the process.
      told.push(progress(2), progress(3))
      ended()
      return 'done'
    }
  })
  const { url } = await listen(t, {}, undefined, { tools: [tool] })
  const { headers, payload } = modernRequest('tools/call', { name: 'steps' }, { meta: { progressToken: 1 } })
  for (const message of [
    { headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'steps', _meta: { progressToken: 1 } } } },
    { headers, payload }
  ]) {
    const begun = new Promise<void>((resolve) => { running = resolve })
    const left = new Promise<void>((resolve) => { ended = resolve })
    const leaving = new AbortController()
    const response = await fetch(`${url}/mcp`, { method: 'POST', headers: message.headers, body: JSON.stringify(message.payload), signal: leaving.signal })
    await begun
    leaving.abort()
    await t.rejects(response.text())
    await left
    await t.resolves(Promise.all(told.splice(0)))
  }
})
