import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { Discovery, metadataUrls } from '../../../plugins/auth/discovery.ts'
import { VerifierUnavailable } from '../../../plugins/auth/errors.ts'
import { claims, createKey, ping, serviceOf, signToken, startAuthorizationServer, type AuthorizationServer } from '../../authorization-server.ts'
import { json, LogLines } from '../../helper.ts'
import { freePort } from '../../../demo/free-port.ts'

/** Asks until the service answers so, or often enough. */
async function becomes (status: number, ask: () => Promise<number>): Promise<boolean> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await ask() === status) return true
    await sleep(20)
  }
  return false
}

/** An issuer whose metadata is at none of the paths, except for what the test puts there. */
async function silentServer (t: Test, path = ''): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer(t, { path })
  for (const url of metadataUrls(server.issuer)) server.answers.set(new URL(url).pathname, (_request, response) => { json(response, 404, {}) })
  return server
}

t.test('[authorization 36] metadata is looked for where clients look, in their order', async (t) => {
  t.strictSame(metadataUrls('https://a.example'), ['https://a.example/.well-known/oauth-authorization-server', 'https://a.example/.well-known/openid-configuration'])
  t.strictSame(metadataUrls('https://a.example/'), metadataUrls('https://a.example'), 'Auth0')
  t.strictSame(metadataUrls('https://a.example/realms/b'), [
    'https://a.example/.well-known/oauth-authorization-server/realms/b', 'https://a.example/.well-known/openid-configuration/realms/b', 'https://a.example/realms/b/.well-known/openid-configuration'
  ])
  for (const path of ['', '/', '/realms/demo']) {
    for (const [index, url] of metadataUrls((await silentServer(t, path)).issuer).entries()) {
      const server = await silentServer(t, path)
      const { pathname } = new URL(url)
      server.answers.set(pathname, (_request, response) => { json(response, 200, { issuer: server.issuer, jwks_uri: server.jwksUrl }) })
      const { status } = await serviceOf(t, server)
      t.equal(await status(server.token()), 200, pathname)
      t.equal(server.seen.length, index + 2, 'the ones before it, and the keys')
    }
  }
})

t.test('[requirement 16] metadata that is another issuer\'s, or none, is not used', async (t) => {
  const attacker = await startAuthorizationServer(t)
  const table: Array<[string, (issuer: string) => unknown]> = [
    ['another issuer', () => ({ issuer: attacker.issuer, jwks_uri: attacker.jwksUrl })],
    ['a trailing slash', (issuer) => ({ issuer: `${issuer}/`, jwks_uri: attacker.jwksUrl })],
    ['no issuer', () => ({ jwks_uri: attacker.jwksUrl })],
    ['no keys', (issuer) => ({ issuer })],
    ['keys in a file', (issuer) => ({ issuer, jwks_uri: 'file:///etc/passwd' })],
    ['a list', () => []]
  ]
  for (const [name, document] of table) {
    const server = await silentServer(t)
    server.answers.set('/.well-known/oauth-authorization-server', (_request, response) => { json(response, 200, document(server.issuer)) })
    const log = new LogLines()
    const { status } = await serviceOf(t, server, { LOG_LEVEL: 'ERROR' }, log)
    t.equal(await status(signToken(attacker.key, claims(server.issuer))), 503, name)
    t.match(log.records, [{ message: 'the metadata of the issuer cannot be used; trying again', issuer: server.issuer }], name)
  }
  const redirecting = await silentServer(t)
  redirecting.answers.set('/.well-known/oauth-authorization-server', (_request, response) => { response.writeHead(302, { location: `${attacker.url}/.well-known/oauth-authorization-server` }).end() })
  const { status } = await serviceOf(t, redirecting)
  t.equal(await status(redirecting.token()), 503, 'a redirect')
  t.strictSame(attacker.seen, [])
})

t.test('[attack 16] [authorization 36] an issuer that is down keeps nobody from starting, and is found when it is up', async (t) => {
  const key = await createKey('key-1')
  const first = await startAuthorizationServer(t)
  // Nothing listens there until the test says so.
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const log = new LogLines()
  const { url } = await serviceOf(t, { issuer }, { LOG_LEVEL: 'INFO' }, log)
  const token = signToken(key, claims(issuer))
  const response = await ping(url, token)
  t.equal(response.status, 503)
  t.equal(response.headers.get('retry-after'), '5')
  t.equal((await ping(url, undefined)).status, 401, 'who has no token is told where to get one')
  t.equal((await fetch(`${url}/.well-known/oauth-protected-resource/mcp`)).status, 200)
  const server = await startAuthorizationServer(t, { key, port })
  t.ok(await becomes(200, async () => (await ping(url, token)).status))
  t.equal(server.count('/.well-known/oauth-authorization-server'), 1)
  t.equal(log.records.filter(({ level, logger }) => level === 'ERROR' && logger === 'auth').length, 1, 'one line for the outage')
  t.match(log.records.filter(({ message }) => message === 'the keys of the issuer are found'), [{ issuer, jwks_url: server.jwksUrl }])
  t.equal(first.seen.length, 0)
})

t.test('metadata that comes late is waited for', async (t) => {
  const server = await silentServer(t)
  server.answers.set('/.well-known/oauth-authorization-server', (_request, response) => {
    setTimeout(() => { json(response, 200, { issuer: server.issuer, jwks_uri: server.jwksUrl }) }, 200)
  })
  const { status } = await serviceOf(t, server)
  t.strictSame(await Promise.all([status(server.token()), status(server.token({ jti: 'b' }))]), [200, 200])
  t.strictSame(server.seen, ['/.well-known/oauth-authorization-server', '/keys'])
})

t.test('[requirement 16] [requirement 19] in production keys are not fetched without TLS, whatever the metadata says', async (t) => {
  const issuer = 'https://auth.example.com'
  const found = async (allowHttp: boolean, jwksUri: string) => {
    const { log } = Fastify()
    const discovery = new Discovery({ issuer, allowHttp, log, ask: async () => ({ issuer, jwks_uri: jwksUri }) })
    t.teardown(() => { discovery.stop() })
    discovery.start()
    return await discovery.keys().catch((error: unknown) => error instanceof VerifierUnavailable ? 'refused' : String(error))
  }
  t.equal(await found(false, 'http://auth.example.com/keys'), 'refused')
  t.equal(await found(false, 'HTTP://auth.example.com/keys'), 'refused')
  t.equal(await found(false, 'file:///etc/keys'), 'refused')
  t.equal(await found(false, 'https://user:pass@auth.example.com/keys'), 'refused')
  t.equal(await found(false, 'https://auth.example.com/keys'), 'https://auth.example.com/keys')
  t.equal(await found(true, 'http://auth.example.com/keys'), 'http://auth.example.com/keys')
})
