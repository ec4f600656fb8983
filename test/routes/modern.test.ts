import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { PingRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import Fastify from 'fastify'
import t from 'tap'
import { z } from 'zod'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { definePrompt, defineResource, defineTool, WithContent } from '../../plugins/catalog/definition.ts'
import { buildApp, djangoStub, environment, json, listen, LogLines, mcpHeaders, modernRequest, modernRpc, overHttp, rpc, token } from '../helper.ts'

const page = { count: 1, next: null, previous: null, results: [{ id: 1, name: 'A', status: 'won', client: null, value: '1.10', stage: null }] }

const versionKey = 'io.modelcontextprotocol/protocolVersion'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

t.test('discovery says what is served, without a handshake', async (t) => {
  const app = await buildApp(t, { SERVER_NAME: 'orbit', SERVER_VERSION: '9.9.9' })
  const response = await modernRpc(app, 'server/discover')
  t.equal(response.statusCode, 200)
  t.match(response.json().result, {
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true }, resources: { listChanged: true }, prompts: { listChanged: true }, completions: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
    ttlMs: 60_000,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'orbit', version: '9.9.9' } }
  })
})

t.test('the same call has the same content in both eras', async (t) => {
  const django = await djangoStub(t, (request, response) => {
    if (request.url?.includes('/clients/7/') === true) json(response, 200, { id: 7, name: 'A' })
    else json(response, 200, page)
  })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url })
  for (const [method, params] of [
    ['tools/call', { name: 'get_opportunities', arguments: { limit: 1 } }],
    ['tools/call', { name: 'get_opportunities', arguments: { limit: 101 } }],
    ['tools/list', {}],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['resources/read', { uri: 'client://7' }],
    ['prompts/list', {}],
    ['prompts/get', { name: 'summarize_client', arguments: { client: 'A' } }],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'client://{client_id}' }, argument: { name: 'client_id', value: '' } }]
  ] as const) {
    const legacy = (await rpc(app, method, params)).json()
    const { resultType, ttlMs: _ttlMs, cacheScope: _cacheScope, _meta, ...modern } = (await modernRpc(app, method, params)).json().result
    t.equal(resultType, 'complete', method)
    const sameIds = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))
    t.strictSame(sameIds(modern), sameIds(legacy.result), method)
  }
})

t.test('a trace that the client is in goes on to Django, and nothing else of it', async (t) => {
  const seen: Array<Record<string, unknown>> = []
  const django = await djangoStub(t, ({ headers: { traceparent, tracestate, baggage } }, response) => {
    seen.push({ traceparent, tracestate, baggage })
    json(response, 200, page)
  })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const call = (meta: object) => ({ name: 'get_opportunities', arguments: {}, _meta: meta })
  const meta = { traceparent, tracestate: 'a=1', baggage: 'user=7' }
  for (const response of [await rpc(app, 'tools/call', call(meta)), await modernRpc(app, 'tools/call', { name: 'get_opportunities', arguments: {} }, { meta })]) {
    t.equal(response.json().result.isError, undefined)
    t.strictSame(seen.pop(), { traceparent, tracestate: 'a=1', baggage: undefined })
  }
  for (const broken of ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331', '00-00000000000000000000000000000000-b7ad6b7169203331-01', `${traceparent}\r\nx: y`, 7, null]) {
    await rpc(app, 'tools/call', call({ traceparent: broken, tracestate: 'a=1' }))
    t.strictSame(seen.pop(), { traceparent: undefined, tracestate: undefined, baggage: undefined }, String(broken))
  }
  await rpc(app, 'tools/call', call({ traceparent, tracestate: 'a=1\r\nx: y' }))
  t.strictSame(seen.pop(), { traceparent, tracestate: undefined, baggage: undefined })
})

t.test('lists say how long they may be kept, and by whom', async (t) => {
  const app = await buildApp(t, {}, undefined, {
    resources: [
      defineResource({ uri: 'app://kept', name: 'kept', description: 'd', cache: { ttlMs: 5000, scope: 'public' }, read: () => 'x' }),
      defineResource({ uri: 'app://not-kept', name: 'not-kept', description: 'd', read: () => 'x' })
    ]
  })
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
    t.match((await modernRpc(app, method)).json().result, { ttlMs: 60_000, cacheScope: 'private' }, method)
  }
  t.match((await modernRpc(app, 'resources/read', { uri: 'app://kept' })).json().result, { ttlMs: 5000, cacheScope: 'public' })
  t.match((await modernRpc(app, 'resources/read', { uri: 'app://not-kept' })).json().result, { ttlMs: 0, cacheScope: 'private' })
})

t.test('[attack 33] [requirement 30] headers and body that disagree are refused with 400', async (t) => {
  const app = await buildApp(t)
  const call = modernRequest('tools/call', { name: 'get_opportunities', arguments: {} })
  const { 'mcp-method': _method, ...withoutMethod } = call.headers
  const { 'mcp-name': _name, ...withoutName } = call.headers
  const { 'mcp-protocol-version': _version, ...withoutVersion } = call.headers
  const cases: Array<[string, Record<string, string>]> = [
    ['another method', { ...call.headers, 'mcp-method': 'tools/list' }],
    ['another name', { ...call.headers, 'mcp-name': 'safe' }],
    ['another version', { ...call.headers, 'mcp-protocol-version': '2025-11-25' }],
    ['no method', withoutMethod],
    ['no name', withoutName],
    ['no version', withoutVersion],
    ['a name that is not base64', { ...call.headers, 'mcp-name': '=?base64?a?=' }],
    ['a name that is not UTF-8', { ...call.headers, 'mcp-name': '=?base64?/w==?=' }]
  ]
  for (const [title, headers] of cases) {
    const response = await overHttp(app, { ...call, headers })
    t.equal(response.statusCode, 400, title)
    t.match(response.json(), { id: 1, error: { code: -32020 } }, title)
  }
  const encoded = `=?base64?${Buffer.from('get_opportunities').toString('base64')}?=`
  t.equal((await overHttp(app, { ...call, headers: { ...call.headers, 'mcp-name': encoded } })).statusCode, 200, 'an encoded name is decoded first')
})

t.test('[attack 33] [requirement 30] no older revision is a way around: headers that are there must say what the body says', async (t) => {
  let called = 0
  const region = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
  const { url } = await listen(t, {}, undefined, { tools: [{ name: 'wipe', description: 'd', scopes: ['read'], input: region, handler: () => { called += 1; return 'wiped' } }] })
  const send = async (version: string | undefined, headers: Record<string, string>) => {
    const { 'mcp-protocol-version': _version, ...others } = mcpHeaders(token())
    return await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { ...others, ...(version === undefined ? {} : { 'mcp-protocol-version': version }), ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wipe', arguments: { region: 'eu' } } })
    })
  }
  for (const version of [undefined, '2025-03-26', '2025-06-18', '2025-11-25']) {
    for (const headers of [{ 'mcp-name': 'safe' }, { 'mcp-method': 'ping' }, { 'mcp-method': 'tools/list', 'mcp-name': 'wipe' }, { 'mcp-name': '=?base64?a?=' }, { 'mcp-param-region': 'us' }]) {
      const response = await send(version, headers)
      t.equal(response.status, 400, `${version}: ${JSON.stringify(headers)}`)
      t.match(await response.json(), { id: 1, error: { code: -32020 } })
    }
  }
  t.equal(called, 0)
  t.equal((await send('2025-11-25', { 'mcp-method': 'tools/call', 'mcp-name': 'wipe', 'mcp-param-region': 'eu' })).status, 200)
  t.equal((await send('2025-11-25', {})).status, 200, 'these revisions ask for none')
  t.equal(called, 2)
})

t.test('[requirement 30] headers that a tool asks for must repeat its arguments', async (t) => {
  const tool = {
    name: 'regional',
    description: 'd',
    annotations: { readOnlyHint: true },
    input: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, size: { type: 'integer', 'x-mcp-header': 'Size' } } },
    handler: () => 'ok'
  }
  const app = await buildApp(t, {}, undefined, { tools: [tool] })
  const call = (args: Record<string, unknown>, headers: Record<string, string>) => {
    const request = modernRequest('tools/call', { name: 'regional', arguments: args })
    return overHttp(app, { ...request, headers: { ...request.headers, ...headers } })
  }
  t.equal((await call({ region: 'eu', size: 42 }, { 'mcp-param-region': 'eu', 'mcp-param-size': '42.0' })).statusCode, 200)
  t.equal((await call({ region: 'ä' }, { 'mcp-param-region': `=?base64?${Buffer.from('ä').toString('base64')}?=` })).statusCode, 200)
  t.equal((await call({ region: null }, {})).json().error, undefined, 'nothing to repeat')
  for (const [args, headers] of [
    [{ region: 'eu' }, {}],
    [{ region: 'eu' }, { 'mcp-param-region': 'us' }],
    [{ region: 'eu' }, { 'mcp-param-region': '=?base64?a?=' }],
    [{ size: 42 }, { 'mcp-param-size': '0x2a' }]
  ] as const) t.match((await call(args, headers)).json(), { error: { code: -32020 } })
  t.equal((await rpc(app, 'tools/call', { name: 'regional', arguments: { region: 'eu' } })).json().error, undefined, 'older clients know nothing of it')
})

t.test('a page may send the headers that tools ask for', async (t) => {
  const origin = 'https://app.example.com'
  const app = await buildApp(t, { ALLOWED_ORIGINS: origin }, undefined, {
    tools: ['Size', 'Region', 'Size'].map((header, index) => ({ name: `t${index}`, description: 'd', input: { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': header } } }, handler: () => 'x' }))
  })
  const { headers } = await overHttp(app, { method: 'OPTIONS', url: '/mcp', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,mcp-param-region' } })
  t.match(headers['access-control-allow-headers'], /^Authorization, .*, Mcp-Param-Region, Mcp-Param-Size$/)
})

t.test('x-mcp-header that cannot be a header stops the start', async (t) => {
  const tool = (properties: Record<string, unknown>) => ({ name: 'a', description: 'd', input: { type: 'object', properties }, handler: () => 'x' })
  await t.rejects(buildApp(t, {}, undefined, { tools: [tool({ a: { type: 'string', 'x-mcp-header': 'bad name' } })] }), /name of a header/)
  for (const type of ['object', 'array', 'number', 'null', undefined, ['string', 'null']]) {
    await t.rejects(buildApp(t, {}, undefined, { tools: [tool({ a: { type, 'x-mcp-header': 'A' } })] }), /string, integer or boolean/)
  }
  const header = { type: 'string', 'x-mcp-header': 'A' }
  const object = { type: 'object', properties: { a: header } }
  for (const schema of [{ items: header }, { items: object }, { oneOf: [header] }, { anyOf: [object] }, { if: object }, { additionalProperties: header }, { patternProperties: { '^a': header } }, { $defs: { a: object } }]) {
    await t.rejects(buildApp(t, {}, undefined, { tools: [tool({ a: { type: 'object', ...schema } })] }), /no other keyword leads to/, JSON.stringify(schema))
  }
  await t.resolves(buildApp(t, {}, undefined, { tools: [tool({ b: object, c: { type: 'object', properties: { 'x-mcp-header': { type: 'string' } }, default: { 'x-mcp-header': 1 } } })] }), 'a property of a property may have one, and be called so')
  await t.rejects(buildApp(t, {}, undefined, { tools: [tool({ a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } })] }), /asked for twice/)
})

t.test('versions: unknown, missing and broken envelopes', async (t) => {
  const app = await buildApp(t)
  const list = modernRequest('tools/list')
  const withMeta = (meta: unknown, version: string) => overHttp(app, {
    ...list, headers: { ...list.headers, 'mcp-protocol-version': version }, payload: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: meta === undefined ? {} : { _meta: meta } }
  })
  const unknown = await withMeta({ [versionKey]: '2099-01-01', [capabilitiesKey]: {} }, '2099-01-01')
  t.equal(unknown.statusCode, 400)
  t.match(unknown.json(), { id: 1, error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2099-01-01' } } })
  const bare = await withMeta(undefined, '2026-07-28')
  t.equal(bare.statusCode, 400)
  t.match(bare.json(), { id: 1, error: { code: -32602 } }, 'a modern header without an envelope')
  const noCapabilities = await withMeta({ [versionKey]: '2026-07-28' }, '2026-07-28')
  t.equal(noCapabilities.statusCode, 400)
  t.match(noCapabilities.json(), { error: { code: -32602 } })
})

t.test('methods that the revision does not have are 404', async (t) => {
  const app = await buildApp(t)
  for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'no/such']) {
    const response = await modernRpc(app, method)
    t.equal(response.statusCode, 404, method)
    t.match(response.json(), { id: 1, error: { code: -32601 } }, method)
  }
})

t.test('unknown tools, prompts, resources and cursors are errors inside a 200', async (t) => {
  const app = await buildApp(t)
  for (const [method, params, data] of [
    ['tools/call', { name: 'no_such' }, {}],
    ['prompts/get', { name: 'no_such' }, {}],
    ['prompts/get', { name: 'summarize_client', arguments: {} }, {}],
    ['prompts/get', { name: 'summarize_client', arguments: { client: 'x', other: 'y' } }, {}],
    ['resources/read', { uri: 'nothing://1' }, { uri: 'nothing://1' }],
    ['resources/read', { uri: 'client://..' }, { uri: 'client://..' }],
    ['tools/list', { cursor: 'nonsense' }, {}],
    ['tools/list', { cursor: '' }, {}],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'no_such' }, argument: { name: 'a', value: '' } }, {}]
  ] as const) {
    const response = await modernRpc(app, method, params)
    t.equal(response.statusCode, 200, method)
    t.match(response.json(), { id: 1, error: { code: -32602, data: { ...data, correlation_id: String } } }, `${method} ${JSON.stringify(params)}`)
  }
  const encoded = (text: string): string => Buffer.from(text).toString('base64url')
  const good = encoded('{"after":"a"}')
  t.equal((await modernRpc(app, 'tools/list', { cursor: good })).json().error, undefined)
  const cursors = ['nonsense', '', 'bnVsbA', encoded('{"after":1}'), encoded('{"after":"a","more":1}'), encoded('{ "after": "a" }'), encoded('{"after":"b","after":"a"}'), ` ${good}`, `${good}=`, `${good}!`]
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
    for (const cursor of cursors) {
      for (const send of [rpc, modernRpc]) t.match((await send(app, method, { cursor })).json(), { error: { code: -32602, message: /^Invalid cursor$/, data: { correlation_id: String } } }, `${method} ${cursor}`)
    }
  }
})

t.test('long lists come in pages that can be followed to the end', async (t) => {
  const tools = Array.from({ length: 2500 }, (_, index) => defineTool({ name: `tool_${String(index).padStart(4, '0')}`, description: 'd', annotations: { readOnlyHint: true }, input: z.object({}), handler: () => 'x' }))
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools })
  for (const send of [rpc, modernRpc]) {
    const names: string[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const { result } = (await send(app, 'tools/list', cursor === undefined ? {} : { cursor })).json()
      names.push(...result.tools.map(({ name }: { name: string }) => name))
      cursor = result.nextCursor
      pages += 1
    } while (cursor !== undefined)
    t.equal(pages, 3)
    t.equal(new Set(names).size, 2501)
    t.strictSame(names, names.toSorted())
  }
})

t.test('resources that share a name are all listed', async (t) => {
  const uris = Array.from({ length: 1500 }, (_, index) => `app://${String(index).padStart(4, '0')}`)
  const app = await buildApp(t, {}, undefined, { resources: uris.toReversed().map((uri) => defineResource({ uri, name: 'report', description: 'd', read: () => 'x' })) })
  for (const send of [rpc, modernRpc]) {
    const { resources, nextCursor } = (await send(app, 'resources/list')).json().result
    const rest = (await send(app, 'resources/list', { cursor: nextCursor })).json().result.resources
    t.strictSame([...resources, ...rest].map(({ uri }: { uri: string }) => uri), uris)
  }
})

t.test('a resource without contents is not found, and not empty', async (t) => {
  const app = await buildApp(t, {}, undefined, { resources: [defineResource({ uri: 'app://{id}', name: 'parts', description: 'd', read: ({ id }) => id === 'empty' ? [] : [{ text: '' }] })] })
  const uri = 'app://empty'
  t.match((await rpc(app, 'resources/read', { uri })).json(), { error: { code: -32002, data: { uri } } })
  t.match((await modernRpc(app, 'resources/read', { uri })).json(), { error: { code: -32602, data: { uri } } })
  for (const send of [rpc, modernRpc]) t.match((await send(app, 'resources/read', { uri: 'app://blank' })).json().result.contents, [{ uri: 'app://blank', text: '' }])
})

t.test('[attack 42] [attack 43] a variable of a template cannot lead Django elsewhere, also where the resource checks nothing', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, { ok: true }) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url, RATE_LIMIT_REQUESTS: 1000 }, undefined, {
    resources: [defineResource({ uri: 'doc://{name}', name: 'doc', description: 'd', read: async ({ name = '' }, { django }) => JSON.stringify(await django.get('/docs/{name}/', { path: { name }, schema: z.unknown() })) })]
  })
  for (const send of [rpc, modernRpc]) {
    for (const name of ['..', '.', '%2e%2e', '%2E.', '..%2Fadmin', '%2e%2e%2fadmin', '%5c..', '%252e%252e', '%00', 'a%0d%0ab', '%3fx=1', '%23']) {
      const { result } = (await send(app, 'resources/read', { uri: `doc://${name}` })).json()
      t.ok(result === undefined || result.contents.length === 1, name)
    }
    t.match((await send(app, 'resources/read', { uri: 'doc://..' })).json(), { error: { data: { uri: 'doc://..' } } })
    t.match((await send(app, 'resources/read', { uri: 'doc://report%201' })).json(), { result: { contents: [{ text: '{"ok":true}' }] } })
  }
  const paths = django.requests.map(({ url }) => url).filter((url) => !url.includes('/stats/'))
  t.ok(paths.includes('/docs/report%201/'))
  for (const path of paths) {
    t.match(path, /^\/docs\/[^/]+\/$/)
    t.equal(new URL(path, 'http://x').pathname, path, 'as it is after a server has resolved it')
  }
})

t.test('sessions and streams to take up again are no concept of this server', async (t) => {
  const app = await buildApp(t)
  const headers = { 'mcp-session-id': 'made-up', 'last-event-id': '7' }
  const modern = modernRequest('tools/list')
  for (const response of [
    await overHttp(app, { ...modern, headers: { ...modern.headers, ...headers } }),
    await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), ...headers }, payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })
  ]) {
    t.equal(response.statusCode, 200)
    t.match(response.json().result, { tools: [{ name: 'get_opportunities' }] })
    t.equal(response.headers['mcp-session-id'], undefined)
  }
  for (const method of ['GET', 'DELETE'] as const) t.equal((await overHttp(app, { method, url: '/mcp', headers: { accept: 'text/event-stream', ...headers } })).statusCode, 405)
})

t.test('batches are refused, whatever is in them', async (t) => {
  const app = await buildApp(t)
  const { payload, ...request } = modernRequest('tools/list')
  const response = await overHttp(app, { ...request, payload: [payload, payload] })
  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: { code: -32600 } })
})

t.test('a notification is acknowledged without a body', async (t) => {
  const app = await buildApp(t)
  const { payload, ...request } = modernRequest('notifications/cancelled', { requestId: 1 })
  const { id: _id, ...notification } = payload
  const response = await overHttp(app, { ...request, payload: notification })
  t.equal(response.statusCode, 202)
  t.equal(response.body, '')
})

t.test('a client of this revision need not accept streams', async (t) => {
  const app = await buildApp(t)
  const request = modernRequest('tools/list')
  t.equal((await overHttp(app, { ...request, headers: { ...request.headers, accept: 'application/json' } })).statusCode, 200)
})

t.test('progress makes a stream of the answer, and only then', async (t) => {
  const steps = defineTool({ name: 'steps', description: 'd', annotations: { readOnlyHint: true }, input: z.object({}), async handler (_args, { progress }) { await progress(1, 2, 'ha\u{202e}lf\u0000'); return 'done' } })
  const app = await buildApp(t, {}, undefined, { tools: [steps] })
  t.match((await modernRpc(app, 'tools/call', { name: 'steps' })).headers['content-type'], /^application\/json/)
  const streamed = await modernRpc(app, 'tools/call', { name: 'steps' }, { meta: { progressToken: 7 } })
  t.match(streamed.headers['content-type'], /^text\/event-stream/)
  t.equal(streamed.headers['x-accel-buffering'], 'no')
  t.match(streamed.body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6))), [
    { method: 'notifications/progress', params: { progressToken: 7, progress: 1, total: 2, message: 'half' } },
    { id: 1, result: { content: [{ text: 'done' }] } }
  ])
})

t.test('progress is told to nobody who does not read streams', async (t) => {
  const steps = defineTool({ name: 'steps', description: 'd', annotations: { readOnlyHint: true }, input: z.object({}), async handler (_args, { progress }) { await progress(1); return 'done' } })
  const app = await buildApp(t, {}, undefined, { tools: [steps] })
  const { headers: { accept: _accept, ...headers }, ...request } = modernRequest('tools/call', { name: 'steps' }, { meta: { progressToken: 7 } })
  for (const [accept, type] of [['application/json', 'application/json'], ['application/json, text/html', 'application/json'], ['*/*', 'text/event-stream'], ['application/json, TEXT/EVENT-STREAM', 'text/event-stream'], [undefined, 'text/event-stream']] as const) {
    const response = await overHttp(app, { ...request, headers: { ...headers, ...(accept === undefined ? {} : { accept }) } })
    t.equal(response.headers['content-type'], type, String(accept))
    t.match(response.body, '"done"')
  }
})

t.test('progress that does not grow is not told', async (t) => {
  const steps = defineTool({ name: 'steps', description: 'd', annotations: { readOnlyHint: true }, input: z.object({}), async handler (_args, { progress }) { for (const step of [1, 1, 0.5, Number.NaN, 2, -3, 2.5]) await progress(step); return 'done' } })
  const app = await buildApp(t, {}, undefined, { tools: [steps] })
  for (const { body } of [await modernRpc(app, 'tools/call', { name: 'steps' }, { meta: { progressToken: 0 } }), await rpc(app, 'tools/call', { name: 'steps', _meta: { progressToken: 0 } })]) {
    const messages = body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)))
    t.strictSame(messages.flatMap(({ params }) => params?.progress ?? []), [1, 2, 2.5])
    t.match(messages.at(-1), { result: { content: [{ text: 'done' }] } })
  }
})

t.test('nothing is told after the answer, in both eras', async (t) => {
  const late: Array<Promise<void>> = []
  let told = (): void => undefined
  const steps = defineTool({
    name: 'steps',
    description: 'd',
    annotations: { readOnlyHint: true },
    input: z.object({}),
    async handler (_args, { progress }) {
      await progress(1)
      // The answer is written by then, and has not left.
      const afterwards = async (): Promise<void> => {
        for (let steps = 0; steps < 200; steps += 1) await Promise.resolve()
        late.push(progress(2), progress(3))
        told()
      }
      void afterwards()
      return 'done'
    }
  })
  const { url } = await listen(t, {}, undefined, { tools: [steps] })
  const { headers, payload } = modernRequest('tools/call', { name: 'steps' }, { meta: { progressToken: 1 } })
  for (const message of [{ headers, payload }, { headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'steps', _meta: { progressToken: 1 } } } }]) {
    const after = new Promise<void>((resolve) => { told = resolve })
    const body = await (await fetch(`${url}/mcp`, { method: 'POST', headers: message.headers, body: JSON.stringify(message.payload) })).text()
    await after
    await t.resolves(Promise.all(late.splice(0)))
    t.strictSame(body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6))).map(({ id, params }) => id ?? params.progress), [1, 1])
    t.match(body, /"done".*\n\n$/)
  }
})

t.test('a quiet stream has comments in it, so that nobody takes it for dead', async (t) => {
  const { setInterval: real } = globalThis
  const paces: unknown[] = []
  t.intercept(globalThis, 'setInterval', { value: (callback: () => void, milliseconds?: number) => {
    paces.push(milliseconds)
    return real(callback, milliseconds === 15_000 ? 5 : milliseconds)
  } })
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => { finish = resolve })
  const quiet = defineTool({ name: 'quiet', description: 'd', annotations: { readOnlyHint: true }, input: z.object({}), async handler (_args, { progress }) { await progress(1); await finished; return 'done' } })
  const { url } = await listen(t, {}, undefined, { tools: [quiet] })
  const { headers, payload } = modernRequest('tools/call', { name: 'quiet' }, { meta: { progressToken: 1 } })
  const response = await fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(payload) })
  let body = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    body += chunk
    if (body.includes(': keep-alive\n\n: keep-alive\n\n')) finish()
  }
  t.ok(paces.includes(15_000))
  t.match(body, /^event: message\ndata: .*"progress":1.*\n\n(: keep-alive\n\n)+event: message\ndata: .*"done".*\n\n$/)
})

t.test('a quiet stream says nothing more after the answer, however slowly that is read', async (t) => {
  const { setInterval: real } = globalThis
  t.intercept(globalThis, 'setInterval', { value: (callback: () => void, milliseconds?: number) => real(callback, milliseconds === 15_000 ? 1 : milliseconds) })
  let answered = (): void => undefined
  const leaving = new Promise<void>((resolve) => { answered = resolve })
  const large = defineTool({
    name: 'large',
    description: 'd',
    annotations: { readOnlyHint: true },
    input: z.object({}),
    async handler (_args, { progress }) {
      await progress(1)
      setImmediate(answered)
      return 'x'.repeat(16_000_000)
    }
  })
  const { url } = await listen(t, {}, undefined, { tools: [large] })
  const { headers, payload } = modernRequest('tools/call', { name: 'large' }, { meta: { progressToken: 1 } })
  const request = httpRequest(`${url}/mcp`, { method: 'POST', headers })
  request.end(JSON.stringify(payload))
  const [response]: IncomingMessage[] = await once(request, 'response')
  await leaving
  // The answer is written and cannot leave: nothing of it is read yet. Time enough for a comment.
  await new Promise((resolve) => { setTimeout(resolve, 100) })
  let body = ''
  for await (const chunk of response ?? []) body += String(chunk)
  t.match(body.slice(-200), /x"\}\].*\n\n$/)
  t.notMatch(body.slice(-200), 'keep-alive')
})

t.test('a client that reads slowly is told less, and nothing piles up for it', async (t) => {
  const told = 20_000
  let done = (): void => undefined
  const finished = new Promise<void>((resolve) => { done = resolve })
  const chatty = defineTool({
    name: 'chatty',
    description: 'd',
    annotations: { readOnlyHint: true },
    input: z.object({}),
    async handler (_args, { progress }) {
      for (let step = 1; step <= told; step += 1) await progress(step, told, 'x'.repeat(2000))
      done()
      return 'done'
    }
  })
  const { url } = await listen(t, {}, undefined, { tools: [chatty] })
  const { headers, payload } = modernRequest('tools/call', { name: 'chatty' }, { meta: { progressToken: 1 } })
  const request = httpRequest(`${url}/mcp`, { method: 'POST', headers })
  request.end(JSON.stringify(payload))
  const [response]: IncomingMessage[] = await once(request, 'response')
  // Nothing of the answer has been read yet.
  await finished
  let body = ''
  for await (const chunk of response ?? []) body += String(chunk)
  const messages = body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)))
  t.match(messages.at(-1), { id: 1, result: { content: [{ text: 'done' }] } })
  t.ok(messages.length > 1 && messages.length < told / 2, `${messages.length} of ${told}`)
})

t.test('every kind of content arrives', async (t) => {
  const blocks = defineTool({
    name: 'blocks',
    description: 'd',
    annotations: { readOnlyHint: true },
    icons: [{ src: 'https://example.com/icon.png', mimeType: 'image/png', sizes: ['48x48'] }],
    input: z.object({}),
    output: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    handler: () => new WithContent({ n: 1 }, [
      { type: 'text', text: 't', annotations: { audience: ['user'], priority: 1 } },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
      { type: 'resource', resource: { uri: 'a://b', text: 'x' } },
      { type: 'resource', resource: { uri: 'a://c', blob: 'AAAA' } },
      { type: 'resource_link', uri: 'a://d', name: 'd' }
    ])
  })
  const app = await buildApp(t, {}, undefined, { tools: [blocks] })
  for (const send of [rpc, modernRpc]) {
    const { result } = (await send(app, 'tools/call', { name: 'blocks' })).json()
    t.strictSame(result.content.map(({ type }: { type: string }) => type), ['text', 'image', 'audio', 'resource', 'resource', 'resource_link'])
    t.strictSame(result.structuredContent, { n: 1 })
    t.match((await send(app, 'tools/list')).json().result.tools.find(({ name }: { name: string }) => name === 'blocks'), { icons: [{ src: 'https://example.com/icon.png' }], outputSchema: { required: ['n'] } })
  }
})

t.test('[attack 74] tools that throw, or give what their schema forbids, tell nothing', async (t) => {
  const app = await buildApp(t, {}, undefined, {
    tools: [
      { name: 'throws', description: 'd', input: { type: 'object' }, annotations: { readOnlyHint: true }, handler () { throw new Error('password=hunter2') } },
      { name: 'lies', description: 'd', input: { type: 'object' }, annotations: { readOnlyHint: true }, output: { type: 'object', required: ['n'] }, handler: () => ({ secret: 'hunter2' }) }
    ],
    prompts: [
      { name: 'throws', description: 'd', get () { throw new Error('password=hunter2') } },
      { name: 'lies', description: 'd', get: () => ({ secret: 'hunter2' }) }
    ],
    resources: [{ uri: 'a://throws', name: 'throws', description: 'd', read () { throw new Error('password=hunter2') } }]
  })
  for (const send of [rpc, modernRpc]) {
    for (const [method, params] of [['tools/call', { name: 'throws' }], ['tools/call', { name: 'lies' }], ['prompts/get', { name: 'throws' }], ['prompts/get', { name: 'lies' }], ['resources/read', { uri: 'a://throws' }]] as const) {
      const { body } = await send(app, method, params)
      t.notMatch(body, 'hunter2')
      t.match(body, /The server failed to do this|not of its form|not valid/)
    }
  }
})

t.test('binary contents are base64, in tools and in resources', async (t) => {
  const bytes = 'AAECA/8='
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, {
    tools: [{
      name: 'blocks',
      description: 'd',
      annotations: { readOnlyHint: true },
      input: { type: 'object', properties: { type: { type: 'string' }, data: { type: 'string' } } },
      handler: ({ type, data }: { type: string, data: string }) => [type === 'resource' ? { type, resource: { uri: 'a://b', blob: data } } : { type, data, mimeType: 'image/png' }]
    }],
    resources: [{ uri: 'blob://{data}', name: 'blob', description: 'd', read: ({ data }: { data: string }) => [{ blob: data }] }]
  })
  for (const send of [rpc, modernRpc]) {
    const read = async (data: string) => (await send(app, 'resources/read', { uri: `blob://${encodeURIComponent(data)}` })).json()
    t.match(await read(bytes), { result: { contents: [{ blob: bytes }] } })
    for (const type of ['image', 'audio', 'resource']) t.match((await send(app, 'tools/call', { name: 'blocks', arguments: { type, data: bytes } })).json().result, { isError: undefined, content: [{ type }] })
    for (const data of ['no base64', 'AAE', '-_8=', 'AAECA/8=\n']) {
      t.match(await read(data), { error: { code: -32603, message: /not valid/ } }, JSON.stringify(data))
      for (const type of ['image', 'audio', 'resource']) t.match((await send(app, 'tools/call', { name: 'blocks', arguments: { type, data } })).json().result, { isError: true, content: [{ text: /not valid/ }] }, `${type} ${JSON.stringify(data)}`)
    }
  }
})

t.test('annotations of contents are those that the protocol has', async (t) => {
  const good = { audience: ['user'], priority: 0.5, lastModified: '2026-11-24T10:00:00Z' }
  const given: unknown[] = [good, { audience: ['everybody'] }, { priority: 5 }, { priority: 'high' }, { lastModified: 'yesterday' }]
  const block = (index: number) => ({ type: 'text', text: 'x', annotations: given[index] })
  const app = await buildApp(t, {}, undefined, {
    tools: [{ name: 'blocks', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object', properties: { index: { type: 'integer' } } }, handler: ({ index }: { index: number }) => [block(index)] }],
    prompts: [{ name: 'messages', description: 'd', arguments: z.object({ index: z.coerce.number() }), get: ({ index }: { index: number }) => [{ role: 'user', content: block(index) }] }]
  })
  for (const send of [rpc, modernRpc]) {
    t.match((await send(app, 'tools/call', { name: 'blocks', arguments: { index: 0 } })).json().result.content, [{ annotations: good }])
    t.match((await send(app, 'prompts/get', { name: 'messages', arguments: { index: '0' } })).json().result.messages, [{ content: { annotations: good } }])
    for (let index = 1; index < given.length; index += 1) {
      t.match((await send(app, 'tools/call', { name: 'blocks', arguments: { index } })).json().result, { isError: true, content: [{ text: /not valid/ }] })
      t.match((await send(app, 'prompts/get', { name: 'messages', arguments: { index: String(index) } })).json(), { error: { code: -32603, message: /not valid/ } })
    }
  }
})

t.test('[attack 74] what nobody foresaw in a handler of the protocol is told to the log alone', async (t) => {
  const log = new LogLines()
  const loaded = loadConfig(environment({ LOG_LEVEL: 'ERROR' }))
  const options = serverOptions(loaded.config)
  const app = Fastify({ ...options, logger: { ...options.logger, stream: log } })
  t.teardown(() => app.close())
  const thrown: unknown[] = [new Error('hunter2'), new DOMException('hunter2', 'AbortError'), Object.assign(new Error('hunter2'), { code: -32000, data: { secret: 'hunter2' } })]
  let next = 0
  await app.register(djangoMcpServer, { loaded, extendLegacy: (server) => { server.setRequestHandler(PingRequestSchema, () => { throw thrown[next] }) } })
  for (next = 0; next < thrown.length; next += 1) {
    const response = await rpc(app, 'ping')
    t.strictSame(response.json(), { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'Internal error', data: { correlation_id: response.headers['x-correlation-id'] } } })
  }
  t.match(log.records, thrown.map(() => ({ message: 'serving an MCP request failed', reason: 'hunter2' })))
  t.match((await app.inject('/metrics')).body, 'mcp_requests_total{method="ping",outcome="server_error"} 3\n', 'and is no fault of the client')
})

t.test('[attack 74] nor is a failure of the leg itself, which is a 500', async (t) => {
  const log = new LogLines()
  const loaded = loadConfig(environment({ LOG_LEVEL: 'ERROR' }))
  const options = serverOptions(loaded.config)
  const app = Fastify({ ...options, logger: { ...options.logger, stream: log } })
  t.teardown(() => app.close())
  await app.register(djangoMcpServer, { loaded, extendLegacy () { throw new Error('hunter2') } })
  const response = await rpc(app, 'ping')
  t.equal(response.statusCode, 500)
  t.strictSame(response.json(), { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'Internal error', data: { correlation_id: response.headers['x-correlation-id'] } } })
  t.match(log.records, [{ message: 'serving an MCP request failed', exception: { message: 'hunter2' } }])
  t.match((await app.inject('/metrics')).body, 'mcp_errors_total{method="ping",kind="internal"} 1\n')
})

t.test('scopes hold for prompts, completion and tools of this revision as well', async (t) => {
  const app = await buildApp(t, {}, undefined, {
    tools: [{ name: 'wipe', description: 'd', scopes: ['admin'], input: { type: 'object' }, handler: () => 'wiped' }],
    prompts: [definePrompt({ name: 'secret', description: 'd', scopes: ['admin'], arguments: z.object({ a: z.string() }), complete: { a: () => ['x'] }, get: () => 'x' })]
  })
  t.equal((await modernRpc(app, 'tools/call', { name: 'wipe' })).statusCode, 403)
  t.equal((await modernRpc(app, 'prompts/get', { name: 'secret', arguments: { a: 'x' } })).statusCode, 403)
  t.match((await modernRpc(app, 'prompts/list')).json().result.prompts.map(({ name }: { name: string }) => name), ['summarize_client'])
  const completion = { ref: { type: 'ref/prompt', name: 'secret' }, argument: { name: 'a', value: '' } }
  const refused = await modernRpc(app, 'completion/complete', completion)
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], /error="insufficient_scope".* scope="read admin"/)
  t.match((await modernRpc(app, 'completion/complete', completion, { bearer: token({ scope: 'read admin' }) })).json(), { result: { completion: { values: ['x'], total: 1 } } })
})

t.test('completion sends at most 100 values and says that there are more', async (t) => {
  const app = await buildApp(t, {}, undefined, {
    resources: [defineResource({ uri: 'item://{id}/{part}', name: 'item', description: 'd', complete: { id: (typed, _context, given) => Array.from({ length: 150 }, (_, index) => `${typed}${given.part ?? ''}${index}`) }, read: () => 'x' })],
    prompts: [definePrompt({ name: 'failing', description: 'd', arguments: z.object({ a: z.string() }), complete: { a () { throw new Error('hunter2') } }, get: () => 'x' })]
  })
  const { completion } = (await modernRpc(app, 'completion/complete', { ref: { type: 'ref/resource', uri: 'item://{id}/{part}' }, argument: { name: 'id', value: 'a' }, context: { arguments: { part: 'p' } } })).json().result
  t.equal(completion.values.length, 100)
  t.match(completion, { total: 150, hasMore: true })
  t.equal(completion.values[0], 'ap0')
  const failed = await modernRpc(app, 'completion/complete', { ref: { type: 'ref/prompt', name: 'failing' }, argument: { name: 'a', value: '' } })
  t.match(failed.json(), { error: { code: -32603 } })
  t.notMatch(failed.body, 'hunter2')
})

t.test('a completer cannot ask', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, { LOG_LEVEL: 'ERROR' }, log, {
    prompts: [definePrompt({ name: 'asking', description: 'd', arguments: z.object({ a: z.string() }), complete: { async a (_typed, { ask }) { return [(await ask({ message: 'Which?' })).action] } }, get: () => 'x' })]
  })
  for (const send of [rpc, modernRpc]) {
    const { result, error } = (await send(app, 'completion/complete', { ref: { type: 'ref/prompt', name: 'asking' }, argument: { name: 'a', value: '' } })).json()
    t.equal(result, undefined)
    t.match(error, { code: -32603, message: /^The server failed to do this/ })
  }
  t.equal(log.records.length, 2)
})

t.test('completers of what does not exist stop the start', async (t) => {
  await t.rejects(buildApp(t, {}, undefined, { prompts: [{ name: 'a', description: 'd', complete: { x: () => [] }, get: () => 'x' }] }), /no such argument: x/)
  await t.rejects(buildApp(t, {}, undefined, { resources: [{ uri: 'a://{id}', name: 'a', description: 'd', complete: { x: () => [] }, read: () => 'x' }] }), /no such variable: x/)
})

t.test('requests of this revision are counted under their own names', async (t) => {
  const app = await buildApp(t)
  await modernRpc(app, 'server/discover')
  await modernRpc(app, 'prompts/list')
  const { body } = await overHttp(app, '/metrics')
  t.match(body, 'mcp_requests_total{method="server/discover",outcome="ok"} 1')
  t.match(body, 'mcp_protocol_version="2026-07-28"')
})
