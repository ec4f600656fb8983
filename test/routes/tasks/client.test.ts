import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client'
import { isCreateTaskResultV2, isDetailedTaskV2 } from '@modelcontextprotocol/ext-tasks/core/v2'
import t from 'tap'
import { djangoStub, listen } from '../../helper.ts'
import { ask, begin, exporting, exportJobs, extension, until, writer } from './helper.ts'

t.test('a client with the protocol\'s own package for tasks', async (t) => {
  const django = await djangoStub(t, exportJobs())
  const { url } = await listen(t, { DJANGO_BASE_URL: django.url }, undefined, { tools: [exporting('required')] })
  const clientInfo = { name: 'test', version: '1.0.0' }
  const clientCapabilities = { extensions: { [extension]: {} } }
  const headers = { authorization: `Bearer ${writer()}` }
  const client = new Client(clientInfo, { capabilities: clientCapabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }))
  const session = createTaskSessionFromClient(client, {
    endpointId: 'test',
    v2RequestFraming: { protocolVersion: '2026-07-28', clientInfo, clientCapabilities },
    // What an application does in the place of the SDK, which does not know results of this type.
    async rawDispatch (request) {
      const { method, params } = JSON.parse(JSON.stringify(request))
      const response = await fetch(`${url}/mcp`, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...(params.name ?? params.taskId) === undefined ? {} : { 'mcp-name': params.name ?? params.taskId }
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      })
      const { result, error } = JSON.parse(await response.text())
      return error === undefined ? { kind: 'result', result } : { kind: 'error', error }
    }
  })
  const execution = await session.callTool('export_rows', {})
  const { outcome } = await execution.settle()
  t.match(resultFromTaskOutcome(outcome), { structuredContent: { url: '/files/1', rows: 3 } })
  t.ok(django.requests.filter(({ method, url }) => method === 'GET' && url.startsWith('/exports/')).length >= 2)
  await session.close()
  await client.close()
})

t.test('messages have the form that this package knows', async (t) => {
  const django = await djangoStub(t, exportJobs())
  const { app } = await listen(t, { DJANGO_BASE_URL: django.url }, undefined, { tools: [exporting()] })
  const options = { bearer: writer() }
  const { result } = await ask(app, 'tools/call', { name: 'export_rows', arguments: {} }, options)
  t.ok(isCreateTaskResultV2(result))
  t.ok(isDetailedTaskV2((await ask(app, 'tasks/get', { taskId: result.taskId }, options)).result))
  t.ok(isDetailedTaskV2(await until(app, result.taskId, ['completed'], writer())))
  const cancelled = await begin(app, 'export_rows', {}, writer())
  await ask(app, 'tasks/cancel', { taskId: cancelled }, options)
  t.ok(isDetailedTaskV2((await ask(app, 'tasks/get', { taskId: cancelled }, options)).result))
})
