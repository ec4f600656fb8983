import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import djangoMcpServer from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { buildApp, djangoStub, environment, fromNow, json, listen, LogLines, mcpHeaders, modernRequest, overHttp, rpc, sign, token } from '../helper.ts'

const page = { count: 1, next: null, previous: null, results: [{ id: 1, name: 'A', status: 'won', client: null, value: null, stage: null }] }

/** Text of the error result that a tool call gave. */
function errorText (body: { result?: { isError?: boolean, content?: Array<{ text?: string }> } }): string {
  return body.result?.isError === true ? body.result.content?.map(({ text }) => text).join('\n') ?? '' : `no error: ${JSON.stringify(body)}`
}

t.test('initialize answers with what the server can do, and mints no session', async (t) => {
  const app = await buildApp(t, { SERVER_NAME: 'orbit', SERVER_VERSION: '9.9.9' })
  const response = await rpc(app, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } })
  t.strictSame(response.json().result, { protocolVersion: '2025-06-18', capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} }, serverInfo: { name: 'orbit', version: '9.9.9' } })
  t.equal(response.headers['mcp-session-id'], undefined)
  t.match(response.headers['content-type'], /^application\/json/)
})

t.test('ping, lists and notifications', async (t) => {
  const app = await buildApp(t)
  t.strictSame((await rpc(app, 'ping')).json().result, {})
  t.match((await rpc(app, 'tools/list')).json().result, { tools: [{ name: 'get_opportunities' }] })
  t.strictSame((await rpc(app, 'resources/list')).json().result, { resources: [] })
  t.match((await rpc(app, 'resources/templates/list')).json().result, { resourceTemplates: [{ uriTemplate: 'client://{client_id}' }] })
  const notification = await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', method: 'notifications/initialized' } })
  t.equal(notification.statusCode, 202)
  t.equal(notification.body, '')
})

t.test('a tool call carries the correlation id to Django and back, and reaches the handler unchanged', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, page) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url })
  const response = await overHttp(app, {
    method: 'POST',
    url: '/mcp',
    headers: { ...mcpHeaders(token()), 'x-correlation-id': 'trace-1' },
    payload: { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name: 'get_opportunities', arguments: { status: 'won', client_id: 7 } } }
  })
  t.equal(response.headers['x-correlation-id'], 'trace-1')
  t.equal(response.headers['ratelimit-policy'], '"principal";q=100;w=3600')
  t.match(response.json(), { id: 'a', result: { structuredContent: { count: 1, total: 1, opportunities: [{ id: 1, client: null, value: null }] } } })
  t.match(django.requests.find(({ url }) => url.includes('opportunities')), { url: '/api/v1/orbit/opportunities/?status=won&client=7&limit=10', headers: { 'x-correlation-id': 'trace-1' } })
})

t.test('a client that asks for progress gets a stream, any other JSON', async (t) => {
  const folder = t.testdir({
    'steps.mjs': `export default { name: 'steps', description: 'd', input: { type: 'object' }, annotations: { readOnlyHint: true },
      async handler (args, { progress }) { await progress(1, 2, 'half'); await progress(2, 2); return 'done' } }`
  })
  const app = await buildApp(t, { TOOLS_DIR: folder })
  t.match((await rpc(app, 'tools/call', { name: 'steps' })).json(), { result: { content: [{ text: 'done' }] } })
  const streamed = await rpc(app, 'tools/call', { name: 'steps', _meta: { progressToken: 'p' } })
  t.match(streamed.headers['content-type'], /^text\/event-stream/)
  const messages = streamed.body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)))
  t.match(messages, [
    { method: 'notifications/progress', params: { progressToken: 'p', progress: 1, total: 2, message: 'half' } },
    { method: 'notifications/progress', params: { progressToken: 'p', progress: 2, total: 2 } },
    { id: 1, result: { content: [{ text: 'done' }] } }
  ])
})

t.test('arguments that are not valid are named in a result that a model can act on', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, page) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url })
  for (const [args, expected] of [
    [{ status: 'open' }, /status: must be one of "active", "won", "lost", "dropped"/],
    [{ client_id: 0 }, /client_id: .*>0/],
    [{ client_id: '7' }, /client_id: .*number/],
    [{ limit: 101 }, /limit: .*<=100/],
    [{ limit: 1.5 }, /limit: .*int/],
    [{ stauts: 'won' }, /stauts: .*did you mean status/]
  ] as const) t.match(errorText((await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: args })).json()), expected)
  t.strictSame(django.requests.filter(({ url }) => url.includes('opportunities')), [], 'Django is not asked')
})

t.test('what Django answers becomes a result that a model can act on', async (t) => {
  const cases: Array<[number, unknown, Record<string, string>, RegExp]> = [
    [400, { client: ['Select a valid choice.'] }, {}, /client_id: Select a valid choice\.[\s\S]*Correct the arguments/],
    [401, { detail: 'Invalid token.' }, {}, /credentials of this server/],
    [403, { detail: 'Not for you.' }, {}, /Not for you\.[\s\S]*refused again/],
    [404, { detail: 'Not found.' }, {}, /Not found\.[\s\S]*identifier/],
    [429, { detail: 'Throttled.' }, { 'retry-after': '61' }, /Wait 61 seconds/],
    [500, '<h1>SECRET_KEY</h1>', { 'content-type': 'text/html', 'retry-after': '99' }, /The API failed\.[\s\S]*Try again later/],
    [200, '{"count":', {}, /not valid/],
    [200, { items: [] }, {}, /not expected/]
  ]
  for (const [status, body, headers, expected] of cases) {
    const django = await djangoStub(t, (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
    })
    const app = await buildApp(t, { DJANGO_BASE_URL: django.url, DJANGO_MAX_RETRIES: 0 })
    const response = await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: {} })
    t.equal(response.statusCode, 200)
    t.match(errorText(response.json()), expected)
    t.match(errorText(response.json()), new RegExp(`Correlation id: ${String(response.headers['x-correlation-id'])}$`))
    t.notMatch(response.body, /SECRET_KEY|127\.0\.0\.1|<h1>| at /)
  }
})

t.test('a Django that is down is an error result, not a crash', async (t) => {
  const app = await buildApp(t, { DJANGO_MAX_RETRIES: 0 })
  t.match(errorText((await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: {} })).json()), /cannot be reached[\s\S]*Try again later/)
})

t.test('[attack 74] what a tool throws stays inside, and is in the log with the correlation id', async (t) => {
  const folder = t.testdir({
    'fails.mjs': 'export default { name: "fails", description: "d", input: { type: "object" }, annotations: { readOnlyHint: true }, handler () { throw new Error("password=hunter2") } }'
  })
  const log = new LogLines()
  const app = await buildApp(t, { TOOLS_DIR: folder, LOG_LEVEL: 'INFO' }, log)
  const response = await rpc(app, 'tools/call', { name: 'fails' })
  t.match(errorText(response.json()), /The server failed to do this/)
  t.notMatch(response.body, /hunter2|fails\.mjs/)
  t.match(log.records.find(({ logger }) => logger === 'tool.fails' || logger === 'server'), {})
  t.match(log.records.find(({ level }) => level === 'ERROR'), {
    message: 'call failed',
    tool: 'fails',
    correlation_id: response.headers['x-correlation-id'],
    exception: { message: 'password=hunter2', stack: /fails\.mjs/ }
  })
})

t.test('resources are read as text, and what goes wrong is a protocol error that names the URI', async (t) => {
  const django = await djangoStub(t, (request, response) => {
    if (request.url === '/api/v1/orbit/clients/7/') json(response, 200, { id: 7, name: 'Ærø', legal_name: null, client_type: 'x', vertical: '', overview: 'Long.\nVery.' })
    else json(response, request.url?.includes('/8/') === true ? 404 : 500, { detail: 'No Client matches the given query.' })
  })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url, DJANGO_MAX_RETRIES: 0 })
  t.strictSame((await rpc(app, 'resources/read', { uri: 'client://7' })).json().result.contents, [{
    uri: 'client://7',
    mimeType: 'text/plain',
    text: 'Client Details: Ærø\n===================\n\nID: 7\nLegal Name: N/A\nType: x\nVertical: N/A\n\nOverview:\nLong.\nVery.\n'
  }])
  t.match((await rpc(app, 'resources/read', { uri: 'client://8' })).json().error, { code: -32002, message: /No Client matches/, data: { uri: 'client://8' } })
  t.match((await rpc(app, 'resources/read', { uri: 'client://9' })).json().error, { code: -32603, message: /The API failed/ })
  for (const id of ['0', '-1', 'x', '..', '1e3', '9'.repeat(30)]) {
    t.match((await rpc(app, 'resources/read', { uri: `client://${id}` })).json().error, { code: -32602, message: /client_id: must be a positive whole number/ }, id)
  }
  t.match((await rpc(app, 'resources/read', { uri: 'nothing://1' })).json().error, { code: -32002, data: { uri: 'nothing://1' } })
})

t.test('unknown methods and tools are protocol errors', async (t) => {
  const app = await buildApp(t)
  t.match((await rpc(app, 'no/such')).json(), { id: 1, error: { code: -32601 } })
  t.match((await rpc(app, 'tools/call', { name: 'no_such' })).json(), { id: 1, error: { code: -32602, message: 'Unknown tool: no_such' } })
  t.match((await rpc(app, 'tools/call', {})).json(), { id: 1, error: { code: Number } })
  t.match((await rpc(app, 'tools/call', { name: 'a\u202eb\u0000' })).json(), { error: { code: -32602, message: 'Unknown tool: ab' } }, 'without what nobody sees')
})

t.test('GET and DELETE are answered with 405 and Allow, without a token', async (t) => {
  const app = await buildApp(t)
  for (const method of ['GET', 'DELETE'] as const) {
    const response = await overHttp(app, { method, url: '/mcp', headers: { accept: 'text/event-stream' } })
    t.equal(response.statusCode, 405)
    t.equal(response.headers.allow, 'POST')
  }
})

t.test('[attack 34] [attack 56] [attack 59] [requirement 31] bodies that are no JSON-RPC message', async (t) => {
  const app = await buildApp(t)
  const post = async (payload: string | Buffer, headers: Record<string, string> = {}) => await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), ...headers }, payload })
  const cases = [
    { title: 'invalid JSON', response: await post('{"jsonrpc":'), status: 400, code: -32700 },
    { title: 'no body', response: await post(''), status: 400, code: -32700 },
    { title: '__proto__', response: await post('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{"x":1}}}'), status: 400, code: -32700 },
    { title: 'a text', response: await post('"ping"'), status: 400, code: -32600 },
    { title: 'a batch', response: await post('[{"jsonrpc":"2.0","id":1,"method":"ping"}]'), status: 400, code: -32600 },
    { title: 'over the limit', response: await post(`"${'x'.repeat(1_048_576)}"`), status: 413, code: -32600 },
    { title: 'text/plain', response: await post('{}', { 'content-type': 'text/plain' }), status: 415, code: -32600 },
    { title: 'a form', response: await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), status: 415, code: -32600 }
  ]
  for (const { title, response, status, code } of cases) {
    t.equal(response.statusCode, status, title)
    t.match(response.json(), { jsonrpc: '2.0', id: null, error: { code, data: { correlation_id: response.headers['x-correlation-id'] } } }, title)
  }
  t.match((await post('{"id":1}')).statusCode, 400, 'an object that is no message')
})

t.test('a request that is malformed gets an answer, and is not waited for', async (t) => {
  const app = await buildApp(t)
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const cases: Array<[string, Record<string, unknown>, string | number | null]> = [
    ['a field more', { ...ping, x: 1 }, 1],
    ['a fraction as id', { ...ping, id: 1.5 }, 1.5],
    ['null as id', { ...ping, id: null }, null],
    ['an object as id', { ...ping, id: {} }, null],
    ['a list of parameters', { ...ping, params: [] }, 1],
    ['null as parameters', { ...ping, params: null }, 1],
    ['no object as _meta', { ...ping, params: { _meta: 5 } }, 1],
    ['no progress token', { ...ping, id: 'a', params: { _meta: { progressToken: {} } } }, 'a'],
    ['a request and a result at once', { ...ping, result: {} }, 1]
  ]
  for (const [title, payload, id] of cases) {
    const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload })
    t.equal(response.statusCode, 400, title)
    t.match(response.json(), { jsonrpc: '2.0', id, error: { code: -32600, data: { correlation_id: response.headers['x-correlation-id'] } } }, title)
  }
})

t.test('a client must accept both kinds of answer', async (t) => {
  const app = await buildApp(t)
  const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), accept: 'text/html' }, payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })
  t.equal(response.statusCode, 406)
  t.match(response.json(), { jsonrpc: '2.0', error: { message: /Not Acceptable/ } })
  const loud = await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), accept: 'Text/Event-Stream;q=0.9, APPLICATION/JSON' }, payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })
  t.equal(loud.statusCode, 200, 'in whatever case and order')
})

t.test('what asks for a task in revision 2025-11-25 is passed over, since tasks are not declared there', async (t) => {
  const app = await buildApp(t, {}, undefined, { tools: [{ name: 'a', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, handler: () => 'x' }] })
  for (const task of [{ ttl: 60_000 }, {}, null, 5]) {
    t.strictSame((await rpc(app, 'tools/call', { name: 'a', task })).json().result, { content: [{ type: 'text', text: 'x' }] }, JSON.stringify(task))
  }
})

t.test('a protocol version that does not exist is refused', async (t) => {
  const app = await buildApp(t)
  const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), 'mcp-protocol-version': '1999-01-01' }, payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })
  t.equal(response.statusCode, 400)
})

t.test('[attack 31] [attack 90] [requirement 5] [requirement 7] a tool that needs more than the token has is refused with 403 before anything is written', async (t) => {
  const folder = t.testdir({
    'wipe.mjs': 'export default { name: "wipe", description: "d", scopes: ["write", "admin"], input: { type: "object" }, handler: () => "wiped" }'
  })
  const app = await buildApp(t, { TOOLS_DIR: folder })
  const refused = await rpc(app, 'tools/call', { name: 'wipe' }, token({ scope: 'read write' }))
  t.equal(refused.statusCode, 403)
  t.match(refused.headers['www-authenticate'], /^Bearer error="insufficient_scope", resource_metadata="[^"]+", scope="write admin"$/)
  t.strictSame((await rpc(app, 'tools/list', {}, token({ scope: 'read write' }))).json().result.tools.map(({ name }: { name: string }) => name), ['get_opportunities'])
  t.match((await rpc(app, 'tools/call', { name: 'wipe' }, token({ scope: 'write admin' }))).json().result.content, [{ text: 'wiped' }])
})

t.test('[attack 57] [attack 64] [requirement 28] a page of another origin is refused on every method', async (t) => {
  const app = await buildApp(t, { ALLOWED_ORIGINS: 'https://app.example.com', PUBLIC_URL: 'https://mcp.example.com' })
  const post = async (origin: string, method: 'POST' | 'GET' | 'DELETE' = 'POST') => await overHttp(app, {
    method, url: '/mcp', headers: { ...mcpHeaders(token()), origin }, ...(method === 'POST' ? { payload: { jsonrpc: '2.0', id: 1, method: 'ping' } } : {})
  })
  for (const origin of ['https://evil.example', 'null', 'http://app.example.com', 'https://app.example.com.evil.example']) {
    t.equal((await post(origin)).statusCode, 403, origin)
    t.equal((await post(origin, 'GET')).statusCode, 403, origin)
    t.equal((await post(origin, 'DELETE')).statusCode, 403, origin)
  }
  t.equal((await post('https://app.example.com')).statusCode, 200)
  t.equal((await post('https://mcp.example.com')).statusCode, 200, 'its own')
})

t.test('[attack 84] [requirement 32] a client that hangs up aborts the call down to the request to Django, in both eras', async (t) => {
  let reached: () => void = () => undefined
  let aborted: () => void = () => undefined
  const django = await djangoStub(t, (request, response) => {
    if (request.url?.includes('opportunities') !== true) { json(response, 200, {}); return }
    response.on('close', aborted)
    reached()
  })
  const { app, url } = await listen(t, { DJANGO_BASE_URL: django.url })
  const call = { name: 'get_opportunities', arguments: {} }
  const modern = modernRequest('tools/call', call)
  const requests = [
    { headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call } },
    { headers: modern.headers, payload: modern.payload },
    // As a stream, which has begun when the client goes.
    { headers: modern.headers, payload: modernRequest('tools/call', call, { meta: { progressToken: 1 } }).payload }
  ]
  for (const [index, { headers, payload }] of requests.entries()) {
    const atDjango = new Promise<void>((resolve) => { reached = resolve })
    const djangoSawTheEnd = new Promise<void>((resolve) => { aborted = resolve })
    const request = httpRequest(`${url}/mcp`, { method: 'POST', headers })
    request.on('error', () => undefined)
    request.end(JSON.stringify(payload))
    await atDjango
    request.destroy()
    await djangoSawTheEnd
    let metrics = ''
    while (!metrics.includes(`mcp_requests_total{method="tools/call",outcome="cancelled"} ${index + 1}`)) metrics = (await overHttp(app, '/metrics')).body
    t.match(metrics, /mcp_requests_in_flight 0\n/)
  }
})

t.test('[requirement 38] calls are counted by method, tool and outcome; names that clients invent are not', async (t) => {
  const django = await djangoStub(t, (request, response) => { json(response, request.url?.includes('status=won') === true ? 400 : 200, request.url?.includes('status=won') === true ? { status: ['x'] } : page) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url })
  await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: {} })
  await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: { status: 'won' } })
  await rpc(app, 'tools/call', { name: 'invented_name' })
  await rpc(app, 'invented/method')
  const { body } = await overHttp(app, '/metrics')
  for (const expected of [
    'mcp_requests_total{method="tools/call",outcome="ok"} 1',
    'mcp_requests_total{method="tools/call",outcome="client_error"} 2',
    'mcp_requests_total{method="_other",outcome="client_error"} 1',
    'mcp_errors_total{method="tools/call",kind="invalid_input"} 1',
    'mcp_errors_total{method="tools/call",kind="protocol"} 1',
    'mcp_tool_calls_total{tool="get_opportunities",outcome="ok"} 1',
    'mcp_tool_calls_total{tool="_unknown",outcome="client_error"} 1',
    'mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call",gen_ai_tool_name="get_opportunities",error_type="tool_error",mcp_protocol_version="2025-11-25"} 1',
    'mcp_django_request_duration_seconds_count{http_request_method="GET",route="/api/v1/orbit/opportunities/",http_response_status_code="200",error_type=""} 1'
  ]) t.ok(body.includes(expected), expected)
  t.notMatch(body, /invented/)
  t.match((await overHttp(app, { url: '/metrics', headers: { accept: 'application/json' } })).json(), { requests_total: 4, errors_total: 3 })
})

t.test('the four endpoints of operators need no token and have no limit', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, {}) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url, RATE_LIMIT_REQUESTS: 1, RATE_LIMIT_ADDRESS_REQUESTS: 1 })
  for (const url of ['/live/', '/ready/', '/health', '/metrics', '/live', '/ready']) {
    for (let index = 0; index < 3; index += 1) t.equal((await overHttp(app, url)).statusCode, 200, url)
  }
  t.equal(django.requests.length, 1, 'and none of them asks Django')
})

t.test('[attack 94] [requirement 1] [requirement 2] [requirement 3] [authorization 2] [authorization 3] [authorization 6] [authorization 33] [authorization 35] [authorization 36] [authorization 1] [authorization 34] metadata of the protected resource is served as the challenge says, and only with authentication', async (t) => {
  const app = await buildApp(t, { PUBLIC_URL: 'https://mcp.example.com/', JWT_ISSUER: 'https://auth.example.com' })
  const challenge = String((await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(), host: 'localhost', 'x-forwarded-host': 'evil.example' }, payload: {} })).headers['www-authenticate'])
  t.equal(challenge, 'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp", scope="read"')
  for (const url of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
    const response = await overHttp(app, { url, headers: { origin: 'https://anything.example' } })
    t.equal(response.headers['access-control-allow-origin'], '*')
    t.strictSame(response.json(), {
      resource: 'https://mcp.example.com/mcp',
      authorization_servers: ['https://auth.example.com'],
      scopes_supported: ['read', 'write'],
      bearer_methods_supported: ['header']
    })
  }
  const open = await buildApp(t, { AUTH_ENABLED: 'false', ALLOW_UNAUTHENTICATED: 'true' })
  t.equal((await overHttp(open, '/.well-known/oauth-protected-resource/mcp')).statusCode, 404)
  t.match((await overHttp(open, { method: 'POST', url: '/mcp', headers: mcpHeaders(), payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })).json().result, { tools: [{ name: 'get_opportunities' }] })
})

t.test('the path inside a public URL belongs to the metadata path', async (t) => {
  const app = await buildApp(t, { PUBLIC_URL: 'https://example.com/django' })
  const challenge = String((await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(), payload: {} })).headers['www-authenticate'])
  t.match(challenge, 'https://example.com/.well-known/oauth-protected-resource/django/mcp')
  t.match((await overHttp(app, '/.well-known/oauth-protected-resource/django/mcp')).json(), { resource: 'https://example.com/django/mcp' })
})

t.test('[attack 75] [authorization 27] credentials and secrets are in no log line', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, { LOG_LEVEL: 'DEBUG', DJANGO_MAX_RETRIES: 0 }, log)
  const good = token()
  const expired = sign({ sub: 'x', exp: fromNow(-10), scope: 'read' })
  await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: { status: 'won' } }, good)
  await rpc(app, 'ping', {}, expired)
  await overHttp(app, `/nothing?access_token=${good}`)
  t.ok(log.lines.length > 5)
  for (const secret of [good, expired, good.split('.')[2] ?? '', 'Zx9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg0', 'testkey.0123456789abcdef']) t.notOk(log.text.includes(secret), 'absent')
})

t.test('an address that is no route says so without echoing it', async (t) => {
  const app = await buildApp(t)
  const response = await overHttp(app, '/<script>alert(1)</script>')
  t.equal(response.statusCode, 404)
  t.strictSame(response.json(), { error: 'Not found', message: 'There is nothing at this address. The MCP endpoint is /mcp.' })
})

t.test('[attack 74] [requirement 36] a failure nobody foresaw is 500 without a word of it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(fp(djangoMcpServer), { loaded: loadConfig(environment()) })
  app.get('/fails', async () => { throw new Error('redis://user:secret@host') })
  app.get('/refuses', async () => { throw Object.assign(new Error('redis://user:secret@host'), { statusCode: 418 }) })
  const failed = await overHttp(app, '/fails')
  t.equal(failed.statusCode, 500)
  t.strictSame(failed.json(), { error: 'Internal Server Error', message: `The request could not be served. Correlation id: ${String(failed.headers['x-correlation-id'])}` })
  t.match((await overHttp(app, '/refuses')).json(), { error: "I'm a Teapot", message: /^The request could not be served/ })
})

t.test('[attack 28] two Authorization headers are refused', async (t) => {
  const { url } = await listen(t)
  const { hostname, port } = new URL(url)
  const bearer = token()
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => {
      const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
      socket.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nAuthorization: Bearer ${bearer}\r\nAuthorization: Bearer other\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    })
    socket.on('data', (chunk) => { text += chunk.toString() })
    socket.on('end', () => { resolve(text) })
    socket.on('error', reject)
  })
  t.match(answer, /^HTTP\/1\.1 400 [\s\S]*error="invalid_request"/)
})

t.test('a tool that hangs is ended, and its signal is aborted', async (t) => {
  let aborted: () => void = () => undefined
  const ended = new Promise<void>((resolve) => { aborted = resolve })
  const app = Fastify()
  t.teardown(() => app.close())
  const { config, warnings } = loadConfig(environment())
  await app.register(djangoMcpServer, {
    // Less than the configuration takes, so that the test need not wait.
    loaded: { config: { ...config, CALL_TIMEOUT: 0.05 }, warnings },
    definitions: {
      tools: [{ name: 'hangs', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, handler: (_args: unknown, { signal }: { signal: AbortSignal }) => new Promise(() => { signal.addEventListener('abort', aborted) }) }]
    }
  })
  const response = await rpc(app, 'tools/call', { name: 'hangs' })
  t.match(errorText(response.json()), /took longer than 0\.05 seconds[\s\S]*Try again later/)
  await ended
})

t.test('parameters of the wrong form are named, and no dump of a validator reaches the client', async (t) => {
  const app = await buildApp(t)
  for (const [method, params, expected] of [
    ['tools/call', { name: 'get_opportunities', arguments: 'x' }, /arguments: /],
    ['tools/call', { name: 'get_opportunities', arguments: [1] }, /arguments: /],
    ['tools/call', { name: 5 }, /name: /],
    ['tools/call', {}, /name: /],
    ['resources/read', {}, /uri: /],
    ['prompts/get', { name: 'summarize_client', arguments: { client: 5 } }, /arguments\.client: /],
    ['initialize', {}, /protocolVersion: [\s\S]*capabilities: [\s\S]*clientInfo: /],
    ['tools/list', { cursor: 5 }, /cursor: /],
    ['completion/complete', { ref: { type: 'ref/other' } }, /ref/]
  ] as const) {
    const { error } = (await rpc(app, method, params)).json()
    t.match(error, { code: -32602, message: expected, data: { correlation_id: String } }, `${method} ${JSON.stringify(params)}`)
    t.notMatch(error.message, /[{\n]/)
  }
})

t.test('what is refused before it is served is counted as refused', async (t) => {
  const app = await buildApp(t, {}, undefined, { tools: [{ name: 'wipe', description: 'd', scopes: ['admin'], input: { type: 'object' }, handler: () => 'x' }] })
  await rpc(app, 'tools/call', { name: 5 })
  await rpc(app, 'tools/call', { name: 'wipe' })
  await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), accept: 'text/html' }, payload: { jsonrpc: '2.0', id: 1, method: 'tools/call' } })
  await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload: [] })
  await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', method: 'notifications/roots/list_changed' } })
  const { body } = await overHttp(app, '/metrics')
  for (const expected of [
    'mcp_requests_total{method="tools/call",outcome="client_error"} 3',
    'mcp_errors_total{method="tools/call",kind="forbidden"} 1',
    'mcp_errors_total{method="tools/call",kind="protocol"} 2',
    'mcp_requests_total{method="_other",outcome="client_error"} 1',
    'mcp_requests_total{method="_other",outcome="ok"} 1'
  ]) t.ok(body.includes(expected), expected)
})

t.test('a URL that cannot be decoded is nothing special: counted, logged and limited', async (t) => {
  const log = new LogLines()
  const { url } = await listen(t, { RATE_LIMIT_REQUESTS: 3, LOG_LEVEL: 'INFO' }, log)
  const statuses: number[] = []
  for (let index = 0; index < 5; index += 1) {
    const response = await fetch(`${url}/%zz`)
    t.ok(response.headers.get('x-correlation-id'))
    statuses.push(response.status)
  }
  t.strictSame(statuses, [404, 404, 404, 429, 429])
  t.ok(log.records.some(({ logger, status }) => logger === 'access' && status === 404))
})

t.test('other methods than POST are not allowed on the endpoint', async (t) => {
  const app = await buildApp(t)
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'] as const) t.equal((await overHttp(app, { method, url: '/mcp' })).statusCode, 405, method)
})

t.test('[requirement 12] [authorization 10] [authorization 30] with an issuer a token must say whom it is for', async (t) => {
  const app = await buildApp(t, { JWT_ISSUER: 'https://auth.example.com', PUBLIC_URL: 'https://mcp.example.com' })
  const iss = 'https://auth.example.com'
  t.equal((await rpc(app, 'ping', {}, token({ iss }))).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, token({ iss, aud: 'https://other.example.com' }))).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, token({ iss, aud: 'https://mcp.example.com/mcp' }))).statusCode, 200)
})

t.test('an error of another copy of this package keeps its kind', async (t) => {
  class CallError extends Error {
    override readonly name = 'CallError'
    readonly kind = 'conflict'
    readonly problems = []
  }
  const app = await buildApp(t, {}, undefined, { tools: [{ name: 'a', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, handler () { throw new CallError('Taken.') } }] })
  t.match(errorText((await rpc(app, 'tools/call', { name: 'a' })).json()), /^Taken\./)
})

t.test('what is no request is refused, and not left without an answer', async (t) => {
  const app = await buildApp(t)
  const post = async (body: Record<string, unknown>) => await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(token()), payload: { jsonrpc: '2.0', method: 'ping', ...body } })
  for (const id of [true, null, 1.5, [], {}]) {
    const response = await post({ id })
    t.equal(response.statusCode, 400, JSON.stringify(id))
    t.match(response.json(), { id: typeof id === 'number' ? id : null, error: { code: -32600 } })
  }
  for (const body of [{ params: [] }, { params: 'x' }, { params: { _meta: [] } }, { params: { _meta: { progressToken: {} } } }, { params: { _meta: { progressToken: null } } }]) {
    const response = await post({ id: 7, ...body })
    t.equal(response.statusCode, 400, JSON.stringify(body))
    t.match(response.json(), { jsonrpc: '2.0', id: 7, error: { code: -32600, data: { correlation_id: response.headers['x-correlation-id'] } } })
  }
  t.match((await overHttp(app, '/metrics')).body, /mcp_errors_total\{method="ping",kind="protocol"\} 10/)
})

t.test('[requirement 9] [authorization 8] [authorization 29] every message needs a token, in both eras and whatever it asks', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, page) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url, RATE_LIMIT_REQUESTS: 1000 })
  const calls: Array<[string, Record<string, unknown>]> = [
    ['initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }], ['ping', {}], ['server/discover', {}], ['tools/list', {}],
    ['tools/call', { name: 'get_opportunities', arguments: {} }], ['resources/read', { uri: 'client://7' }], ['prompts/get', { name: 'summarize_client' }],
    ['subscriptions/listen', { notifications: {} }], ['tasks/get', { taskId: 'x' }], ['notifications/initialized', {}], ['no/such', {}]
  ]
  for (const [method, params] of calls) {
    const { headers: { authorization: _token, ...headers }, ...modern } = modernRequest(method, params)
    for (const response of [
      await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(), payload: { jsonrpc: '2.0', id: 1, method, params } }),
      await overHttp(app, { ...modern, headers })
    ]) {
      t.equal(response.statusCode, 401, method)
      t.match(response.headers['www-authenticate'], /^Bearer resource_metadata="/)
      t.strictSame(response.json(), { error: 'unauthorized', message: 'An access token is needed.' })
    }
  }
  t.strictSame(django.requests.filter(({ url }) => !url.includes('/stats/')), [], 'and Django is not asked')
})
