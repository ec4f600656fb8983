import t, { type Test } from 'tap'
import { z } from 'zod'
import { defineTool } from '../../plugins/catalog/definition.ts'
import { listen, mcpHeaders, token } from '../helper.ts'

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
