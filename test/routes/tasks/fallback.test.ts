import t from 'tap'
import { z } from 'zod'
import { CallError } from '../../../errors.ts'
import { defineTool, startTask } from '../../../plugins/catalog/definition.ts'
import { buildApp, djangoStub, listen, mcpHeaders, modernRpc, rpc, token } from '../../helper.ts'
import { exporting, exportJobs, extension, pause, takesNone, writer } from './helper.ts'

t.test('a client that does not take tasks gets the result when the job is done', async (t) => {
  const { url } = await djangoStub(t, exportJobs(3))
  const app = await buildApp(t, { DJANGO_BASE_URL: url }, undefined, { tools: [exporting()] })
  const call = { name: 'export_rows', arguments: {} }
  const modern = (await modernRpc(app, 'tools/call', call, { bearer: writer(), meta: takesNone })).json().result
  const legacy = (await rpc(app, 'tools/call', call, writer())).json().result
  t.match(modern, { resultType: 'complete', structuredContent: { url: '/files/1', rows: 3 } })
  t.notOk('taskId' in modern)
  t.strictSame(legacy, { content: [{ type: 'text', text: '{"url":"/files/1","rows":3}' }], structuredContent: { url: '/files/1', rows: 3 } })
})

t.test('and is told of the progress where it asks for it', async (t) => {
  const { url } = await djangoStub(t, exportJobs(3))
  const app = await buildApp(t, { DJANGO_BASE_URL: url }, undefined, { tools: [exporting()] })
  const response = await rpc(app, 'tools/call', { name: 'export_rows', arguments: {}, _meta: { progressToken: 'p' } }, writer())
  const messages = [...response.body.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''))
  t.match(messages, [
    { method: 'notifications/progress', params: { progressToken: 'p', progress: 1, message: 'queued' } },
    { method: 'notifications/progress', params: { progressToken: 'p', progress: 2, message: 'exporting' } },
    { method: 'notifications/progress', params: { progressToken: 'p', progress: 3, message: 'exporting' } },
    { result: { structuredContent: { rows: 3 } } }
  ])
})

t.test('a tool that needs tasks is refused before anything starts', async (t) => {
  const { url, requests } = await djangoStub(t, exportJobs())
  const app = await buildApp(t, { DJANGO_BASE_URL: url }, undefined, { tools: [exporting('required')] })
  const call = { name: 'export_rows', arguments: {} }
  const response = await modernRpc(app, 'tools/call', call, { bearer: writer(), meta: takesNone })
  t.equal(response.statusCode, 400)
  t.match(response.json().error, { code: -32021, data: { requiredCapabilities: { extensions: { [extension]: {} } } } })
  const legacy = (await rpc(app, 'tools/call', call, writer())).json()
  t.match(legacy, { result: { isError: true, content: [{ text: /needs a client that supports tasks[\s\S]*will be refused again/ }] } }, 'older revisions have no such error, but a model that reads')
  t.equal(requests.filter(({ method }) => method === 'POST').length, 0)
})

/** A tool whose job does what a test says. */
function scripted (poll: () => unknown) {
  return { name: 'scripted', description: 'd', scopes: ['read'], input: z.object({}), task: { mode: 'optional', poll }, handler: () => startTask({ state: null, pollSeconds: 0.1 }) }
}

t.test('waiting ends with the time that a call may take, and says that the job goes on', async (t) => {
  const tool = { ...scripted(() => ({ status: 'working' })), handler: () => startTask({ state: null, pollSeconds: 6 }) }
  const app = await buildApp(t, { CALL_TIMEOUT: 5 }, undefined, { tools: [tool] })
  const { result } = (await rpc(app, 'tools/call', { name: 'scripted', arguments: {} })).json()
  t.match(result, { isError: true, content: [{ text: /has not ended within 5 seconds[\s\S]*The job goes on: calling again would start another one[\s\S]*Correlation id/ }] })
  t.notMatch(result.content[0].text, /Try again/)
})

t.test('what goes wrong while it waits', async (t) => {
  let looks = 0
  const passing = scripted(() => {
    looks += 1
    if (looks < 3) throw new CallError('unavailable', 'The API failed.')
    return { status: 'completed', result: 'done' }
  })
  const called = async (tool: object) => (await rpc(await buildApp(t, {}, undefined, { tools: [tool] }), 'tools/call', { name: 'scripted', arguments: {} })).json().result
  t.match(await called(passing), { content: [{ text: 'done' }] }, 'a job that cannot be looked at is looked at again')
  t.match(await called(scripted(() => { throw new CallError('conflict', 'No rows.') })), { isError: true, content: [{ text: /No rows/ }] })
  t.match(await called(scripted(() => { throw new Error('secret') })), { isError: true, content: [{ text: /The server failed/ }] })
  t.match(await called(scripted(() => ({ status: 'completed', result: 5 }))), { isError: true, content: [{ text: /not valid/ }] })
  const asking = defineTool({
    name: 'scripted',
    description: 'd',
    scopes: ['read'],
    input: z.object({}),
    task: {
      mode: 'optional',
      async poll (_state, { ask, canAsk }) {
        t.equal(canAsk('elicitation'), false)
        await ask({ message: 'Sure?' })
        return { status: 'completed', result: 'never' }
      }
    },
    handler: () => startTask({ state: null, pollSeconds: 0.1 })
  })
  t.match(await called(asking), { isError: true, content: [{ text: /needs an answer[\s\S]*The job goes on/ }] }, 'asking would mean to start again')
})

t.test('a client that goes away ends the waiting', async (t) => {
  let looks = 0
  let second: (() => void) | undefined
  const lookedTwice = new Promise<void>((resolve) => { second = resolve })
  const tool = scripted(() => {
    looks += 1
    if (looks === 2) second?.()
    return { status: 'working' }
  })
  const { app, url } = await listen(t, {}, undefined, { tools: [tool] })
  const leaving = new AbortController()
  const sent = fetch(`${url}/mcp`, {
    method: 'POST',
    signal: leaving.signal,
    headers: mcpHeaders(token()),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'scripted', arguments: {} } })
  })
  await lookedTwice
  leaving.abort()
  await t.rejects(sent)
  while (!(await app.inject('/metrics')).body.includes('mcp_requests_total{method="tools/call",outcome="cancelled"} 1')) await pause(5)
  const seen = looks
  await pause(300)
  t.equal(looks, seen)
})
