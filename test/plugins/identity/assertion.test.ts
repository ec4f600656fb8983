import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT, type JSONWebKeySet } from 'jose'
import Fastify from 'fastify'
import t from 'tap'
import { generatedKey } from '../../../checks/keys.ts'
import auth, { anonymous } from '../../../plugins/auth/index.ts'
import identity, { type AssertionOptions } from '../../../plugins/identity/index.ts'
import { apiKey, callError, json, LogLines, overHttp, type Handler } from '../../helper.ts'
import { ada, assertion, key, publicPem, withIdentity } from './helper.ts'

const ok: Handler = (_request, response) => { json(response, 200, {}) }

function bearer (value: unknown): string {
  const token = /^Bearer (\S+)$/.exec(String(value))?.[1]
  if (token === undefined) throw new Error(`no token in ${String(value)}`)
  return token
}

t.test('[requirement 22] beside the key of this service a request carries an assertion of who it is for', async (t) => {
  const { app, calls, clientFor } = await withIdentity(t, assertion, ok)
  await (await clientFor()).request('GET', '/api/notes/')
  const [call] = calls()
  t.equal(call?.headers.authorization, `Api-Key ${apiKey}`)
  const token = bearer(call?.headers['x-mcp-assertion'])

  const published = await app.inject('/.well-known/jwks.json')
  t.match(published.headers['content-type'], /^application\/jwk-set\+json/)
  t.match(published.json(), { keys: [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }] })
  t.equal(published.json().keys[0].d, undefined, 'the private half is not published')
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(published.json<JSONWebKeySet>()), {
    issuer: 'https://mcp.example.com', audience: 'https://django.example.com', typ: 'mcp-assertion+jwt', algorithms: ['ES256']
  })
  t.equal(protectedHeader.kid, published.json().keys[0].kid)
  t.match(payload, {
    sub: 'ada',
    user_id: 'ada',
    token_type: 'access',
    scope: 'write read',
    act: { sub: 'client-1' },
    sub_id: { format: 'iss_sub', iss: 'https://auth.example.com', sub: 'ada' },
    jti: /^[\da-f-]{36}$/
  })
  t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
})

t.test('[requirement 22] every request has an assertion of its own, repeated ones too', async (t) => {
  let failures = 1
  const { calls, clientFor } = await withIdentity(t, assertion, ({ url }, response) => { json(response, url === '/api/notes/' && failures-- > 0 ? 503 : 200, {}) })
  const client = await clientFor()
  await client.request('GET', '/api/notes/')
  await client.request('GET', '/api/notes/')
  const ids = calls().map(({ headers }) => decodeJwt(bearer(headers['x-mcp-assertion'])).jti)
  t.equal(ids.length, 3)
  t.equal(new Set(ids).size, 3)
})

t.test('a token without client and issuer makes an assertion without these', async (t) => {
  const { calls, clientFor } = await withIdentity(t, assertion, ok, { principalOf: () => ({ subject: 'grace', scopes: new Set() }) })
  await (await clientFor()).request('GET', '/')
  const claims = decodeJwt(bearer(calls()[0]?.headers['x-mcp-assertion']))
  t.equal(claims.sub, 'grace')
  t.notOk('act' in claims || 'sub_id' in claims)
})

t.test('[attack 36] nobody is nobody to Django: a call without a user is not made as the service', async (t) => {
  for (const principal of [null, undefined, anonymous]) {
    const { calls, clientFor } = await withIdentity(t, assertion, ok, { principalOf: () => principal })
    t.equal((await callError((await clientFor()).request('GET', '/'))).kind, 'forbidden')
    t.equal(calls().length, 0)
  }
})

t.test('[attack 36] a subject of another issuer is not taken for the user of that name', async (t) => {
  const { calls, clientFor } = await withIdentity(t, assertion, ok, { issuer: 'https://other.example.com' })
  t.equal((await callError((await clientFor()).request('GET', '/'))).kind, 'forbidden')
  t.equal(calls().length, 0)
  const same = await withIdentity(t, assertion, ok, { issuer: 'https://auth.example.com' })
  await (await same.clientFor()).request('GET', '/')
  t.equal(same.calls().length, 1)
})

t.test('[attack 40] no header of a request takes the place of the assertion, however it is spelt', async (t) => {
  const { calls, clientFor } = await withIdentity(t, assertion, ok)
  const headers = { 'X-MCP-Assertion': 'Bearer forged', x_mcp_assertion: 'Bearer forged', 'X-Mcp_Assertion': 'Bearer forged', 'x-mcp-assertion': 'Bearer forged', 'if-match': '"1"' }
  await (await clientFor()).send({ method: 'GET', route: '/', target: '/', headers, body: undefined })
  const [call] = calls()
  t.notMatch(JSON.stringify(call?.headers), 'forged')
  t.equal(call?.headers['if-match'], '"1"')
  t.equal(decodeJwt(bearer(call?.headers['x-mcp-assertion'])).sub, 'ada')
})

t.test('[attack 36] a client that is bound again keeps its identity', async (t) => {
  const { calls, clientFor } = await withIdentity(t, assertion, ok)
  await (await clientFor()).bind({ correlationId: 'c-1' }).request('GET', '/')
  t.match(calls()[0]?.headers, { 'x-correlation-id': 'c-1', 'x-mcp-assertion': /^Bearer / })
})

t.test('what the service does by itself it does as itself', async (t) => {
  const { app, stub, calls } = await withIdentity(t, assertion, ok)
  await app.djangoHealth.latest()
  await app.django.request('GET', '/api/schema/')
  t.equal(calls().length, 1)
  t.equal(stub.requests.length, 2)
  for (const { headers } of stub.requests) {
    t.equal(headers.authorization, `Api-Key ${apiKey}`)
    t.equal(headers['x-mcp-assertion'], undefined)
  }
})

t.test('[requirement 22] without a way Django sees one identity, and the log says so', async (t) => {
  const log = new LogLines()
  const app = Fastify({ logger: { level: 'info', stream: log } })
  t.teardown(() => app.close())
  await app.register(identity, { way: null, principalOf: () => ada })
  app.route({ method: 'GET', url: '/', handler: async (request) => app.identityOf(request) === undefined })
  t.equal((await app.inject('/')).body, 'true')
  t.equal((await app.inject('/.well-known/jwks.json')).statusCode, 404)
  t.match(log.text, 'one shared identity')
})

t.test('keys rotate: the next one is published before it signs, the previous one after', async (t) => {
  const next = generatedKey()
  const names = async (options: { key: string, otherKey?: string }): Promise<{ published: unknown[], signs: unknown }> => {
    const { app, calls, clientFor } = await withIdentity(t, { ...assertion, ...options }, ok)
    await (await clientFor()).request('GET', '/')
    const published = (await app.inject('/.well-known/jwks.json')).json<JSONWebKeySet>().keys.map(({ kid }) => kid)
    return { published, signs: decodeProtectedHeader(bearer(calls()[0]?.headers['x-mcp-assertion'])).kid }
  }
  const before = await names({ key, otherKey: next })
  const after = await names({ key: next, otherKey: key })
  t.strictSame(before.published.toReversed(), after.published)
  t.equal(before.signs, before.published[0])
  t.equal(after.signs, before.published[1])
  t.equal((await names({ key, otherKey: publicPem() })).published.length, 2, 'of the other one the public half will do')
  t.equal((await names({ key, otherKey: key })).published.length, 1)
  const sec1 = createPrivateKey(key).export({ type: 'sec1', format: 'pem' }).toString()
  t.strictSame((await names({ key: sec1 })).published, [before.published[0]], 'OpenSSL writes keys in two forms')
})

t.test('keys of other kinds are refused, and none is printed', async (t) => {
  const register = async (way: AssertionOptions): Promise<void> => { await Fastify().register(identity, { way, principalOf: () => ada }) }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384', privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey
  for (const wrong of [rsa, p384, publicPem(), 'hunter2', '']) {
    await t.rejects(register({ ...assertion, key: wrong }), { message: /^identity: way\.key: expected the PEM of a private key of P-256, got \*+ \(\d+ characters\)$/ })
  }
  await t.rejects(register({ ...assertion, otherKey: rsa }), /way\.otherKey: expected the PEM of a key of P-256/)
  await t.rejects(register({ ...assertion, issuer: 'mcp' }), /way\.issuer: expected an http or https URL/)
})

t.test('[attack 41] a reference verifier refuses what was changed, what is for others and what is old', async (t) => {
  const { app, calls, clientFor } = await withIdentity(t, assertion, ok)
  await (await clientFor()).request('GET', '/')
  const token = bearer(calls()[0]?.headers['x-mcp-assertion'])
  const keys = createLocalJWKSet((await overHttp(app, '/.well-known/jwks.json')).json())
  const rules = { issuer: 'https://mcp.example.com', audience: 'https://django.example.com', typ: 'mcp-assertion+jwt', algorithms: ['ES256'], maxTokenAge: 60 }
  await t.resolves(jwtVerify(token, keys, rules))

  const [header = '', payload = '', signature = ''] = token.split('.')
  const changed = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'grace', user_id: 'grace' })).toString('base64url')
  await t.rejects(jwtVerify(`${header}.${changed}.${signature}`, keys, rules), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
  await t.rejects(jwtVerify(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`, keys, rules))
  await t.rejects(jwtVerify(token, keys, { ...rules, audience: 'https://another.example.com' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
  await t.rejects(jwtVerify(token, keys, { ...rules, issuer: 'https://another.example.com' }), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
  await t.rejects(jwtVerify(token, keys, { ...rules, currentDate: new Date(Date.now() + 61_000) }), { code: 'ERR_JWT_EXPIRED' })
})

t.test('[attack 92] an assertion is no access token for who looks at types, as this service does, even with the right key', async (t) => {
  const { app, calls, clientFor } = await withIdentity(t, assertion, ok)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await (await clientFor()).request('GET', '/')
  const token = bearer(calls()[0]?.headers['x-mcp-assertion'])
  const other = Fastify()
  t.teardown(() => other.close())
  // It trusts the key and is even named as the audience.
  await other.register(auth, {
    issuers: [{ type: 'jwks', issuer: assertion.issuer, jwksUrl: `${url}/.well-known/jwks.json`, algorithm: 'ES256', profile: 'generic' }],
    audience: [assertion.audience],
    allowHttp: true
  })
  other.get('/', { onRequest: other.authenticate }, async () => 'in')
  const statusFor = async (bearer: string): Promise<number> => (await overHttp(other, { url: '/', headers: { authorization: `Bearer ${bearer}` } })).statusCode
  t.equal(await statusFor(token), 401)
  const { kid } = decodeProtectedHeader(token)
  const retyped = await new SignJWT(decodeJwt(token)).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...kid === undefined ? {} : { kid } }).sign(createPrivateKey(key))
  t.equal(await statusFor(retyped), 200, 'it is the type that makes the difference')
})
