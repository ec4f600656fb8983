import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, unlinkSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import auth, { anonymous, digestOf } from '../../plugins/auth/index.ts'
import redis from '../../plugins/redis.ts'
import revocation from '../../plugins/revocation.ts'
import { issuedBy, ping, startAuthorizationServer } from '../authorization-server.ts'
import { buildApp, fromNow, listen, LogLines, modernRpc, rpc, secret, token } from '../helper.ts'
import { startRedis, withoutRedis } from '../redis.ts'

const command = fileURLToPath(new URL('../../cli/revoke.ts', import.meta.url))

/** Path of a socket in a folder of the test. Short, since the system keeps such paths in a small field. */
function socketOf (t: Test, name = 's'): string {
  const path = join('/tmp', `mcp-${process.pid}-${Math.random().toString(36).slice(2, 8)}-${name}`)
  t.teardown(() => { if (existsSync(path)) throw new Error(`${path} is left behind`) })
  return path
}

/** Runs the command and gives what it prints. */
async function revoke (t: Test, args: readonly string[], { input = '', environment = {} }: { input?: string, environment?: Record<string, string> } = {}) {
  const child = spawn(process.execPath, [command, ...args], { cwd: t.testdir({}), env: { PATH: process.env.PATH, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

/** Sends a request to the socket as it is. */
async function send (socketPath: string, method: string, path: string, body: string): Promise<{ status: number | undefined, body: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, method, path, headers: { 'content-length': Buffer.byteLength(body) } }, resolve).on('error', reject).end(body)
  })
  return { status: response.statusCode, body: await text(response) }
}

t.test('[attack 24] [requirement 15] a command revokes by jti, by token and by subject, at once, and takes back', async (t) => {
  const socket = socketOf(t)
  const log = new LogLines()
  const app = await buildApp(t, { ADMIN_SOCKET: socket, LOG_LEVEL: 'INFO', RATE_LIMIT_REQUESTS: 1000 }, log)
  const status = async (bearer: string): Promise<number[]> => [(await rpc(app, 'ping', {}, bearer)).statusCode, (await modernRpc(app, 'tools/list', {}, { bearer })).statusCode]
  const environment = { ADMIN_SOCKET: socket }
  const here = /^Revoked, in this process alone: .*REDIS_URL/

  const byId = token({ jti: 'id-1' })
  t.strictSame(await status(byId), [200, 200])
  t.match(await revoke(t, ['--jti', 'id-1'], { environment }), { code: 0, stdout: here, stderr: '' })
  t.strictSame(await status(byId), [401, 401])
  t.strictSame(await status(token({ jti: 'id-2' })), [200, 200])
  t.match(await revoke(t, ['--jti', 'id-1', '--undo'], { environment }), { code: 0, stdout: /^Taken back, / })
  t.strictSame(await status(byId), [200, 200])

  const byToken = token({ sub: 'user-2' })
  t.strictSame(await status(byToken), [200, 200])
  t.match(await revoke(t, ['--token', '--socket', socket], { input: `${byToken}\n` }), { code: 0, stdout: here })
  t.strictSame(await status(byToken), [401, 401])
  t.strictSame(await status(token({ sub: 'user-2', jti: 'another' })), [200, 200])

  const old = token({ sub: 'user-3', iat: fromNow(-100) })
  t.strictSame(await status(old), [200, 200])
  t.match(await revoke(t, ['--subject', 'user-3', '--issued-before', new Date(Date.now() - 50_000).toISOString()], { environment }), { code: 0 })
  t.strictSame(await status(old), [401, 401])
  t.strictSame(await status(token({ sub: 'user-3', iat: fromNow(-10) })), [200, 200])
  t.match(await revoke(t, ['--subject', 'user-3', '--until', String(fromNow(600))], { environment }), { code: 0 })
  t.strictSame(await status(token({ sub: 'user-3', iat: fromNow(-10) })), [401, 401], 'up to now')
  t.strictSame(await status(token({ sub: 'user-4', iat: fromNow(-10) })), [200, 200])

  const written = log.records.filter(({ message }) => message === 'revoked by an operator')
  t.match(written, [{ logger: 'auth', token_sha256: digestOf('id-1') }, { logger: 'auth' }, { subject: 'user-3' }, { subject: 'user-3', until: Number }])
  t.match(log.records.find(({ message }) => message === 'revocation taken back by an operator'), { token_sha256: digestOf('id-1') })
  for (const secretText of [byToken, byToken.slice(-20), digestOf(byToken), 'id-1"']) t.notMatch(written.map((line) => JSON.stringify(line)).join(''), secretText)
})

t.test('[attack 24] [requirement 15] a subject is revoked wherever it signed in, or at the issuer that is named', async (t) => {
  const socket = socketOf(t)
  const server = await startAuthorizationServer(t)
  const { url } = await listen(t, issuedBy(server, { ADMIN_SOCKET: socket }))
  const status = async (sub: string): Promise<number> => (await ping(url, server.token({ sub, iat: fromNow(-100) }))).status
  for (const sub of ['user-1', 'user-2']) t.equal(await status(sub), 200)
  t.match(await revoke(t, ['--subject', 'user-1', '--socket', socket]), { code: 0 })
  t.equal(await status('user-1'), 401, 'who does not name the issuer means all')
  t.match(await revoke(t, ['--subject', 'user-2', '--issuer', 'https://other.example.com', '--socket', socket]), { code: 0 })
  t.equal(await status('user-2'), 200, 'another issuer\'s')
  t.match(await revoke(t, ['--subject', 'user-2', '--issuer', server.issuer, '--socket', socket]), { code: 0 })
  t.equal(await status('user-2'), 401)
})

t.test('[attack 24] [requirement 15] what one replica revokes, all refuse, also after a restart', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const environment = { REDIS_URL: server.url, RATE_LIMIT_REQUESTS: 1000 }
  const socket = socketOf(t)
  const first = await buildApp(t, { ...environment, ADMIN_SOCKET: socket })
  const second = await buildApp(t, { ...environment, REVOKED_TOKEN_IDS: 'own' })
  const status = async (app: typeof first, bearer: string): Promise<number> => (await rpc(app, 'ping', {}, bearer)).statusCode
  const tokens = { byId: token({ jti: 'id-1' }), byToken: token({ sub: 'user-2' }), bySubject: token({ sub: 'user-3', iat: fromNow(-10) }) }
  for (const bearer of Object.values(tokens)) for (const app of [first, second]) t.equal(await status(app, bearer), 200)
  const shared = { code: 0, stdout: 'Revoked, for all replicas.\n' }
  t.match(await revoke(t, ['--jti', 'id-1', '--socket', socket]), shared)
  t.match(await revoke(t, ['--token', '--socket', socket], { input: tokens.byToken }), shared)
  t.match(await revoke(t, ['--subject', 'user-3', '--until', String(fromNow(600)), '--socket', socket]), shared)
  const third = await buildApp(t, environment)
  for (const [name, bearer] of Object.entries(tokens)) for (const app of [first, second, third]) t.equal(await status(app, bearer), 401, name)
  t.equal(await status(second, token({ sub: 'user-3', iat: fromNow(2) })), 200, 'issued later')
  t.strictSame([await status(first, token({ jti: 'own' })), await status(second, token({ jti: 'own' }))], [200, 401], 'what a replica refuses by itself')

  t.match(await revoke(t, ['--jti', 'id-1', '--undo', '--socket', socket]), { code: 0, stdout: 'Taken back, for all replicas.\n' })
  t.equal(await status(second, tokens.byId), 200)
})

t.test('entries in Redis end, stay when an earlier time is given, and are taken back', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url })
  await app.register(auth, { issuers: null, redis: app.redis, revokedTokenIds: ['own'] })
  await app.ready()
  const { denyList } = app
  const holder = { ...anonymous, subject: 'user-3', issuedAt: 1000 }
  await denyList.revoke({ subject: 'user-3', issuedBefore: 1000 })
  await denyList.revoke({ subject: 'user-3', issuedBefore: 500 })
  t.equal(await denyList.isRevoked('x', holder), true)
  t.equal(await denyList.isRevoked('x', { ...holder, issuedAt: 1001 }), false)
  t.equal(await denyList.restore({ subject: 'user-3', issuedBefore: 1 }), true)
  t.equal(await denyList.isRevoked('x', holder), false)
  t.equal(await denyList.restore({ subject: 'user-3', issuedBefore: 1 }), false)
  await denyList.revoke({ subject: 'user-3', issuedBefore: 1000 })
  t.equal(await denyList.isRevoked('x', { ...holder, issuer: 'https://a.example' }), true, 'whoever issued')
  t.equal(await denyList.isRevoked('x', { ...holder, issuer: 'https://a.example', issuedAt: 1001 }), false)
  t.equal(await denyList.restore({ subject: 'user-3', issuedBefore: 1 }), true)
  await denyList.revoke({ subject: 'user-4', issuer: 'https://a.example', issuedBefore: 1000 })
  t.equal(await denyList.isRevoked('x', { ...holder, subject: 'user-4', issuer: 'https://a.example' }), true)
  t.equal(await denyList.isRevoked('x', { ...holder, subject: 'user-4', issuer: 'https://b.example' }), false)
  for (const [tokenId, first, second] of [['lasting', undefined, fromNow(600)], ['later', fromNow(7200), fromNow(600)], ['longer', fromNow(600), fromNow(7200)], ['ever', fromNow(600), undefined]] as const) {
    await denyList.revoke({ tokenId, until: first })
    await denyList.revoke({ tokenId, until: second })
  }
  const left = await Promise.all((await app.redis.keys('revoked:jti:*')).map(async (name) => await app.redis.ttl(name)))
  t.strictSame(left.map((seconds) => seconds === -1 ? 'ever' : seconds > 3600 ? 'long' : 'short').toSorted(), ['ever', 'ever', 'long', 'long'], 'an entry does not end sooner by a second one')
  t.equal(await denyList.restore({ tokenId: 'own' }), true)
  t.equal(await denyList.isRevoked('x', { ...holder, tokenId: 'own' }), false)
  await denyList.revoke({ tokenId: 'short', until: fromNow(2) })
  const short = { ...holder, tokenId: 'short' }
  t.equal(await denyList.isRevoked('x', short), true)
  for (let attempt = 0; attempt < 100 && await denyList.isRevoked('x', short); attempt += 1) await new Promise((resolve) => { setTimeout(resolve, 50) })
  t.equal(await denyList.isRevoked('x', short), false)
  const names = await app.redis.keys('*')
  await denyList.revoke({ tokenId: 'id-canary', until: fromNow(600) })
  t.notMatch(names.concat(await app.redis.keys('*')).join(' '), 'canary', 'who looks into Redis does not read ids')
})

t.test('[attack 25] [requirement 15] while Redis cannot be asked nobody is let in, and afterwards all are', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const socket = socketOf(t)
  const app = await buildApp(t, { REDIS_URL: server.url, RATE_LIMIT_REQUESTS: 1000, ADMIN_SOCKET: socket })
  const seen = token()
  t.equal((await rpc(app, 'ping', {}, seen)).statusCode, 200)
  await server.kill()
  for (const send of [async () => await rpc(app, 'ping', {}, seen), async () => await modernRpc(app, 'tools/list', {}, { bearer: token({ jti: 'new' }) })]) {
    const response = await send()
    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '5')
    t.equal(response.headers['www-authenticate'], undefined, 'a client must not throw its token away')
    t.match(response.json(), { error: 'temporarily_unavailable' })
    t.notMatch(response.body, /redis|127\.0\.0\.1|ECONN/i)
  }
  t.equal((await rpc(app, 'ping', {}, token({ exp: 1 }))).statusCode, 401, 'what is refused anyway is refused')
  t.match(await revoke(t, ['--jti', 'a', '--socket', socket]), { code: 1, stdout: '', stderr: 'refused: the deny-list cannot be reached\n' })
  t.match((await app.inject('/metrics')).body, 'mcp_auth_failures_total{reason="unavailable"} 2')
  t.equal((await app.inject('/live/')).statusCode, 200)
  await server.start()
  for (let attempt = 0; attempt < 200 && (await rpc(app, 'ping', {}, seen)).statusCode !== 200; attempt += 1) await new Promise((resolve) => { setTimeout(resolve, 50) })
  t.equal((await rpc(app, 'ping', {}, seen)).statusCode, 200)
})

t.test('[requirement 15] a Redis that says nothing is not waited for long', async (t) => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.close() })
  const app = Fastify()
  t.teardown(() => app.close())
  const never = new Promise<never>(() => undefined)
  await app.register(auth, { issuers: [{ type: 'secret', secrets: [secret], audienceRequired: false }], redis: Object.assign(Object.create(null), { status: 'ready', mget: async () => await never }) })
  app.get('/', { onRequest: app.authenticate }, () => 'let in')
  t.equal((await app.inject({ url: '/', headers: { authorization: `Bearer ${token()}` } })).statusCode, 503)
})

t.test('the socket is for its owner only, is there while the server runs, and outlives one that was killed', async (t) => {
  const path = socketOf(t)
  const build = async () => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(auth, { issuers: [{ type: 'secret', secrets: [secret] }], audience: ['a'] })
    await app.register(revocation, { socket: path, denyList: app.denyList })
    return app
  }
  const app = await build()
  t.notOk(existsSync(path))
  const mask = process.umask()
  await app.ready()
  t.equal(process.umask(), mask)
  const stat = lstatSync(path)
  t.ok(stat.isSocket())
  t.equal(stat.mode & 0o777, 0o600)
  const rival = await build()
  await t.rejects(Promise.resolve(rival.ready()), { code: 'EADDRINUSE' })
  t.equal((await send(path, 'POST', '/revocations', '{"tokenId":"a"}')).status, 200, 'the first one goes on')
  await app.close()
  t.notOk(existsSync(path))

  const killed = spawn(process.execPath, ['--eval', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(killed.stdout, 'data')
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  t.ok(existsSync(path), 'left behind')
  const next = await build()
  await next.ready()
  t.equal((await send(path, 'POST', '/revocations', '{"tokenId":"a"}')).status, 200)
  await next.close()
})

t.test('a file in the place of the socket is left alone, and the server does not start', async (t) => {
  const path = socketOf(t, 'file')
  writeFileSync(path, 'precious')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(auth, { issuers: null })
  await app.register(revocation, { socket: path, denyList: app.denyList })
  await t.rejects(Promise.resolve(app.ready()), { code: 'EADDRINUSE' })
  t.ok(lstatSync(path).isFile())
  unlinkSync(path)
})

t.test('the socket takes revocations and nothing else', async (t) => {
  const path = socketOf(t)
  const app = await buildApp(t, { ADMIN_SOCKET: path })
  for (const [method, url] of [['GET', '/revocations'], ['PUT', '/revocations'], ['POST', '/'], ['POST', '/mcp'], ['POST', '/revocations/']] as const) t.equal((await send(path, method, url, '{"tokenId":"a"}')).status, 404, `${method} ${url}`)
  for (const body of ['', '{', 'null', '[]', '{}', '{"tokenId":""}', '{"tokenId":1}', '{"tokenId":"a","scope":"b"}', '{"subject":"a"}', `{"tokenId":"${'a'.repeat(5000)}"}`]) {
    const answer = await send(path, 'POST', '/revocations', body)
    t.equal(answer.status, 400, body.slice(0, 40))
    t.match(JSON.parse(answer.body), { error: /^expected / }, body.slice(0, 40))
  }
  t.match(await send(path, 'POST', '/revocations', JSON.stringify({ tokenId: 'a', until: fromNow(-1) })), { status: 400, body: /until in the future/ }, 'one that has ended already')
  t.equal((await send(path, 'DELETE', '/revocations', '{"tokenId":"unknown"}')).status, 404)
  const socket = connect(path)
  socket.write('POST /revocations HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{"tokenId"')
  socket.destroy()
  t.equal((await rpc(app, 'ping', {}, token({ jti: 'a' }))).statusCode, 200)
})

t.test('the command names what is wrong', async (t) => {
  const table: Array<[readonly string[], RegExp, string?]> = [
    [[], /expected one of --jti, --token and --subject/],
    [['--jti', 'a', '--subject', 'b'], /expected one of --jti, --token and --subject/],
    [['--jti', 'a', '--issuer', 'b'], /--issuer and --issued-before belong to --subject/],
    [['--jti', 'a', '--until', 'soon'], /--until: expected a time/],
    [['--subject', 'a', '--issued-before', '0'], /--issued-before: expected a time/],
    [['--token'], /--token: expected one token on standard input/],
    [['--token'], /--token: expected one token/, 'two tokens'],
    [['--token', 'eyJ'], /Unexpected argument/],
    [['--jit', 'a'], /Unknown option '--jit'/],
    [['--jti', 'a'], /neither --socket nor ADMIN_SOCKET/],
    [['--jti', 'a', '--socket', '/nowhere/s'], /\/nowhere\/s: .*ENOENT.*is the server running/]
  ]
  for (const [args, expected, input] of table) {
    const { code, stdout, stderr } = await revoke(t, args, { input: input ?? '' })
    t.equal(code, 1, args.join(' '))
    t.match(stderr, expected, args.join(' '))
    t.notMatch(stderr, / at /, 'no stack')
    t.equal(stdout, '')
  }
  t.match(await revoke(t, ['--help']), { code: 0, stdout: /^Makes a running server refuse tokens/ })
  const path = socketOf(t)
  await buildApp(t, { ADMIN_SOCKET: path })
  t.match(await revoke(t, ['--jti', 'unknown', '--undo', '--socket', path]), { code: 1, stderr: 'refused: there is no such entry\n' })
})
