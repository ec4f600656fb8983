import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { generatedKey } from '../checks/keys.ts'
import { freePort } from '../demo/free-port.ts'
import { djangoStub, fromNow, json, mcpHeaders, modernRequest, sign } from './helper.ts'
import { startRedis, withoutRedis } from './redis.ts'

/*
 * A secret is put into every place where one can enter, the server runs as it does in production with everything
 * logged, and all that it wrote and all that it answered is searched. No other test has to know where a leak would be.
 */

let made = 0
/** A text that is nowhere else. */
function canary (place: string): string {
  made += 1
  return `CANARY-${place}-${made}-5kq9Zx7Lm2Vw4Tn8`
}

/** Where a secret may be found after all: in the answer that carries it. */
type Kind = 'environment' | 'token' | 'argument' | 'url' | 'header' | 'backend' | 'data'

const canaries: Record<Kind, string[]> = { environment: [], token: [], argument: [], url: [], header: [], backend: [], data: [] }

function planted (kind: Kind, place: string): string {
  const secret = canary(place)
  canaries[kind].push(secret)
  return secret
}

async function start (t: Test, variables: Record<string, string>) {
  const port = await freePort()
  const child = spawn(process.execPath, ['server.ts'], { env: { PATH: process.env.PATH, ...variables, PORT: String(port), MCP_HOST: '127.0.0.1' }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  child.stderr.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const closed = once(child, 'close')
  return {
    url: `http://127.0.0.1:${port}`,
    closed,
    output: () => Buffer.concat(chunks).toString(),
    /** Waits until it serves. */
    async ready (url: string) {
      while (await fetch(`${url}/live/`).then(({ ok }) => !ok, () => true)) {
        if (child.exitCode !== null) throw new Error(Buffer.concat(chunks).toString())
        await new Promise((resolve) => { setTimeout(resolve, 50) })
      }
    },
    async stop () {
      child.kill('SIGTERM')
      await closed
    }
  }
}

/** The canaries that a text has, also where it is written in base64 or for a URL. */
function found (text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(2, -4), Buffer.from(secret).toString('base64url').slice(2, -4)].some((form) => text.includes(form)))
}

const secrets = {
  DJANGO_API_KEY: planted('environment', 'api-key'),
  JWT_SECRET: planted('environment', 'jwt-secret'),
  JWT_SECRET_PREVIOUS: planted('environment', 'previous-secret'),
  EXCHANGE_CLIENT_SECRET: planted('environment', 'exchange-secret'),
  METRICS_TOKEN: planted('environment', 'metrics-token'),
  AWS_SECRET_ACCESS_KEY: planted('environment', 'of-another-program')
}

const key = generatedKey()
// A line of it: that is what would be found, however it is broken.
canaries.environment.push(key.split('\n')[1] ?? '')
const identity = { DJANGO_IDENTITY: 'assertion', ASSERTION_KEY: key, PUBLIC_URL: 'http://localhost:8080' }

for (const format of ['json', 'text']) {
  t.test(`[attack 75] [attack 77] [attack 27] [requirement 37] [authorization 27] no secret is in what a run logs (${format}) and shows`, async (t) => {
    const password = planted('environment', 'redis-password')
    const redis = withoutRedis === false ? await startRedis(t, password) : undefined
    let kind = 'good'
    const django = await djangoStub(t, (request, response) => {
      if (request.url?.includes('/stats/') === true) { json(response, kind === 'good' ? 200 : 500, { secret: planted('backend', 'stats') }); return }
      const headers = { 'set-cookie': `sessionid=${planted('backend', 'cookie')}`, 'www-authenticate': planted('backend', 'challenge'), server: planted('backend', 'server'), 'x-debug': planted('backend', 'debug-header') }
      if (kind === 'good') json(response, 200, request.url?.includes('/clients/') === true ? { id: 7, name: planted('data', 'client-name') } : { count: 1, results: [{ id: 1, name: planted('data', 'name'), status: 'won' }] }, headers)
      else if (kind === 'page') response.writeHead(500, { 'content-type': 'text/html', ...headers }).end(`<h1>${planted('backend', 'page')}</h1>`)
      else if (kind === 'crash') json(response, 500, { detail: planted('backend', 'crash') }, headers)
      else if (kind === 'broken') response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(`${planted('backend', 'broken')} {"a":`)
      else if (kind === 'form') json(response, 200, { [planted('backend', 'key')]: planted('backend', 'form') }, headers)
      else if (kind === 'redirect') response.writeHead(302, { location: `http://evil.example/${planted('backend', 'location')}`, ...headers }).end()
      else if (kind === 'cut') { response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000, ...headers }).write(planted('backend', 'cut')); response.destroy() }
      else json(response, Number(kind), { detail: planted('data', `detail-${kind}`), client: [planted('data', `field-${kind}`)] }, headers)
    })
    const server = await start(t, {
      ...secrets,
      ...identity,
      DJANGO_BASE_URL: django.url,
      DJANGO_MAX_RETRIES: '1',
      TMP_DIR: '/tmp/mcp_server_canary',
      DEBUG: 'true',
      LOG_FORMAT: format,
      RATE_LIMIT_REQUESTS: '60',
      RATE_LIMIT_ADDRESS_REQUESTS: '1000',
      ...(redis === undefined ? {} : { REDIS_URL: redis.url })
    })
    await server.ready(server.url)

    /** Every answer, with what may be in it beside what may be in all. */
    const answers: Array<{ what: string, text: string, data: boolean }> = []
    const send = async (what: string, path: string, init: RequestInit, data = false): Promise<number> => {
      const response = await fetch(`${server.url}${path}`, { redirect: 'manual', ...init })
      answers.push({ what, text: `${JSON.stringify([...response.headers])}\n${await response.text()}`, data })
      return response.status
    }
    const key = secrets.JWT_SECRET
    const claims = { sub: 'user-1', scope: 'read', exp: fromNow(600) }
    const bearer = sign({ ...claims, jti: planted('token', 'jti'), email: planted('token', 'claim') }, { key })
    canaries.token.push(bearer.split('.')[2] ?? '')
    const post = async (what: string, body: unknown, headers: Record<string, string> = {}, data = false): Promise<number> => (
      await send(what, '/mcp', { method: 'POST', headers: { ...mcpHeaders(bearer), ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) }, data)
    )
    const call = (params: Record<string, unknown>, method = 'tools/call') => ({ jsonrpc: '2.0', id: 1, method, params })

    // What goes well, and every way in which Django can fail.
    for (const next of ['good', 'page', 'crash', 'broken', 'form', 'redirect', 'cut', '400', '401', '403', '404', '409', '429']) {
      kind = next
      const data = next === 'good' || /^\d+$/.test(next)
      t.equal(await post(`tool, ${next}`, call({ name: 'get_opportunities', arguments: { limit: 1 } }), {}, data), 200)
      await post(`resource, ${next}`, call({ uri: 'client://7' }, 'resources/read'), {}, data)
      const modern = modernRequest('tools/call', { name: 'get_opportunities', arguments: {} }, { bearer })
      await send(`modern, ${next}`, '/mcp', { method: 'POST', headers: modern.headers, body: JSON.stringify(modern.payload) }, data)
    }
    kind = 'good'

    // Arguments, in every place of a body that is wrong, too.
    for (const params of [
      { name: 'get_opportunities', arguments: { status: planted('argument', 'value') } },
      { name: 'get_opportunities', arguments: { limit: { deep: [planted('argument', 'deep')] } } },
      { name: 'get_opportunities', arguments: planted('argument', 'arguments') },
      { name: 'get_opportunities', arguments: {}, _meta: { progressToken: planted('argument', 'progress'), traceparent: planted('argument', 'trace') } },
      { name: 'get_opportunities', arguments: {}, password: planted('argument', 'beside') }
    ]) await post('arguments', call(params), {}, true)
    await post('prompt', call({ name: 'summarize_client', arguments: { client: planted('argument', 'prompt') } }, 'prompts/get'), {}, true)
    await post('completion', call({ ref: { type: 'ref/prompt', name: 'summarize_client' }, argument: { name: 'client', value: planted('argument', 'typed') } }, 'completion/complete'), {}, true)
    await post('what the SDK drops', call({ _meta: { progressToken: { secret: planted('argument', 'dropped') } } }, 'ping'))
    await post('no JSON', `{"a": "${planted('argument', 'broken')}`)
    await post('no message', { password: planted('argument', 'no-message') })
    await post('cursor', call({ cursor: planted('argument', 'cursor') }, 'tools/list'))
    await post('another type', planted('argument', 'plain'), { 'content-type': 'text/plain' })

    // Tokens, where they belong and where they do not.
    const others = {
      expired: sign({ ...claims, exp: fromNow(-10), jti: planted('token', 'expired') }, { key }),
      forged: sign({ ...claims, jti: planted('token', 'forged') }, { key: canary('key-of-nobody') }),
      'without a scope': sign({ ...claims, scope: 'none', jti: planted('token', 'scope') }, { key }),
      opaque: planted('token', 'opaque')
    }
    for (const [what, wrong] of Object.entries(others)) {
      canaries.token.push(wrong.split('.')[2] ?? wrong)
      await post(what, call({}, 'ping'), { authorization: `Bearer ${wrong}` })
    }
    await post('two words', call({}, 'ping'), { authorization: `Bearer ${planted('token', 'first')} ${planted('token', 'second')}` })
    await post('another scheme', call({}, 'ping'), { authorization: `Basic ${planted('token', 'basic')}` })
    await send('query', `/mcp?access_token=${planted('url', 'query')}`, { method: 'POST', headers: mcpHeaders(), body: '{}' })
    await send('cookie', '/mcp', { method: 'POST', headers: { ...mcpHeaders(), cookie: `access_token=${planted('header', 'cookie')}` }, body: JSON.stringify({ access_token: planted('argument', 'in-body') }) })

    // URLs and headers.
    for (const path of ['/nothing', '/mcp', '/live/', '/metrics', '/health', '/.well-known/oauth-protected-resource/mcp']) await send(`query of ${path}`, `${path}?key=${planted('url', 'query')}`, {})
    for (const path of [`/${planted('url', 'path')}`, `/reset/${planted('url', 'segment')}/`, `/mcp/${planted('url', 'below')}`, `/%zz${planted('url', 'undecodable')}`]) await send('path', path, {})
    await send('headers', '/nothing', { headers: { 'x-api-key': planted('header', 'api-key'), 'user-agent': planted('header', 'agent'), referer: `http://a.example/?${planted('header', 'referer')}`, 'x-correlation-id': `${planted('header', 'correlation')} `.repeat(3), 'x-forwarded-for': planted('header', 'forwarded') } })
    // The protocol has the version that was asked for in the answer that refuses it.
    await post('protocol version', call({}, 'ping'), { 'mcp-protocol-version': planted('argument', 'version') })
    await post('session', call({}, 'ping'), { 'mcp-session-id': planted('header', 'session'), 'last-event-id': planted('header', 'event') })
    await post('origin', call({}, 'ping'), { origin: `https://${planted('header', 'origin')}.example` })

    // What everybody may read.
    for (const path of ['/live/', '/ready/', '/health', '/mcp', '/metrics', '/.well-known/oauth-protected-resource']) await send(path, path, {})
    await send('metrics', '/metrics', { headers: { authorization: `Bearer ${secrets.METRICS_TOKEN}` } })
    await send('metrics as JSON', '/metrics', { headers: { authorization: `Bearer ${secrets.METRICS_TOKEN}`, accept: 'application/json' } })
    t.match(answers.at(-1)?.text, 'mcp_requests_total')
    for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'initialize']) await post(method, call(method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: planted('argument', 'client'), version: '1' } } : {}, method))
    // Over the limit, at last.
    let status = 0
    for (let index = 0; index < 60 && status !== 429; index += 1) status = await post('over the limit', call({ name: 'get_opportunities', arguments: { status: planted('argument', 'limited') } }))
    t.equal(status, 429)
    if (redis !== undefined) await redis.kill()
    await post('without Redis', call({}, 'ping'))
    await server.stop()

    const output = server.output()
    t.match(output, format === 'json' ? '"logger":"audit"' : 'audit')
    t.ok(output.split('\n').length > 100, 'there is something to search')
    for (const [name, list] of Object.entries(canaries)) t.strictSame(found(output, list), [], `${name} in what is logged`)
    for (const { what, text, data } of answers) {
      const never = [...canaries.environment, ...canaries.token, ...canaries.url, ...canaries.backend]
      t.strictSame(found(text, never), [], `the answer to ${what}`)
      if (!data) t.strictSame(found(text, canaries.data), [], `data in the answer to ${what}`)
      if (what.startsWith('/') || what.startsWith('metrics')) t.strictSame(found(text, [...canaries.argument, ...canaries.header]), [], what)
    }
    t.strictSame(found(JSON.stringify(answers.map(({ text }) => text)), canaries.header), [], 'headers come back nowhere')
    const upstream = JSON.stringify(django.requests)
    for (const name of ['token', 'url', 'header'] as const) t.strictSame(found(upstream, canaries[name]), [], `${name} on the way to Django`)
    t.strictSame(found(upstream, canaries.environment), [secrets.DJANGO_API_KEY], 'Django hears its key and no other secret')
  })
}

t.test('[attack 75] a configuration that is refused shows none of its secrets', async (t) => {
  const wrong = {
    DJANGO_BASE_URL: `http://user:${planted('environment', 'url-password')}@django`,
    DJANGO_API_KEY: `has a space ${planted('environment', 'bad-key')}`,
    JWT_SECRET: `-----BEGIN ${planted('environment', 'pem')}`,
    JWT_SECRET_PREVIOUS: planted('environment', 'previous').slice(0, 20),
    METRICS_TOKEN: `with space ${planted('environment', 'metrics')}`,
    REDIS_URL: `http://:${planted('environment', 'redis')}@redis`
  }
  const server = await start(t, wrong)
  await server.closed
  t.match(server.output(), /DJANGO_BASE_URL[\s\S]*REDIS_URL/)
  t.strictSame(found(server.output(), canaries.environment), [])
  t.notOk(server.output().includes(wrong.JWT_SECRET_PREVIOUS))
})

t.test('the search finds what it looks for', async (t) => {
  const secret = canary('test')
  t.strictSame(found(`a ${secret} b`, [secret]), [secret])
  t.strictSame(found(Buffer.from(secret).toString('base64'), [secret]), [secret])
  t.strictSame(found('nothing', [secret]), [])
})
