import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import audit from '../../plugins/audit.ts'
import { loggingOptions } from '../../plugins/logging/index.ts'
import { buildApp, djangoStub, fromNow, json, LogLines, mcpHeaders, modernRequest, modernRpc, rpc, sign, token } from '../helper.ts'

/** Audit lines, once there are this many: a line is written when its answer has left. */
async function lines (log: LogLines, count: number): Promise<Array<Record<string, unknown>>> {
  const found = (): Array<Record<string, unknown>> => log.records.filter(({ logger }) => logger === 'audit')
  for (let tries = 0; tries < 1000 && found().length < count; tries += 1) await sleep(5)
  return found()
}

const on = { AUDIT_LOG: 'true', RATE_LIMIT_REQUESTS: 1000 }

t.test('[requirement 37] a line for each call says who called what, and how it ended, whatever the level of the log', async (t) => {
  const django = await djangoStub(t, (request, response) => {
    json(response, request.url?.includes('status=lost') === true ? 503 : 200, request.url?.includes('/clients/') === true ? { id: 7, name: 'A' } : { count: 0, results: [] })
  })
  for (const [send, name] of [[rpc, 'legacy'], [modernRpc, 'modern']] as const) {
    const log = new LogLines()
    const app = await buildApp(t, { ...on, LOG_LEVEL: 'CRITICAL', DJANGO_BASE_URL: django.url, DJANGO_MAX_RETRIES: 0 }, log)
    const bearer = token({ iss: 'https://auth.example.com', sub: 'alice', client_id: 'client-1', jti: 'token-1' })
    const call = async (params: Record<string, unknown>, method = 'tools/call') => send === rpc ? await rpc(app, method, params, bearer) : await modernRpc(app, method, params, { bearer })
    const answer = await call({ name: 'get_opportunities', arguments: { limit: 3, client_id: 12_345 }, ...(send === rpc ? { _meta: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } } : {}) })
    await call({ name: 'get_opportunities', arguments: { limit: 'many' } })
    await call({ name: 'get_opportunities', arguments: { status: 'lost' } })
    await call({ name: 'invented' })
    await call({ uri: 'client://7' }, 'resources/read')
    await call({ name: 'summarize_client', arguments: { client: 'A' } }, 'prompts/get')
    const found = await lines(log, 6)
    t.match(found[0], {
      level: 'INFO',
      event: 'mcp.call',
      decision: 'allow',
      action: 'tools/call',
      target: 'get_opportunities',
      outcome: 'succeeded',
      read_only: true,
      trace_id: send === rpc ? '0af7651916cd43dd8448eb211c80319c' : undefined,
      args_keys: ['limit', 'client_id'],
      args_sha256: /^[\w-]{43}$/,
      django_calls: [{ method: 'GET', route: '/api/v1/orbit/opportunities/', status: 200 }],
      issuer: 'https://auth.example.com',
      subject: 'alice',
      client_id: 'client-1',
      token_sha256: /^[\w-]{43}$/,
      remote_address: '127.0.0.1',
      status: 200,
      duration_ms: Number,
      correlation_id: answer.headers['x-correlation-id']
    }, name)
    t.match(found.slice(1), [
      { outcome: 'invalid_arguments', error_kind: 'invalid_input', target: 'get_opportunities' },
      { outcome: 'failed', error_kind: 'unavailable', django_calls: [{ status: 503 }] },
      { outcome: 'invalid_request', target: 'invented' },
      { outcome: 'succeeded', action: 'resources/read', target: 'client://{client_id}', args_keys: ['uri'] },
      { outcome: 'failed', error_kind: 'bad_response', action: 'prompts/get', target: 'summarize_client' }
    ], name)
    t.equal(found.length, 6)
    // The values, and what would let somebody use the token.
    t.notMatch(JSON.stringify(found), /12345|token-1|client:\/\/7|many/)
  }
})

t.test('[requirement 37] a line for each refusal says why', async (t) => {
  const log = new LogLines()
  const wipe = { name: 'wipe', description: 'd', scopes: ['admin'], annotations: { readOnlyHint: false, destructiveHint: true }, input: { type: 'object' }, handler: () => 'x' }
  const app = await buildApp(t, { ...on, PUBLIC_URL: 'https://mcp.example.com' }, log, { tools: [wipe] })
  const post = async (headers: Record<string, string>, payload: string | Buffer = '{"jsonrpc":"2.0","id":1,"method":"ping"}') => await app.inject({ method: 'POST', url: '/mcp', headers: { ...mcpHeaders(token()), ...headers }, payload })
  const cases: Array<[() => Promise<{ statusCode: number }>, Record<string, unknown>]> = [
    [() => app.inject({ method: 'POST', url: '/mcp', headers: mcpHeaders() }), { outcome: 'unauthenticated', reason: 'missing', status: 401, subject: undefined }],
    [() => post({ authorization: `Bearer ${sign({ sub: 'x', exp: fromNow(-5) })}` }), { outcome: 'unauthenticated', reason: 'expired', status: 401 }],
    [() => post({ authorization: 'Bearer a b' }), { outcome: 'malformed', reason: 'malformed', status: 400 }],
    [() => rpc(app, 'tools/call', { name: 'wipe' }, token({ sub: 'bob' })), { outcome: 'insufficient_scope', reason: 'scope', status: 403, subject: 'bob', action: 'tools/call', target: 'wipe', destructive: true }],
    [() => post({ origin: 'https://evil.example' }), { outcome: 'forbidden', status: 403 }],
    [() => app.inject({ url: '/mcp', headers: { origin: 'https://evil.example' } }), { outcome: 'forbidden', status: 403 }],
    [() => post({ host: 'evil.example' }), { outcome: 'forbidden', status: 403 }],
    [() => post({ 'content-type': 'text/plain' }), { outcome: 'malformed', status: 415, subject: 'user-1' }],
    [() => post({}, Buffer.from([0xff])), { outcome: 'malformed', status: 400 }],
    [() => post({}, '[]'), { outcome: 'malformed', status: 400 }],
    [() => app.inject({ ...modernRequest('tools/call', { name: 'wipe', arguments: { a: 1 } }), headers: { ...modernRequest('tools/call', { name: 'wipe' }).headers, 'mcp-name': 'get_opportunities' } }), { outcome: 'malformed', status: 400, target: 'wipe', args_keys: ['a'] }]
  ]
  for (const [index, [send, expected]] of cases.entries()) {
    await send()
    t.match((await lines(log, index + 1))[index], { event: 'mcp.refusal', decision: 'deny', ...expected }, JSON.stringify(expected))
  }
  const limited = new LogLines()
  const strict = await buildApp(t, { ...on, RATE_LIMIT_REQUESTS: 1 }, limited)
  await rpc(strict, 'tools/list')
  await rpc(strict, 'tools/call', { name: 'get_opportunities' })
  t.match(await lines(limited, 1), [{ event: 'mcp.refusal', outcome: 'rate_limited', reason: 'rate_limited', status: 429, subject: 'user-1' }])
})

t.test('a client that goes away, and a call that takes too long, are named so', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, on, log, {
    tools: [{ name: 'slow', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, handler: (_args: unknown, { signal }: { signal: AbortSignal }) => new Promise((resolve) => { signal.addEventListener('abort', () => { resolve('x') }) }) }]
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const leaving = new AbortController()
  const answer = fetch(`${url}/mcp`, { method: 'POST', headers: mcpHeaders(token()), body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow' } }), signal: leaving.signal })
  while (!(await app.inject('/metrics')).body.includes('mcp_requests_in_flight 1')) await sleep(5)
  leaving.abort()
  await t.rejects(answer)
  t.match(await lines(log, 1), [{ outcome: 'cancelled', target: 'slow' }])
})

t.test('what only lists, probes and lost ways leave no line, and none is written where it is switched off', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, { ...on, LOG_LEVEL: 'INFO' }, log)
  await rpc(app, 'tools/list')
  await rpc(app, 'ping')
  for (const url of ['/live/', '/nothing', '/mcp']) await app.inject(url)
  await rpc(app, 'prompts/get', { name: 'summarize_client', arguments: { client: 'A' } })
  t.match(await lines(log, 1), [{ action: 'prompts/get' }])

  const quiet = new LogLines()
  const off = await buildApp(t, { AUDIT_LOG: 'false', LOG_LEVEL: 'INFO' }, quiet)
  await rpc(off, 'tools/call', { name: 'invented' })
  t.ok(quiet.records.some(({ logger }) => logger === 'access'))
  t.strictSame(quiet.records.filter(({ logger }) => logger === 'audit'), [])
})

t.test('the access line names method and tool', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, { LOG_LEVEL: 'INFO' }, log)
  await rpc(app, 'tools/call', { name: 'invented_'.repeat(20) })
  await modernRpc(app, 'tools/list')
  await rpc(app, 'made/up')
  const access = (): Array<Record<string, unknown>> => log.records.filter(({ logger }) => logger === 'access')
  for (let tries = 0; tries < 1000 && access().length < 3; tries += 1) await sleep(5)
  t.match(access(), [{ rpc_method: 'tools/call', tool: 'invented_'.repeat(20).slice(0, 64) }, { rpc_method: 'tools/list', tool: undefined }, { rpc_method: '_other' }])
})

t.test('the plugin alone: digests are keyed, and only plain names are written', async (t) => {
  const digestOf = async (secret: string, value: unknown): Promise<Record<string, unknown>> => {
    const log = new LogLines()
    const app = Fastify(loggingOptions({ level: 'CRITICAL', format: 'json', environment: 'test', service: 's', version: '1', destination: log }))
    t.teardown(() => app.close())
    await app.register(audit, { secret })
    app.get('/', { config: { audit: true } }, (request, reply) => {
      request.audit = (complete) => ({ action: 'look', arguments: value, outcome: complete ? 'succeeded' : 'cancelled', fields: { more: 1 } })
      reply.send('ok')
    })
    app.get('/none', { config: { audit: true } }, async () => 'ok')
    await app.inject('/none')
    await app.inject('/')
    return (await lines(log, 1))[0] ?? {}
  }
  const value = { name: 'x', 'a\nb': 1, ['k'.repeat(65)]: 1 }
  const first = await digestOf('one', value)
  t.match(first, { action: 'look', outcome: 'succeeded', more: 1, args_keys: ['name'] })
  t.equal((await digestOf('one', value)).args_sha256, first.args_sha256)
  t.not((await digestOf('two', value)).args_sha256, first.args_sha256)
  t.not((await digestOf('one', { name: 'y' })).args_sha256, first.args_sha256)
  t.equal((await digestOf('one', undefined)).args_sha256, undefined)
  t.match(await digestOf('one', 'text'), { args_keys: [] })
})
