import Fastify from 'fastify'
import t, { type Test } from 'tap'
import identity, { type ExchangeOptions } from '../../../plugins/identity/index.ts'
import { callError, djangoStub, json, LogLines, type Handler } from '../../helper.ts'
import { ada, withIdentity } from './helper.ts'

const ok: Handler = (_request, response) => { json(response, 200, {}) }

/** An authorization server that gives tokens numbered in order, unless a test answers otherwise. */
async function authorizationServer (t: Test, handle?: Handler) {
  let count = 0
  const server = await djangoStub(t, handle ?? ((_request, response) => {
    count += 1
    json(response, 200, { access_token: `for-django-${count}`, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer', expires_in: 300 })
  }))
  return { requests: server.requests, way: { type: 'exchange', url: `${server.url}/token/`, clientId: 'mcp server', clientSecret: 's3:cret', audience: 'django' } satisfies ExchangeOptions }
}

t.test('[requirement 22] the caller\'s token is exchanged for one of Django\'s, which goes beside the key', async (t) => {
  const { requests, way } = await authorizationServer(t)
  const { calls, clientFor } = await withIdentity(t, way, ok)
  await (await clientFor('callers-token')).request('GET', '/')
  t.equal(calls()[0]?.headers['x-mcp-assertion'], 'Bearer for-django-1')
  t.match(calls()[0]?.headers.authorization, /^Api-Key /)
  t.equal(requests[0]?.method, 'POST')
  t.equal(requests[0]?.url, '/token/')
  t.equal(requests[0]?.headers.authorization, `Basic ${Buffer.from('mcp+server:s3%3Acret').toString('base64')}`)
  t.strictSame(Object.fromEntries(new URLSearchParams(requests[0]?.body)), {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'callers-token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'django'
  })
})

t.test('calls at once ask once, and so do calls one after the other', async (t) => {
  const { requests, way } = await authorizationServer(t)
  const { calls, clientFor } = await withIdentity(t, way, ok)
  const clients = await Promise.all(Array.from({ length: 20 }, async (_, index) => await clientFor(`token-${index}`)))
  await Promise.all(clients.map(async (client) => await client.request('GET', '/')))
  await (await clientFor('a-later-token')).request('GET', '/')
  t.equal(requests.length, 1)
  t.strictSame(new Set(calls().map(({ headers }) => headers['x-mcp-assertion'])), new Set(['Bearer for-django-1']))
})

t.test('[attack 37] another user, client, issuer or set of scopes gets another token', async (t) => {
  const { requests, way } = await authorizationServer(t)
  let principal = ada
  const { calls, clientFor } = await withIdentity(t, way, ok, { principalOf: () => principal })
  const others = [ada, { ...ada, subject: 'grace' }, { ...ada, clientId: 'client-2' }, { ...ada, issuer: undefined }, { ...ada, scopes: new Set(['read']) }]
  for (const other of others) {
    principal = other
    await (await clientFor()).request('GET', '/')
  }
  principal = { ...ada, scopes: new Set(['read', 'write']) }
  await (await clientFor()).request('GET', '/')
  t.equal(requests.length, others.length, 'the order of scopes does not matter')
  t.equal(calls().at(-1)?.headers['x-mcp-assertion'], 'Bearer for-django-1')
})

t.test('a token is not used to its very end, and one of unknown life only once', async (t) => {
  for (const life of [30, undefined]) {
    const { requests, way } = await authorizationServer(t, (_request, response) => { json(response, 200, { access_token: 'a', token_type: 'bearer', expires_in: life }) })
    const { clientFor } = await withIdentity(t, way, ok)
    await (await clientFor()).request('GET', '/')
    await (await clientFor()).request('GET', '/')
    t.equal(requests.length, 2, String(life))
  }
})

t.test('a token that Django refuses is not used again', async (t) => {
  const { requests, way } = await authorizationServer(t)
  let status = 401
  const { calls, clientFor } = await withIdentity(t, way, (_request, response) => { json(response, status, {}) })
  t.equal((await callError((await clientFor()).request('GET', '/'))).kind, 'forbidden')
  status = 200
  await (await clientFor()).request('GET', '/')
  t.equal(requests.length, 2)
  t.equal(calls().at(-1)?.headers['x-mcp-assertion'], 'Bearer for-django-2')
})

t.test('an authorization server that is down makes calls unavailable, and the next one tries anew', async (t) => {
  const { way } = await authorizationServer(t)
  const { calls, clientFor } = await withIdentity(t, { ...way, url: 'http://127.0.0.1:1/token' }, ok)
  const error = await callError((await clientFor()).request('GET', '/'))
  t.equal(error.kind, 'unavailable')
  t.notMatch(error.message, '127.0.0.1')
  t.equal(calls().length, 0, 'the call is not made as the service')

  let failing = true
  const server = await authorizationServer(t, (_request, response) => { json(response, failing ? 503 : 200, { access_token: 'a', token_type: 'Bearer' }) })
  const other = await withIdentity(t, server.way, ok)
  t.equal((await callError((await other.clientFor()).request('GET', '/'))).kind, 'unavailable')
  failing = false
  await (await other.clientFor()).request('GET', '/')
  t.equal(other.calls().length, 1)
})

const unusable: ReadonlyArray<readonly [string, Handler]> = [
  ['a redirect', (_request, response) => { response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end() }],
  ['HTML', (_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>fine</h1>') }],
  ['no token', (_request, response) => { json(response, 200, { token_type: 'Bearer' }) }],
  ['a token that is none for a header', (_request, response) => { json(response, 200, { access_token: 'a\r\nX-User: root', token_type: 'Bearer' }) }],
  ['a token that is no bearer token', (_request, response) => { json(response, 200, { access_token: 'a', token_type: 'N_A' }) }],
  ['more than any token needs', (_request, response) => { json(response, 200, { access_token: 'a', token_type: 'Bearer', more: 'x'.repeat(100_000) }) }],
  ['a refusal of this service', (_request, response) => { json(response, 401, { error: 'invalid_client' }) }],
  ['a refusal without a code', (_request, response) => { json(response, 400, { error: 'some text with spaces' }) }]
]

for (const [label, handle] of unusable) {
  t.test(`${label} from the authorization server makes calls unavailable`, async (t) => {
    const { way } = await authorizationServer(t, handle)
    const { calls, clientFor } = await withIdentity(t, way, ok)
    t.equal((await callError((await clientFor()).request('GET', '/'))).kind, 'unavailable')
    t.equal(calls().length, 0)
  })
}

t.test('a user whose token is not taken may not make the call', async (t) => {
  for (const [status, code] of [[400, 'invalid_grant'], [400, 'invalid_request'], [400, 'invalid_target'], [403, 'access_denied']] as const) {
    const { way } = await authorizationServer(t, (_request, response) => { json(response, status, { error: code, error_description: 'token callers-token is bad' }) })
    const { calls, clientFor } = await withIdentity(t, way, ok)
    const error = await callError((await clientFor()).request('GET', '/'))
    t.equal(error.kind, 'forbidden', code)
    t.notMatch(String(error.cause), 'callers-token', 'descriptions may hold the token')
    t.equal(calls().length, 0)
  }
})

t.test('[attack 36] nobody is nobody: no token, no call', async (t) => {
  const { requests, way } = await authorizationServer(t)
  for (const options of [{ principalOf: () => null }, { tokenOf: () => undefined }, { issuer: 'https://other.example.com' }]) {
    const { calls, clientFor } = await withIdentity(t, way, ok, options)
    t.equal((await callError((await clientFor()).request('GET', '/'))).kind, 'forbidden')
    t.equal(calls().length, 0)
  }
  t.equal(requests.length, 0, 'a token is not sent to a server that did not issue it')
})

t.test('what the operator has to mend is logged without secrets', async (t) => {
  const { way } = await authorizationServer(t, (_request, response) => { json(response, 401, { error: 'invalid_client' }) })
  const log = new LogLines()
  const app = Fastify({ logger: { level: 'info', stream: log } })
  t.teardown(() => app.close())
  await app.register(identity, { way, principalOf: () => ada })
  app.route({ method: 'GET', url: '/', handler: async (request) => await app.identityOf(request)?.headers() })
  await app.inject({ url: '/', headers: { authorization: 'Bearer callers-token' } })
  t.match(log.records, [{}, { msg: 'the authorization server does not exchange tokens for this service', status: 401, code: 'invalid_client' }])
  t.notMatch(log.text, /callers-token|s3:cret/)
})
