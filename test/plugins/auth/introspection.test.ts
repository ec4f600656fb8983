import t, { type Test } from 'tap'
import { audience, claims, ping, serviceOf, startAuthorizationServer, type AuthorizationServer } from '../../authorization-server.ts'
import { fromNow, json, LogLines } from '../../helper.ts'

const clientSecret = 'p4ss: +%word'

async function build (t: Test, more: Record<string, unknown> = {}, log?: LogLines) {
  const server = await startAuthorizationServer(t, { path: '/o' })
  const service = await serviceOf(t, server, {
    INTROSPECTION_URL: `${server.url}/introspect`, INTROSPECTION_CLIENT_ID: 'mcp:1', INTROSPECTION_CLIENT_SECRET: clientSecret, ...more
  }, log)
  return { server, ...service }
}

/** What django-oauth-toolkit says of a token that was asked for with our resource. */
function toolkitAnswer (more: Record<string, unknown> = {}): Record<string, unknown> {
  return { active: true, scope: 'read', exp: fromNow(600), client_id: 'client-1', username: 'alice', aud: [audience], ...more }
}

/** What a server says that names users by `sub`. */
function answer ({ issuer }: AuthorizationServer, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { active: true, token_type: 'Bearer', ...claims(issuer), ...more }
}

t.test('[requirement 17] a token is good when its issuer calls it active, asked as RFC 7662 has it', async (t) => {
  const { server, status } = await build(t)
  server.introspection = () => answer(server)
  t.equal(await status('opaque.token~1'), 200)
  const [request] = server.introspected
  t.match(request?.body, /(^|&)token=opaque\.token%7E1(&|$)/)
  t.match(request?.body, 'token_type_hint=access_token')
  const [scheme, credentials = ''] = request?.authorization?.split(' ') ?? []
  t.equal(scheme, 'Basic')
  t.equal(Buffer.from(credentials, 'base64').toString(), 'mcp%3A1:p4ss%3A+%2B%25word', 'each part as in a form')
  t.strictSame(server.seen, ['/introspect'], 'no metadata is needed')
})

t.test('[requirement 17] with the profile of django-oauth-toolkit the user is the one it names', async (t) => {
  const log = new LogLines()
  const { server, status } = await build(t, { TOKEN_PROFILE: 'django-oauth-toolkit', AUDIT_LOG: 'true' }, log)
  server.introspection = () => toolkitAnswer()
  t.equal(await status('opaque'), 200)
  server.introspection = () => toolkitAnswer({ scope: 'none' })
  t.equal(await status('opaque-2'), 403)
  t.match(log.records.filter(({ logger }) => logger === 'audit'), [{ subject: 'alice', issuer: server.issuer, client_id: 'client-1', status: 403 }])
  for (const [name, said] of Object.entries({
    'a client without a user': toolkitAnswer({ username: undefined }), 'sub in its place': toolkitAnswer({ username: undefined, sub: 'alice' }), 'an empty name': toolkitAnswer({ username: '' }),
    'no resource was asked for': toolkitAnswer({ aud: undefined }), 'another resource': toolkitAnswer({ aud: ['https://other.example.com'] }), inactive: { active: false }
  })) {
    server.introspection = () => said
    t.equal(await status(`opaque-${name.length}`), 401, name)
  }
})

t.test('[attack 26] [requirement 17] whatever is not active, ours and of a user is refused', async (t) => {
  const { server, url } = await build(t)
  const table: Record<string, unknown> = {
    'active as text': answer(server, { active: 'true' }), 'active as number': answer(server, { active: 1 }), 'active null': answer(server, { active: null }), 'active missing': answer(server, { active: undefined }), inactive: answer(server, { active: false }),
    'a list': [answer(server)], 'no exp': answer(server, { exp: undefined }), 'exp as text': answer(server, { exp: String(fromNow(600)) }), 'exp in the past': answer(server, { exp: fromNow(-1) }), 'exp far away': answer(server, { exp: fromNow(90_000_000) }),
    'nbf in the future': answer(server, { nbf: fromNow(600) }), 'no aud': answer(server, { aud: undefined }), 'another aud': answer(server, { aud: 'other' }), 'no sub': answer(server, { sub: undefined }), 'only a username': answer(server, { sub: undefined, username: 'alice' }),
    'another issuer': answer(server, { iss: 'https://evil.example' }), 'a bound token': answer(server, { cnf: { jkt: 'x' } }), 'a refresh token': answer(server, { token_type: 'refresh_token' }), 'a DPoP token': answer(server, { token_type: 'DPoP' }), 'an ID token': answer(server, { typ: 'ID' }), 'an ID token by its use': answer(server, { token_use: 'id_token' })
  }
  let index = 0
  for (const [name, said] of Object.entries(table)) {
    server.introspection = () => said
    index += 1
    const response = await ping(url, `opaque-${index}`)
    // A list is no introspection: that is the server's failure, and lets nobody in either.
    t.equal(response.status, Array.isArray(said) ? 503 : 401, name)
  }
  server.introspection = () => answer(server, { iss: undefined, token_type: undefined })
  t.equal((await ping(url, 'good')).status, 200, 'an issuer and a type need not be named')
})

t.test('[attack 26] [requirement 17] [authorization 10] a server that fails, hangs or refuses us lets nobody in, and is not blamed on the token', async (t) => {
  const failures: Array<[string, Parameters<AuthorizationServer['answers']['set']>[1]]> = [
    ['500', (_request, response) => { json(response, 500, { active: true }) }],
    ['401: our credentials are wrong', (_request, response) => { json(response, 401, { active: true }) }],
    ['201', (_request, response) => { json(response, 201, { active: true }) }],
    ['a redirect', (_request, response) => { response.writeHead(307, { location: '/elsewhere' }).end() }],
    ['HTML', (_request, response) => { response.end('<html>active: true</html>') }],
    ['null', (_request, response) => { response.end('null') }],
    ['nothing', (_request, response) => { response.end() }],
    ['cut off', (_request, response) => { response.writeHead(200, { 'content-length': 1000 }); response.write('{"active":true'); response.destroy() }],
    ['too large', (_request, response) => { response.end(`{"active":true,"a":"${'a'.repeat(300_000)}"}`) }],
    ['a reset', (request) => { request.socket.destroy() }],
    ['no answer', () => undefined]
  ]
  const { server, url } = await build(t)
  for (const [name, fail] of failures) {
    server.answers.set('/introspect', fail)
    const response = await ping(url, 'opaque')
    t.equal(response.status, 503, name)
    t.equal(response.headers.get('retry-after'), '5', name)
    t.equal(response.headers.get('www-authenticate'), null, name)
    t.match(await response.json(), { error: 'temporarily_unavailable' }, name)
  }
  server.answers.clear()
  server.introspection = () => answer(server)
  t.equal((await ping(url, 'opaque')).status, 200, 'no failure is remembered')
})

t.test('[requirement 17] an answer is remembered for a minute and no longer than the token lives, and asked for once by many', async (t) => {
  const { now } = Date
  let ahead = 0
  t.intercept(Date, 'now', { value: () => now() + ahead * 1000 })
  const { server, status } = await build(t)
  server.introspection = (token) => answer(server, token === 'short' ? { iat: fromNow(-600), exp: fromNow(30) } : {})
  t.strictSame(new Set(await Promise.all(Array.from({ length: 10 }, () => status('long')))), new Set([200]))
  t.equal(await status('short'), 200)
  t.equal(server.count('/introspect'), 2)
  server.introspection = () => ({ active: false })
  t.equal(await status('long'), 200, 'as long as it is remembered')
  ahead = 31
  t.equal(await status('long'), 200)
  t.equal(await status('short'), 401)
  ahead = 61
  t.equal(await status('long'), 401)
  t.equal(await status('long'), 401)
  t.equal(server.count('/introspect'), 5, 'a refusal is not remembered')
})

t.test('[attack 27] [authorization 27] neither the token nor the secret reaches the log, whatever the server does', async (t) => {
  const log = new LogLines()
  const { server, status } = await build(t, { LOG_LEVEL: 'DEBUG' }, log)
  const token = 'opaque-canary-0123456789'
  server.introspection = () => ({ active: false })
  await status(token)
  for (const fail of [() => undefined, (_request: unknown, response: Parameters<typeof json>[0]) => { json(response, 500, { token, clientSecret }) }]) {
    server.answers.set('/introspect', fail)
    await status(token)
  }
  t.match(log.text, 'credentials cannot be verified')
  for (const secret of [token, clientSecret, 'p4ss', encodeURIComponent(clientSecret), Buffer.from('mcp%3A1:p4ss').toString('base64').slice(0, 12)]) t.notMatch(log.text, secret)
})
