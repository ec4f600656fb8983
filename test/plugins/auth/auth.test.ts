import { createHmac, generateKeyPairSync, sign as signAsymmetric } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import auth, { AuthError, anonymous, digestOf, grants, type AuthOptions, type IssuerOptions, type Principal } from '../../../plugins/auth/index.ts'
import { loggingOptions } from '../../../plugins/logging/index.ts'
import { buildApp, fromNow, listen, LogLines, mcpHeaders, overHttp, rpc, secret, sign, token } from '../../helper.ts'
import { head as rawHead, sendRaw } from '../../raw.ts'

const other = 'Qw8-eR4tY6uI2oP0aS5dF7gH1jK3lZ9x'
const audience = 'https://mcp.example.com/mcp'
const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'
const rules = { audience: [audience] }

/** One issuer with a secret of the service's own. */
const shared = { type: 'secret', secrets: [secret], audienceRequired: false } as const

type Secret = Omit<Extract<IssuerOptions, { type: 'secret' }>, 'type'>

interface Built {
  app: FastifyInstance
  log: LogLines
  failures: string[]
}

/** A bare app with one route that shows who calls, and one that also needs the scope write. */
async function build (t: Test, issuer: Partial<Secret> | null = {}, options: Partial<AuthOptions> = {}): Promise<Built> {
  const log = new LogLines()
  const failures: string[] = []
  const app = Fastify(loggingOptions({ level: 'DEBUG', format: 'json', environment: 'test', service: 's', version: '1', destination: log }))
  t.teardown(() => app.close())
  await app.register(auth, {
    issuers: issuer === null ? null : [{ ...shared, ...issuer }],
    ...rules,
    resourceMetadataUrl: metadata,
    async onRefused (failure) { failures.push(failure) },
    ...options
  })
  const show = async ({ principal }: { principal: Principal | null }) => ({ ...principal, scopes: [...principal?.scopes ?? []] })
  app.get('/', { onRequest: app.authenticate }, show)
  app.post('/', { onRequest: app.authenticate }, show)
  app.get('/write', { onRequest: app.authenticate, preHandler: async (request, reply) => { await app.requireScopes(request, reply, ['read', 'write']) } }, show)
  app.get('/long', { onRequest: app.authenticate }, (request) => app.isRevoked(request).then((revoked) => ({ revoked })))
  await app.ready()
  return { app, log, failures }
}

async function call (app: FastifyInstance, authorization: string | undefined, url = '/') {
  return await overHttp(app, { url, headers: authorization === undefined ? {} : { authorization } })
}

async function withToken (app: FastifyInstance, bearer: string, url = '/') {
  return await call(app, `Bearer ${bearer}`, url)
}

/** Claims that pass, written out so that a raw one can be put beside them. */
const sound = `"sub":"user-1","scope":"read","exp":${fromNow(600)}`

function raw (claims: string, options?: Parameters<typeof sign>[1]): string {
  return sign(`{${claims}}`, options)
}

function header (fields: Record<string, unknown>): { header: Record<string, unknown> } {
  return { header: { alg: 'HS256', typ: 'JWT', ...fields } }
}

function base64url (text: string): string {
  return Buffer.from(text).toString('base64url')
}

/** Every token of the table gets 401 invalid_token and nothing else. */
async function refusesAll (t: Test, app: FastifyInstance, tokens: Record<string, string>): Promise<void> {
  for (const [name, bearer] of Object.entries(tokens)) {
    const response = await withToken(app, bearer)
    t.equal(response.statusCode, 401, name)
    t.match(response.headers['www-authenticate'], 'error="invalid_token"', name)
  }
}

t.test('a valid token says who calls', async (t) => {
  const { app, failures } = await build(t)
  const exp = fromNow(600)
  const response = await withToken(app, token({ exp, iss: 'https://auth.example.com', client_id: 'client-1', azp: 'client-2', jti: 'id-1', aud: audience, iat: exp - 600, nbf: fromNow(0), token_type: 'access' }))
  t.equal(response.statusCode, 200)
  t.same(response.json(), {
    subject: 'user-1', issuer: 'https://auth.example.com', clientId: 'client-1', tokenId: 'id-1', issuedAt: exp - 600, expiresAt: exp, scopes: ['read'],
    key: '["https://auth.example.com","user-1","client-1"]'
  })
  t.equal((await withToken(app, token({ azp: 'client-2' }))).json().clientId, 'client-2')
  t.same(failures, [])
})

t.test('before authentication nobody is known', async (t) => {
  const { app } = await build(t)
  t.equal((await app.inject('/nothing')).statusCode, 404)
  const bare = Fastify()
  t.teardown(() => bare.close())
  await bare.register(auth, { issuers: [shared], ...rules })
  bare.get('/open', (request) => ({ principal: request.principal }))
  bare.get('/scoped', { onRequest: async (request, reply) => { await bare.requireScopes(request, reply, ['read']) } }, async () => 'ok')
  t.same((await withToken(bare, token(), '/open')).json(), { principal: null })
  const unknown = await withToken(bare, token(), '/scoped')
  t.equal(unknown.statusCode, 403, 'scopes are refused to somebody who was not authenticated')
  t.equal(unknown.headers['www-authenticate'], 'Bearer error="insufficient_scope", scope="read"')
})

t.test('[attack 1] [requirement 10] a token without a signature is refused, however its alg is written', async (t) => {
  const { app } = await build(t)
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, ['none'], ['HS256', 'none'], 'none ']) {
    const unsigned = `${base64url(JSON.stringify({ alg, typ: 'JWT' }))}.${base64url(`{${sound}}`)}.`
    await refusesAll(t, app, { [`${JSON.stringify(alg)} without a signature`]: unsigned, [`${JSON.stringify(alg)} with the right one`]: raw(sound, { header: { alg, typ: 'JWT' } }) })
  }
})

t.test('[attack 2] [requirement 10] an asymmetric algorithm is refused, and a public key is no secret', async (t) => {
  const { app } = await build(t)
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const input = `${base64url('{"alg":"RS256","typ":"JWT"}')}.${base64url(`{${sound}}`)}`
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = JSON.stringify(publicKey.export({ format: 'jwk' }))
  const table: Record<string, string> = { 'signed with RS256': `${input}.${signAsymmetric('sha256', Buffer.from(input), privateKey).toString('base64url')}` }
  for (const [name, key] of Object.entries({ pem, 'pem with a line break': `\n${pem}`, 'pem with a space': ` ${pem}`, 'pem with a BOM': `\uFEFF${pem}`, 'pem without its end': pem.trimEnd(), jwk })) {
    for (const alg of ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA']) table[`${alg} by ${name}`] = raw(sound, { ...header({ alg }), key })
  }
  for (const alg of ['RS256', 'ES256', 'PS256', 'EdDSA']) table[`${alg} with the secret`] = raw(sound, header({ alg }))
  await refusesAll(t, app, table)
})

t.test('[attack 3] [requirement 4] another algorithm in the header is refused although the key is right', async (t) => {
  const { app } = await build(t)
  const signed = (alg: string, hash: string): string => {
    const input = `${base64url(JSON.stringify({ alg, typ: 'JWT' }))}.${base64url(`{${sound}}`)}`
    return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
  }
  await refusesAll(t, app, {
    'HS512 over SHA-256': signed('HS512', 'sha256'), 'HS512 over SHA-512': signed('HS512', 'sha512'), 'HS384 over SHA-384': signed('HS384', 'sha384'),
    'HS256 over SHA-512': signed('HS256', 'sha512'), hs256: signed('hs256', 'sha256'), 'HS256 with a space': signed('HS256 ', 'sha256'), Hs256: signed('Hs256', 'sha256')
  })
})

t.test('[attack 4] [requirement 11] a token without exp is refused', async (t) => {
  const { app } = await build(t)
  await refusesAll(t, app, { missing: raw('"sub":"user-1","scope":"read"'), null: raw('"sub":"user-1","scope":"read","exp":null') })
})

t.test('[attack 5] [attack 21] [requirement 12] [authorization 11] [authorization 14] [authorization 26] [authorization 31] aud must name this service exactly where it is required', async (t) => {
  const { app, failures } = await build(t, { audienceRequired: true, audience: [audience, 'alias-guid'] })
  const table: Record<string, unknown> = {
    missing: undefined, 'trailing slash': `${audience}/`, case: audience.toUpperCase(), 'http for https': audience.replace('https', 'http'), origin: 'https://mcp.example.com',
    sibling: 'https://other.example.com/mcp', 'one text with two': `${audience} other`, prefix: `${audience}x`, empty: '', 'empty list': [], 'list of others': ['a', 'b'],
    'list in a list': [[audience]], 'list with a number': [audience, 1], object: { [audience]: true }, number: 1, true: true, null: null
  }
  await refusesAll(t, app, Object.fromEntries(Object.entries(table).map(([name, aud]) => [name, token({ aud })])))
  t.equal((await withToken(app, token({ aud: audience }))).statusCode, 200)
  t.equal((await withToken(app, token({ aud: ['other', audience] }))).statusCode, 200)
  t.equal((await withToken(app, token({ aud: 'alias-guid' }))).statusCode, 200)
  t.ok(failures.includes('audience'))
})

t.test('[attack 21] [requirement 12] [authorization 14] where aud is not required, one that names another service is refused all the same', async (t) => {
  const { app } = await build(t)
  t.equal((await withToken(app, token())).statusCode, 200)
  await refusesAll(t, app, { sibling: token({ aud: 'https://other.example.com/mcp' }), empty: token({ aud: [] }), 'an empty text': token({ aud: '' }), null: token({ aud: null }) })
})

t.test('[attack 6] [requirement 11] iss must be the configured one exactly', async (t) => {
  const issuer = 'https://auth.example.com'
  const { app } = await build(t, { issuer })
  const table: Record<string, unknown> = {
    missing: undefined, 'trailing slash': `${issuer}/`, case: 'https://AUTH.example.com', http: 'http://auth.example.com', path: `${issuer}/realm`, empty: '', list: [issuer], object: { issuer }, null: null,
    'with a space': `${issuer} `
  }
  await refusesAll(t, app, Object.fromEntries(Object.entries(table).map(([name, iss]) => [name, token({ iss })])))
  t.equal((await withToken(app, token({ iss: issuer }))).statusCode, 200)
})

t.test('[attack 7] [requirement 11] [authorization 13] an exp that is no time within the allowed lifetime is refused', async (t) => {
  const { app } = await build(t)
  const values = {
    infinite: '1e999', 'minus infinite': '-1e999', milliseconds: `${fromNow(600)}000`, text: `"${fromNow(600)}"`, negative: '-1', zero: '0', fraction: `${fromNow(600)}.5`, past: String(fromNow(-1)),
    'far past': '1', list: `[${fromNow(600)}]`, object: `{"valueOf":${fromNow(600)}}`, true: 'true', 'the year 9999': '253402300799', 'beyond safe integers': '9007199254740993', now: String(fromNow(0)),
    'longer than allowed': String(fromNow(86_400 + 60))
  }
  await refusesAll(t, app, Object.fromEntries(Object.entries(values).map(([name, exp]) => [name, raw(`"sub":"user-1","scope":"read","exp":${exp}`)])))
  t.equal((await withToken(app, token({ exp: fromNow(86_400) }))).statusCode, 200)
})

t.test('[requirement 11] the lifetime counts from iat', async (t) => {
  const { app } = await build(t, {}, { maxLifetime: 3600 })
  await refusesAll(t, app, { long: token({ iat: fromNow(-3600), exp: fromNow(60) }), 'from the epoch': token({ iat: 1 }) })
  t.equal((await withToken(app, token({ iat: fromNow(-1800), exp: fromNow(1700) }))).statusCode, 200)
})

t.test('[attack 8] [requirement 11] a token of the future is refused', async (t) => {
  const { app } = await build(t)
  await refusesAll(t, app, {
    iat: token({ iat: fromNow(60) }), 'iat as text': token({ iat: String(fromNow(0)) }), 'iat infinite': raw(`${sound},"iat":1e999`), 'iat negative': raw(`${sound},"iat":-1`),
    nbf: token({ nbf: fromNow(60) }), 'nbf as text': token({ nbf: String(fromNow(0)) }), 'nbf infinite': raw(`${sound},"nbf":1e999`), 'nbf null': raw(`${sound},"nbf":null`)
  })
  t.equal((await withToken(app, token({ iat: fromNow(3), nbf: fromNow(3) }))).statusCode, 200, 'clocks may differ a little')
})

t.test('[attack 9] [requirement 11] a sub that names nobody is refused', async (t) => {
  const { app } = await build(t)
  const table: Record<string, unknown> = { missing: undefined, empty: '', list: ['user-1'], 'empty list': [], object: { id: 1 }, number: 1, true: true, null: null, '256 characters': 'a'.repeat(256), blank: ' ', NUL: 'user-1\u0000', 'line break': 'user-1\nadmin' }
  await refusesAll(t, app, Object.fromEntries(Object.entries(table).map(([name, sub]) => [name, token({ sub })])))
  t.equal((await withToken(app, token({ sub: 'a'.repeat(10_240) }))).statusCode, 401, '10 KB')
  t.equal((await withToken(app, token({ sub: 'a'.repeat(255) }))).statusCode, 200)
})

t.test('[attack 10] of a claim that comes twice the last one counts, everywhere', async (t) => {
  const { app } = await build(t)
  const twice = (first: string, second: string): string => raw(`"sub":"user-1","scope":"read",${first},"exp":${fromNow(600)},${second}`)
  t.equal((await withToken(app, twice('"sub":"admin"', '"sub":"user-2"'))).json().subject, 'user-2')
  t.same((await withToken(app, twice('"scope":"write"', '"scope":"read"'))).json().scopes, ['read'])
  await refusesAll(t, app, { exp: twice('"exp":1', '"exp":1'), 'exp of one kind and another': twice('"exp":1', '"exp":"1"'), aud: twice(`"aud":"${audience}"`, '"aud":"other"') })
  const algorithms = `${base64url('{"alg":"HS256","typ":"JWT","alg":"none"}')}.${base64url(`{${sound}}`)}.`
  await refusesAll(t, app, { alg: algorithms })
})

t.test('[attack 11] no scope comes from a prototype', async (t) => {
  const { app } = await build(t)
  const claims = `"sub":"user-1","exp":${fromNow(600)}`
  for (const extra of ['"__proto__":{"scope":"read write"}', '"constructor":{"scope":"read write"}', '"constructor":{"prototype":{"scope":"read"}}', '"prototype":{"scopes":["read"]}', '"__proto__":["read"]', '"scope":{"__proto__":"read"}', '"scopes":{"__proto__":["read"],"length":1,"0":"read"}']) {
    const response = await withToken(app, raw(`${claims},${extra}`))
    t.equal(response.statusCode, 403, extra)
    t.match(response.headers['www-authenticate'], 'error="insufficient_scope"', extra)
  }
  await refusesAll(t, app, { sub: raw(`"exp":${fromNow(600)},"scope":"read","__proto__":{"sub":"admin"}`), exp: raw(`"sub":"a","scope":"read","__proto__":{"exp":${fromNow(600)}}`) })
  t.equal('scope' in {}, false)
  const polluted = await withToken(app, raw(`${sound},"__proto__":{"sub":"admin","issuer":"x"}`))
  t.match(polluted.json(), { subject: 'user-1' })
  t.equal('issuer' in polluted.json(), false)
})

t.test('[attack 12] crit and b64 are refused', async (t) => {
  const { app } = await build(t)
  const table = { crit: { crit: ['exp'] }, 'crit of b64': { crit: ['b64'], b64: false }, 'b64 false': { b64: false }, 'b64 true': { b64: true }, 'empty crit': { crit: [] }, 'crit as text': { crit: 'b64' }, 'crit null': { crit: null } }
  await refusesAll(t, app, Object.fromEntries(Object.entries(table).map(([name, fields]) => [name, raw(sound, header(fields))])))
  const unencoded = `${base64url('{"alg":"HS256","b64":false,"crit":["b64"]}')}.{${sound}}`
  t.equal((await withToken(app, `${unencoded}.${createHmac('sha256', secret).update(unencoded).digest('base64url')}`)).statusCode, 400)
})

t.test('[attack 13] a kid chooses nothing', async (t) => {
  const { app } = await build(t)
  const kids: unknown[] = ['../../../../dev/null', '/dev/null', '/proc/sys/kernel/randomize_va_space', '\' UNION SELECT \'key\' --', '| cat /etc/passwd', 'http://127.0.0.1/key', '__proto__', 'constructor', '', null, 1, [], {}, 'k'.repeat(4000)]
  for (const kid of kids) {
    await refusesAll(t, app, Object.fromEntries(['', '\0', '2\n', 'key', 'undefined'].map((key) => [`${JSON.stringify(kid).slice(0, 40)} with key ${JSON.stringify(key)}`, raw(sound, { ...header({ kid }), key })])))
  }
  const { url } = await listen(t)
  const response = await fetch(`${url}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${raw(sound, { ...header({ kid: 'k'.repeat(14_000) }), key: '' })}` } })
  t.equal(response.status, 431, 'more than a header may hold')
  const megabyte = raw(sound, { ...header({ kid: 'k'.repeat(1_048_576) }), key: '' })
  t.equal((await sendRaw(url, rawHead(['Host: localhost', 'Connection: close', `Authorization: Bearer ${megabyte}`]))).status, 431, 'a megabyte')
})

t.test('[attack 14] a token that brings or names its own key is refused, and nothing is fetched', async (t) => {
  let fetched = 0
  const server = createServer((_request, response) => { fetched += 1; response.end('{"keys":[]}') })
  server.on('connection', () => { fetched += 1 })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks`
  const { app } = await build(t)
  const key = 'attacker-attacker-attacker-attacker'
  const headers = { jku: { jku: url }, jwk: { jwk: { kty: 'oct', k: base64url(key) } }, x5u: { x5u: url }, x5c: { x5c: [base64url(key)] }, kid: { kid: url }, 'jku null': { jku: null } }
  for (const [name, fields] of Object.entries(headers)) {
    await refusesAll(t, app, { [`${name}, key of the attacker`]: raw(sound, { ...header(fields), key }) })
    if (name !== 'kid') await refusesAll(t, app, { [`${name}, key of the service`]: raw(sound, header(fields)) })
  }
  t.equal(fetched, 0)
})

t.test('[attack 19] [attack 20] [requirement 13] [authorization 15] refresh and ID tokens are refused', async (t) => {
  const { app } = await build(t)
  const table: Record<string, Record<string, unknown>> = {
    'token_type refresh': { token_type: 'refresh' }, 'token_type sliding': { token_type: 'sliding' }, 'token_type list': { token_type: ['access'] }, 'token_type null': { token_type: null },
    'typ Refresh': { typ: 'Refresh' }, 'typ ID': { typ: 'ID' }, 'typ Offline': { typ: 'Offline' }, nonce: { nonce: 'n' }, at_hash: { at_hash: 'h' }
  }
  await refusesAll(t, app, Object.fromEntries(Object.entries(table).map(([name, claims]) => [name, token(claims)])))
  await refusesAll(t, app, Object.fromEntries(['logout+jwt', 'dpop+jwt', 'id_token', 'JWE', '', 'jwt ', 1, ['JWT'], null].map((typ) => [`header typ ${JSON.stringify(typ)}`, raw(sound, header({ typ }))])))
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT', undefined]) t.equal((await withToken(app, raw(sound, header({ typ })))).statusCode, 200, String(typ))
  for (const claims of [{ token_type: 'access' }, { typ: 'Bearer' }]) t.equal((await withToken(app, token(claims))).statusCode, 200, JSON.stringify(claims))
})

t.test('[attack 30] a token that is bound to a key is no bearer token', async (t) => {
  const { app } = await build(t)
  await refusesAll(t, app, { cnf: token({ cnf: { jkt: 'x' } }), 'cnf null': token({ cnf: null }) })
})

t.test('[attack 23] a token that was changed is refused', async (t) => {
  const { app } = await build(t)
  const good = token()
  const [head = '', payload = '', signature = ''] = good.split('.')
  const last = signature.at(-1) ?? ''
  await refusesAll(t, app, {
    'signature stripped': `${head}.${payload}.`, 'signature and dot stripped': `${head}.${payload}`, truncated: good.slice(0, -1), 'truncated by half': `${head}.${payload}.${signature.slice(0, 21)}`, longer: `${good}A`,
    'another last character': `${good.slice(0, -1)}${last === 'A' ? 'Q' : 'A'}`, 'one part': head, 'no parts': '.', dots: '..', 'four parts': `${good}.${signature}`, 'five parts': `${head}.${payload}.${signature}.${payload}.${signature}`,
    'five parts of a JWE': `${base64url('{"alg":"dir","enc":"A256GCM"}')}..AAAA.AAAA.AAAA`, 'parts swapped': `${payload}.${head}.${signature}`,
    'payload of another': `${head}.${base64url(`{"sub":"admin","scope":"write","exp":${fromNow(600)}}`)}.${signature}`, 'header of another': `${base64url('{"alg":"HS256"}')}.${payload}.${signature}`,
    'signature of zeros': `${head}.${payload}.${'A'.repeat(43)}`, 'signed with another key': raw(sound, { key: other }), padding: `${good}=`, 'padding twice': `${good}==`,
    'standard base64': `${head}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}${/[-_]/.test(signature) ? '' : '+'}`,
    'payload is no object': sign('"text"'), 'payload is a list': sign([]), 'payload is null': sign('null'), 'payload is no JSON': sign('{'), 'header is no JSON': sign({}, { header: '{' }), 'header is a list': sign({}, { header: [] }), 'header is null': sign({}, { header: 'null' }),
    'deep payload': sign(`{${sound},"a":${'['.repeat(2000)}${']'.repeat(2000)}`)
  })
  for (const [name, value] of Object.entries({ 'space inside': `${head}. ${payload}.${signature}`, 'line end': `${good}\u00A0`, 'padding inside': `${head}=.${payload}.${signature}`, comma: `${good},`, quotes: `"${good}"`, percent: good.replace('.', '%2e'), unicode: `${good}ä` })) {
    t.equal((await withToken(app, value)).statusCode, 400, name)
  }
  const { url } = await listen(t)
  t.equal((await sendRaw(url, rawHead(['Host: localhost', 'Connection: close', `Authorization: Bearer ${good}\u0001`]))).status, 400, 'a control')
  t.equal((await withToken(app, good)).statusCode, 200)
})

t.test('[attack 23] [requirement 15] a signature has one spelling, so that a token revoked by its digest does not come back under another', async (t) => {
  const app = await buildApp(t)
  const good = token()
  const spellings = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('').map((last) => good.slice(0, -1) + last)
    .filter((other) => Buffer.from(other.split('.')[2] ?? '', 'base64url').equals(Buffer.from(good.split('.')[2] ?? '', 'base64url')))
  t.equal(spellings.length, 4, 'two bits of the last character are passed over')
  for (const other of spellings) t.equal((await rpc(app, 'ping', {}, other)).statusCode, other === good ? 200 : 401)
})

t.test('[attack 23] every single changed character of the signature is refused', async (t) => {
  const { app } = await build(t)
  const good = token()
  const start = good.lastIndexOf('.') + 1
  let accepted = 0
  for (let index = start; index < good.length - 1; index += 1) {
    const changed = `${good.slice(0, index)}${good[index] === 'A' ? 'B' : 'A'}${good.slice(index + 1)}`
    if ((await withToken(app, changed)).statusCode !== 401) accepted += 1
  }
  t.equal(accepted, 0)
})

t.test('[attack 27] [requirement 9] [authorization 7] [authorization 9] [authorization 27] a token in the query, the body or a cookie is not looked at, and not logged', async (t) => {
  const { app, log } = await build(t)
  const bearer = token()
  const responses = [
    await overHttp(app, { url: `/?access_token=${bearer}` }),
    await overHttp(app, { url: `/?token=${bearer}&authorization=Bearer%20${bearer}` }),
    await overHttp(app, { url: '/', headers: { cookie: `access_token=${bearer}; token=${bearer}; jwt=${bearer}` } }),
    await overHttp(app, { method: 'POST', url: '/', payload: { access_token: bearer } }),
    await overHttp(app, { method: 'POST', url: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: `access_token=${bearer}` }),
    await overHttp(app, { url: '/', headers: { 'x-access-token': bearer, 'x-authorization': `Bearer ${bearer}`, 'proxy-authorization': `Bearer ${bearer}` } })
  ]
  for (const response of responses) {
    t.equal(response.statusCode, 401)
    t.notMatch(response.headers['www-authenticate'], 'error=')
  }
  t.notMatch(log.text, bearer.slice(-20))
})

t.test('[attack 27] [authorization 27] through the whole app no token reaches the log', async (t) => {
  const log = new LogLines()
  const app = await buildApp(t, { LOG_LEVEL: 'DEBUG' }, log)
  const bearer = token()
  const revoked = token({ scope: 'none' })
  t.equal((await overHttp(app, { method: 'POST', url: `/mcp?access_token=${bearer}`, headers: { ...mcpHeaders(), cookie: `token=${bearer}` }, payload: { jsonrpc: '2.0', id: 1, method: 'ping', params: { access_token: bearer } } })).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, revoked)).statusCode, 403)
  t.equal((await rpc(app, 'ping', {}, `${bearer}x`)).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, bearer)).statusCode, 200)
  t.match(log.text, 'credentials refused')
  for (const secretText of [bearer.slice(-20), revoked.slice(-20), bearer.slice(0, 30), secret]) t.notMatch(log.text, secretText)
})

t.test('[attack 28] two Authorization headers are refused, whichever is good', async (t) => {
  const { url } = await listen(t)
  const { hostname, port } = new URL(url)
  const good = `Bearer ${token()}`
  const bad = `Bearer ${token({ exp: 1 })}`
  for (const [name, headers] of Object.entries({ 'good first': [good, bad], 'bad first': [bad, good], same: [good, good], 'with an empty one': [good, ''], 'another scheme': [good, 'Basic YTpi'] })) {
    const socket = connect(Number(port), hostname)
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    const [first = '', second = ''] = headers
    socket.write(`POST /mcp HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${first}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\nauthorization: ${second}\r\nConnection: close\r\n\r\n${body}`)
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => { answer += chunk })
    await once(socket, 'close')
    t.match(answer, /^HTTP\/1\.1 400 /, name)
    t.match(answer, /www-authenticate: Bearer error="invalid_request"/i, name)
  }
})

t.test('[attack 29] [requirement 4] [authorization 17] a header that is not Bearer, one space and one token is refused', async (t) => {
  const { app } = await build(t)
  const good = token()
  const malformed = {
    'two spaces': `Bearer  ${good}`, tab: `Bearer\t${good}`, 'comma list': `Bearer ${good}, Bearer ${good}`, 'comma list of tokens': `Bearer ${good},${good}`, 'two tokens': `Bearer ${good} ${good}`, parameter: `Bearer token="${good}"`,
    'no token': 'Bearer', 'no token but a space': 'Bearer ', quoted: `Bearer "${good}"`, 'only padding': 'Bearer =', colon: `Bearer: ${good}`, 'leading equals': `Bearer =${good}`, 'bearer twice': `Bearer Bearer ${good}`
  }
  for (const [name, value] of Object.entries(malformed)) {
    const response = await call(app, value)
    t.equal(response.statusCode, 400, name)
    t.equal(response.headers['www-authenticate'], `Bearer error="invalid_request", resource_metadata="${metadata}", scope="read"`, name)
    t.match(response.json(), { code: 'invalid_request' })
  }
  for (const [name, value] of Object.entries({ Basic: 'Basic YTpi', DPoP: `DPoP ${good}`, 'the token alone': good, 'no space': `Bearer${good}`, 'Api-Key': 'Api-Key abc', empty: '', Negotiate: 'Negotiate abc' })) {
    const response = await call(app, value)
    t.equal(response.statusCode, 401, name)
    t.notMatch(response.headers['www-authenticate'], 'error=', name)
  }
  t.equal((await call(app, `Bearer ${good} `)).statusCode, 200, 'white space around a value is no part of it (RFC 9110 §5.5)')
  for (const scheme of ['bearer', 'BEARER', 'bEaReR']) t.equal((await call(app, `${scheme} ${good}`)).statusCode, 200, scheme)
})

t.test('[attack 29] over the wire a header of 20 KB does not reach the app', async (t) => {
  const { url } = await listen(t)
  const response = await fetch(`${url}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${'a'.repeat(20_480)}` } })
  t.equal(response.status, 431)
})

t.test('[attack 31] [requirement 5] [authorization 17] [authorization 18] [authorization 19] [authorization 20] [authorization 21] [authorization 22] a missing scope is 403 with all scopes of the operation', async (t) => {
  const { app, failures } = await build(t)
  const response = await withToken(app, token({ scope: 'read' }), '/write')
  t.equal(response.statusCode, 403)
  t.equal(response.headers['www-authenticate'], `Bearer error="insufficient_scope", resource_metadata="${metadata}", scope="read write"`)
  t.match(response.json(), { statusCode: 403, code: 'insufficient_scope', message: 'The access token does not cover this operation.' })
  t.same(failures, ['scope'])
  t.equal((await withToken(app, token({ scope: 'write' }), '/write')).statusCode, 200)
})

t.test('[attack 32] [requirement 6] [requirement 14] only exact names in one text with spaces grant scopes', async (t) => {
  const { app } = await build(t)
  const none: unknown[] = ['READ', 'Read', 'readwrite', 'read,write', 'read;write', 'reading', 'read:all', '*', 'all', '', ' ', 'read\twrite', 'read\n', '"read"', 'read\u00A0write', ['read'], ['read write'], { read: true }, 1, true, null]
  for (const scope of none) {
    const response = await withToken(app, token({ scope }))
    t.equal(response.statusCode, 403, JSON.stringify(scope))
    t.match(response.headers['www-authenticate'], 'scope="read"')
  }
  t.equal((await withToken(app, token({ scope: undefined }))).statusCode, 403, 'no scope at all')
  const granted: Record<string, string[]> = { read: ['read'], write: ['write', 'read'], 'read write': ['read', 'write'], 'write  admin': ['write', 'admin', 'read'], ' read ': ['read'], 'read read': ['read'] }
  for (const [scope, scopes] of Object.entries(granted)) t.same((await withToken(app, token({ scope }))).json().scopes, scopes, scope)
})

t.test('[attack 32] [requirement 14] a list grants scopes in the claim scopes, and only as a list of texts', async (t) => {
  const { app } = await build(t)
  t.same((await withToken(app, token({ scope: undefined, scopes: ['write'] }))).json().scopes, ['write', 'read'])
  for (const scopes of ['read', 'read write', ['READ'], ['read write'], ['read', 1], { 0: 'read', length: 1 }, [['read']], [], null]) {
    t.equal((await withToken(app, token({ scope: undefined, scopes }))).statusCode, 403, JSON.stringify(scopes))
  }
  t.equal((await withToken(app, token({ scope: '', scopes: ['read'] }))).statusCode, 403, 'scope goes before scopes')
  for (const claim of ['scp', 'permissions', 'roles']) t.equal((await withToken(app, token({ scope: undefined, [claim]: ['read'] }))).statusCode, 403, claim)
})

t.test('the scopes that every request needs are an option', async (t) => {
  const { app } = await build(t, {}, { requiredScopes: ['read', 'admin'] })
  const response = await withToken(app, token())
  t.equal(response.statusCode, 403)
  t.match(response.headers['www-authenticate'], 'scope="read admin"')
  t.equal((await withToken(app, token({ scope: 'admin write' }))).statusCode, 200)
})

t.test('[requirement 3] [authorization 3] [authorization 12] without credentials the challenge says where to sign in and for what, and names no error', async (t) => {
  const { app, failures } = await build(t)
  const response = await call(app, undefined)
  t.equal(response.statusCode, 401)
  t.equal(response.headers['www-authenticate'], `Bearer resource_metadata="${metadata}", scope="read"`)
  t.match(response.json(), { code: 'unauthorized', message: 'An access token is needed.' })
  t.same(failures, ['missing'])
})

t.test('[attack 94] [requirement 2] the challenge names the configured address, whatever the request says', async (t) => {
  const app = await buildApp(t, { PUBLIC_URL: 'https://mcp.example.com', TRUST_PROXY: '127.0.0.1' })
  const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: { host: 'mcp.example.com', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', forwarded: 'host=evil.example' } })
  t.equal(response.headers['www-authenticate'], 'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp", scope="read"')
})

t.test('[attack 95] [requirement 4] [authorization 12] [authorization 13] answers to an expired, a forged and a revoked token are the same', async (t) => {
  const { app, log, failures } = await build(t, {}, { revokedTokenIds: ['gone'] })
  const responses = []
  for (const bearer of [token({ exp: fromNow(-60) }), raw(sound, { key: other }), token({ jti: 'gone' }), token({ aud: 'other' }), token({ sub: '' }), 'nonsense']) responses.push(await withToken(app, bearer))
  const [first] = responses
  for (const response of responses) {
    t.equal(response.statusCode, 401)
    t.equal(response.body, first?.body)
    t.equal(response.headers['www-authenticate'], `Bearer error="invalid_token", resource_metadata="${metadata}", scope="read"`)
    t.same(Object.keys(response.headers), Object.keys(first?.headers ?? {}))
  }
  t.same(failures, ['expired', 'signature', 'revoked', 'audience', 'claims', 'malformed'])
  const refusals = log.records.filter(({ message }) => message === 'credentials refused')
  t.match(refusals, failures.map((failure) => ({ level: 'INFO', logger: 'auth', failure, reason: String, correlation_id: String })), 'the log knows the reason')
})

t.test('[attack 24] [requirement 15] a revoked token is refused at once', async (t) => {
  const { app } = await build(t)
  const byId = token({ jti: 'id-1' })
  const byToken = token({ jti: 'id-2' })
  const untouched = token({ jti: 'id-3' })
  for (const bearer of [byId, byToken, untouched]) t.equal((await withToken(app, bearer)).statusCode, 200)
  await app.denyList.revoke({ tokenId: 'id-1' })
  await refusesAll(t, app, { 'by jti': byId, 'another with this jti': token({ jti: 'id-1', sub: 'somebody else' }) })
  await app.denyList.revoke({ tokenDigest: digestOf(byToken), until: fromNow(600) })
  await refusesAll(t, app, { 'by token': byToken })
  t.equal((await withToken(app, token({ jti: 'id-2', sub: 'somebody else' }))).statusCode, 200, 'only that token')
  t.equal((await withToken(app, untouched)).statusCode, 200)
})

t.test('tokens may be revoked from the start', async (t) => {
  const app = await buildApp(t, { REVOKED_TOKEN_IDS: 'gone, lost' })
  t.equal((await rpc(app, 'ping', {}, token({ jti: 'gone' }))).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, token({ jti: 'lost' }))).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, token({ jti: 'kept' }))).statusCode, 200)
  t.match((await app.inject('/metrics')).body, 'mcp_auth_failures_total{reason="revoked"} 2')
})

t.test('[requirement 18] during a rotation tokens of both secrets are accepted, and no others', async (t) => {
  const app = await buildApp(t, { JWT_SECRET_PREVIOUS: other })
  t.equal((await rpc(app, 'ping')).statusCode, 200)
  t.equal((await rpc(app, 'ping', {}, raw(sound, { key: other }))).statusCode, 200)
  t.equal((await rpc(app, 'ping', {}, raw(sound, { key: 'Another-secret-0123456789-abcdef' }))).statusCode, 401)
  t.equal((await rpc(app, 'ping', {}, raw(`"sub":"a","scope":"read","exp":1`, { key: other }))).statusCode, 401)

  const after = await buildApp(t)
  t.equal((await rpc(after, 'ping', {}, raw(sound, { key: other }))).statusCode, 401)
})

t.test('[attack 93] [requirement 18] a secret that is too short for the algorithm is refused', async (t) => {
  for (const secrets of [['short'], [secret.slice(1)], [secret, 'short'], ['']] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(Promise.resolve(app.register(auth, { issuers: [{ type: 'secret', secrets }], ...rules })), { message: /^auth: issuers\.0\.secrets\.\d: expected a secret of at least 32 bytes, got \*{8} \(\d+ characters\)/ })
  }
})

t.test('what onRefused throws is sent in the place of the refusal', async (t) => {
  const { app } = await build(t, {}, { async onRefused () { throw Object.assign(new Error('too many'), { statusCode: 429 }) } })
  t.equal((await call(app, undefined)).statusCode, 429)
  t.equal((await withToken(app, token({ scope: '' }))).statusCode, 429)
})

t.test('[requirement 3] a challenge without scopes names none', async (t) => {
  const { app } = await build(t, {}, { requiredScopes: [] })
  t.equal((await call(app, undefined)).headers['www-authenticate'], `Bearer resource_metadata="${metadata}"`)
  t.equal((await withToken(app, token({ scope: undefined }))).statusCode, 200)
  const bare = Fastify()
  t.teardown(() => bare.close())
  await bare.register(auth, { issuers: [shared], ...rules, requiredScopes: [] })
  bare.get('/', { onRequest: bare.authenticate }, async () => 'ok')
  t.equal((await call(bare, undefined)).headers['www-authenticate'], 'Bearer')
})

t.test('the plugin works without options that are left out', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(auth, { issuers: [shared], ...rules })
  app.get('/', { onRequest: app.authenticate }, async () => 'ok')
  const response = await call(app, undefined)
  t.equal(response.statusCode, 401)
  t.equal(response.headers['www-authenticate'], 'Bearer scope="read"')
  t.equal((await withToken(app, token())).statusCode, 200)
})

t.test('the JWT plugin does not show on the app', async (t) => {
  const { app } = await build(t)
  t.notOk(app.hasDecorator('jwt'))
  t.notOk(app.hasRequestDecorator('jwtVerify'))
})

t.test('[attack 25] [attack 89] an answer that goes on for long counts as revoked while the deny-list fails', async (t) => {
  const { app, log } = await build(t)
  t.strictSame((await withToken(app, token(), '/long')).json(), { revoked: false })
  let asked = 0
  app.denyList.isRevoked = () => {
    asked += 1
    if (asked === 2) throw new Error('the store is gone')
    return false
  }
  t.strictSame((await withToken(app, token(), '/long')).json(), { revoked: true })
  t.match(log.records.at(-1), { level: 'ERROR', message: 'it cannot be said whether a token is revoked', reason: 'the store is gone' })
})

t.test('[attack 25] [requirement 15] a deny-list that fails lets nobody in, and does not blame the token', async (t) => {
  const { app, failures } = await build(t)
  app.denyList.isRevoked = () => { throw new Error('the store is gone') }
  const response = await withToken(app, token())
  t.equal(response.statusCode, 503)
  t.equal(response.headers['www-authenticate'], undefined)
  t.equal(response.headers['retry-after'], '5')
  t.same(failures, ['unavailable'])
})

t.test('without a verifier everyone may do everything', async (t) => {
  const { app, failures } = await build(t, null)
  for (const authorization of [undefined, 'Bearer nonsense', `Bearer ${token({ exp: 1 })}`, 'Basic YTpi']) {
    const response = await call(app, authorization, '/write')
    t.equal(response.statusCode, 200)
    t.match(response.json(), { subject: 'anonymous', key: 'anonymous', scopes: [] })
  }
  t.same(failures, [])
})

t.test('AUTH_ENABLED=false lets callers in without a token', async (t) => {
  const app = await buildApp(t, { AUTH_ENABLED: 'false', ENVIRONMENT: 'test', JWT_SECRET: undefined })
  const response = await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(), payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })
  t.equal(response.statusCode, 200)
  t.ok(response.json().result.tools.length > 0)
})

t.test('[requirement 6] [authorization 23] grants compares every scope, and the anonymous principal has all', (t) => {
  const principal = { ...anonymous, scopes: new Set(['a', 'b']) }
  t.equal(grants(principal, []), true)
  t.equal(grants(principal, ['a', 'b']), true)
  t.equal(grants(principal, ['a', 'c']), false)
  t.equal(grants({ ...anonymous }, ['a']), false, 'a copy is not the anonymous principal')
  t.equal(grants(anonymous, ['a']), true)
  t.end()
})

t.test('an AuthError says what a client may know', (t) => {
  const cause = new Error('underneath')
  t.match(new AuthError('scope', 'insufficient_scope', ['a'], cause), { name: 'AuthError', statusCode: 403, code: 'insufficient_scope', failure: 'scope', scopes: ['a'], cause })
  t.match(new AuthError('malformed', 'invalid_request', []), { statusCode: 400, code: 'invalid_request' })
  t.match(new AuthError('missing', undefined, []), { statusCode: 401, code: 'unauthorized', cause: undefined })
  t.end()
})
