import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes, constants } from 'node:crypto'
import t, { type Test } from 'tap'
import { audience, claims, createKey, ping, refusesAll, serviceOf, signToken, startAuthorizationServer, type AuthorizationServer } from '../../authorization-server.ts'
import { fromNow, json, LogLines } from '../../helper.ts'

function base64url (value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** Makes the clock move when told; gives what moves it, in seconds. */
function movableClock (t: Test): (seconds: number) => void {
  const { now } = Date
  let ahead = 0
  t.intercept(Date, 'now', { value: () => now() + ahead })
  return (seconds) => { ahead += seconds * 1000 }
}

async function build (t: Test, more: Record<string, unknown> = {}, log?: LogLines) {
  const server = await startAuthorizationServer(t)
  return { server, ...await serviceOf(t, server, { JWT_JWKS_URL: server.jwksUrl, ...more }, log) }
}

/** Claims as JSON, with something in the place of one of them. */
function raw ({ issuer }: AuthorizationServer, name: string, value: string): string {
  const { [name]: _replaced, ...rest } = claims(issuer)
  return `${JSON.stringify(rest).slice(0, -1)},"${name}":${value}}`
}

t.test('a token that is signed with a published key is accepted, and its keys are fetched once', async (t) => {
  const { server, url } = await build(t)
  for (let index = 0; index < 3; index += 1) t.equal((await ping(url, server.token({ jti: String(index) }))).status, 200)
  t.strictSame(server.seen, ['/keys'])
})

t.test('each algorithm verifies its own tokens', async (t) => {
  for (const alg of ['RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
    const server = await startAuthorizationServer(t, { key: await createKey('key-1', alg) })
    const { status } = await serviceOf(t, server, { JWT_JWKS_URL: server.jwksUrl, JWT_ALGORITHM: alg })
    const token = alg === 'PS256' ? pssToken(server) : server.token()
    t.equal(await status(token), 200, alg)
    t.equal(await status(server.token({}, {}, await createKey('key-1', alg))), 401, `${alg}, another key`)
  }
})

function pssToken ({ key, issuer }: AuthorizationServer): string {
  const input = `${base64url({ alg: 'PS256', typ: 'at+jwt', kid: 'key-1' })}.${base64url(claims(issuer))}`
  return `${input}.${signBytes('sha256', Buffer.from(input), { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString('base64url')}`
}

t.test('[attack 1] [attack 2] [attack 3] [requirement 10] keys of an issuer verify their algorithm and no other', async (t) => {
  const { server, url } = await build(t)
  const { key, issuer } = server
  const payload = base64url(claims(issuer))
  const table: Record<string, string> = {}
  for (const alg of ['none', 'None', 'NONE', '', null, ['RS256']]) {
    table[`${JSON.stringify(alg)} without a signature`] = `${base64url({ alg, typ: 'at+jwt', kid: 'key-1' })}.${payload}.`
    table[`${JSON.stringify(alg)} with the right one`] = server.token({}, { alg })
  }
  const pem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' }).toString()
  const secrets = { pem, 'pem with a line break': `\n${pem}`, 'pem with a BOM': `\uFEFF${pem}`, 'pem without its end': pem.trimEnd(), jwk: JSON.stringify(key.jwk), modulus: String(key.jwk.n), nothing: '' }
  for (const [name, secret] of Object.entries(secrets)) {
    for (const alg of ['HS256', 'HS512', 'RS256']) {
      const input = `${base64url({ alg, typ: 'at+jwt', kid: 'key-1' })}.${payload}`
      table[`${alg} by ${name}`] = `${input}.${createHmac(alg === 'HS512' ? 'sha512' : 'sha256', secret).update(input).digest('base64url')}`
    }
  }
  for (const alg of ['RS384', 'RS512', 'PS256', 'ES256', 'EdDSA', 'rs256', 'RS256 ']) table[`${alg} in the header`] = server.token({}, { alg })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  table['ES256 by a key of the attacker'] = signToken({ ...key, alg: 'ES256', privateKey }, claims(issuer))
  await refusesAll(t, url, table)
})

t.test('[attack 4] [attack 5] [attack 6] [attack 7] [attack 8] [attack 9] [attack 21] [attack 30] [requirement 11] [requirement 12] [authorization 14] [authorization 26] what a token of an issuer must claim', async (t) => {
  const { server, url, status } = await build(t)
  const { key, issuer } = server
  const wrong: Record<string, string[]> = {
    exp: ['null', '1e999', '-1', '0', `"${fromNow(600)}"`, `${fromNow(600)}000`, `${fromNow(600)}.5`, String(fromNow(-1)), String(fromNow(86_460))],
    iat: [String(fromNow(60)), '1e999', '-1', `"${fromNow(0)}"`], nbf: [String(fromNow(60)), '1e999', 'null'],
    iss: ['null', '""', `"${issuer}/"`, `"${issuer.toUpperCase()}"`, `["${issuer}"]`, '"https://evil.example"'],
    aud: ['null', '""', '[]', '{}', '"https://other.example.com/mcp"', `"${audience}/"`, `"${audience}x"`, '"https://mcp.example.com"', `"${audience} other"`, '"client-1"'],
    sub: ['null', '""', '[]', '["user-1"]', '{}', '1', `"${'a'.repeat(256)}"`], jti: ['""', '1', '[]'], client_id: ['""', '1', '[]'], cnf: ['{"jkt":"x"}', 'null']
  }
  const table: Record<string, string> = {}
  for (const [name, values] of Object.entries(wrong)) for (const value of values) table[`${name} ${value.slice(0, 50)}`] = signToken(key, raw(server, name, value))
  for (const name of ['exp', 'iss', 'aud', 'sub']) table[`no ${name}`] = server.token({ [name]: undefined })
  await refusesAll(t, url, table)
  t.equal(await status(server.token({ aud: ['other', audience] })), 200)
})

t.test('[attack 2] [attack 3] [requirement 10] a key that does not say what it is for verifies no other algorithm, nor do other keys of the issuer', async (t) => {
  const { server, status, url } = await build(t)
  const { alg: _alg, ...unmarked } = server.key.jwk
  const others = await Promise.all(['PS256', 'ES256', 'EdDSA'].map(async (alg) => await createKey(`of-${alg}`, alg)))
  server.keys = [unmarked, ...others.map(({ jwk }) => jwk)]
  t.equal(await status(server.token()), 200)
  const signedAs = (alg: string, hash: string, padding = constants.RSA_PKCS1_PADDING): string => {
    const input = `${base64url({ alg, typ: 'at+jwt', kid: 'key-1' })}.${base64url(claims(server.issuer))}`
    return `${input}.${signBytes(hash, Buffer.from(input), { key: server.key.privateKey, padding }).toString('base64url')}`
  }
  await refusesAll(t, url, {
    RS384: signedAs('RS384', 'sha384'), RS512: signedAs('RS512', 'sha512'), PS256: signedAs('PS256', 'sha256', constants.RSA_PKCS1_PSS_PADDING),
    ...Object.fromEntries(others.filter(({ alg }) => alg !== 'PS256').map((key) => [`its own ${key.alg}`, server.token({}, {}, key)]))
  })
})

t.test('[requirement 12] the client that a token was issued to is no audience', async (t) => {
  const { server, url } = await build(t, { TOKEN_PROFILE: 'generic' })
  for (const claim of ['azp', 'client_id']) await refusesAll(t, url, { [claim]: server.token({ aud: 'account', client_id: undefined, [claim]: audience }) })
})

t.test('[authorization 5] scheme and host of the audience may be in capitals, its path may not', async (t) => {
  const { server, status } = await build(t)
  t.equal(await status(server.token({ aud: 'HTTPS://MCP.Example.com/mcp' })), 200)
  t.equal(await status(server.token({ aud: 'https://mcp.example.com/MCP' })), 401)
  const capitals = await build(t, { PUBLIC_URL: 'https://MCP.Example.com' })
  t.equal(await capitals.status(capitals.server.token()), 200)
  t.match(await (await fetch(`${capitals.url}/.well-known/oauth-protected-resource/mcp`)).json(), { resource: audience }, 'what is published is not')
})

t.test('[attack 10] of a claim that comes twice the last one counts, also of iss', async (t) => {
  const { server, status } = await build(t)
  const { key, issuer } = server
  const twice = (name: string, first: unknown, last: unknown): string => {
    const { [name]: _replaced, ...rest } = claims(issuer)
    return signToken(key, `{"${name}":${JSON.stringify(first)},${JSON.stringify(rest).slice(1, -1)},"${name}":${JSON.stringify(last)}}`)
  }
  t.equal(await status(twice('iss', 'https://evil.example', issuer)), 200)
  t.equal(await status(twice('iss', issuer, 'https://evil.example')), 401)
  t.equal(await status(twice('aud', audience, 'other')), 401)
  t.equal(await status(twice('exp', fromNow(600), 1)), 401)
  t.equal(await status(twice('scope', 'read', 'none')), 403)
})

t.test('[attack 11] nothing comes from a prototype', async (t) => {
  const { server, status } = await build(t)
  const { key, issuer } = server
  const put = (claim: string, without: string): string => {
    const { [without]: _left, ...rest } = claims(issuer)
    return signToken(key, `${JSON.stringify(rest).slice(0, -1)},${claim}}`)
  }
  t.equal(await status(put('"__proto__":{"scope":"read write"}', 'scope')), 403)
  t.equal(await status(put('"constructor":{"prototype":{"scope":"read"}}', 'scope')), 403)
  for (const name of ['iss', 'aud', 'sub', 'exp']) t.equal(await status(put(`"__proto__":${JSON.stringify({ [name]: claims(issuer)[name] })}`, name)), 401, name)
})

t.test('[attack 12] [attack 13] [attack 14] [requirement 16] no header of a token makes the service fetch anything', async (t) => {
  const { server, url } = await build(t)
  const attacker = await startAuthorizationServer(t, { key: await createKey('key-1') })
  const own = { jku: attacker.jwksUrl, x5u: attacker.jwksUrl, jwk: attacker.key.jwk, x5c: ['AAAA'] }
  const table: Record<string, string> = {}
  for (const name of ['jku', 'x5u', 'jwk', 'x5c'] as const) {
    table[`${name}, key of the attacker`] = server.token({}, { [name]: own[name] }, attacker.key)
    table[`${name}, key of the issuer`] = server.token({}, { [name]: own[name] })
  }
  for (const kid of ['../../dev/null', '/keys', 'http://127.0.0.1/keys', '\' OR 1=1 --', '', 'k'.repeat(129), 'k'.repeat(5000), 1, null, [], {}]) table[`kid ${JSON.stringify(kid).slice(0, 40)}`] = server.token({}, { kid }, attacker.key)
  for (const header of [{ crit: ['exp'] }, { crit: ['b64'], b64: false }, { b64: false }, { crit: [] }]) table[JSON.stringify(header)] = server.token({}, header)
  await refusesAll(t, url, table)
  t.strictSame(attacker.seen, [])
  t.strictSame(server.seen, [], 'not even its own keys')
})

t.test('[attack 19] [attack 20] [requirement 13] by default only tokens of the type of access tokens are accepted', async (t) => {
  const { server, url, status } = await build(t)
  const table: Record<string, string> = {}
  for (const typ of ['JWT', 'jwt', 'logout+jwt', 'dpop+jwt', '', 1, null, ['at+jwt'], undefined]) table[`typ ${JSON.stringify(typ)}`] = server.token({}, { typ })
  for (const more of [{ token_type: 'refresh' }, { token_type: 'Bearer' }, { typ: 'Refresh' }, { typ: 'ID' }, { nonce: 'n' }, { at_hash: 'h' }, { token_use: 'id' }, { token_use: 'refresh' }]) table[JSON.stringify(more)] = server.token(more)
  await refusesAll(t, url, table)
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) t.equal(await status(server.token({}, { typ })), 200, typ)
  t.equal(await status(server.token({ token_use: 'access' })), 200)
})

t.test('[attack 23] a token that was changed is refused', async (t) => {
  const { server, url, status } = await build(t)
  const good = server.token()
  const [head = '', payload = '', signature = ''] = good.split('.')
  await refusesAll(t, url, {
    'signature stripped': `${head}.${payload}.`, 'two parts': `${head}.${payload}`, truncated: good.slice(0, -2), longer: `${good}AA`, padding: `${good}=`, 'padding twice': `${good}==`, 'padding three times': `${good}===`, 'four parts': `${good}.${signature}`, 'five parts': `${good}.${signature}.${signature}`,
    'a JWE': `${base64url({ alg: 'RSA-OAEP', enc: 'A256GCM', typ: 'at+jwt', kid: 'key-1' })}.AAAA.AAAA.AAAA.AAAA`, zeros: `${head}.${payload}.${'A'.repeat(signature.length)}`,
    'payload of another': `${head}.${base64url(claims(server.issuer, { sub: 'admin' }))}.${signature}`, 'header of another': `${base64url({ alg: 'RS256', kid: 'key-1', typ: 'AT+JWT' })}.${payload}.${signature}`,
    'no JSON': signToken(server.key, '{'), 'a list': signToken(server.key, '[]'), null: signToken(server.key, 'null'), text: signToken(server.key, '"text"'), 'one part': head, dots: '..'
  })
  for (const [name, changed] of Object.entries({ 'a space inside': `${head}.${payload}. ${signature}`, 'padding inside': `${head}.${payload}=.${signature}`, 'a space of another kind': `${good}\u00a0` })) {
    t.equal(await status(changed), 400, name)
  }
  t.equal(await status(good), 200)
})

t.test('[attack 23] [attack 24] [requirement 15] a token that is revoked by its digest does not come back under another spelling', async (t) => {
  const { server, status } = await build(t)
  // One whose signature has both characters in which the two alphabets differ, however its header is laid out.
  const plain = JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid: 'key-1' })
  for (const header of [plain, JSON.stringify(JSON.parse(plain), null, 2), ` ${plain}`, `\n${plain}`]) {
    let good = ''
    while (!/-.*_|_.*-/.test(good.split('.')[2] ?? '')) {
      const input = `${base64url(header)}.${base64url(claims(server.issuer, { jti: String(Math.random()) }))}`
      good = `${input}.${signBytes('sha256', Buffer.from(input), server.key.privateKey).toString('base64url')}`
    }
    const [head = '', payload = '', signature = ''] = good.split('.')
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('').map((character) => signature.slice(0, -1) + character)
    const spellings = [`${signature}==`, `${signature}=`, signature.replaceAll('-', '+'), signature.replaceAll('_', '/'), signature.replaceAll('-', '+').replaceAll('_', '/'), `${signature.replaceAll('-', '+').replaceAll('_', '/')}==`, ...last.filter((other) => other !== signature)]
    for (const other of spellings) t.equal(await status(`${head}.${payload}.${other}`), 401, other.slice(-4))
    t.equal(await status(good), 200)
  }
})

t.test('[attack 15] [requirement 16] a flood of unknown keys fetches the key set once in 30 seconds', async (t) => {
  const move = movableClock(t)
  const { server, url, status } = await build(t)
  const attacker = await createKey('other')
  const flood = async (count: number): Promise<void> => {
    const statuses = await Promise.all(Array.from({ length: count }, async (_, index) => (await ping(url, server.token({}, { kid: `unknown-${index}` }, attacker))).status))
    t.ok(statuses.every((status) => status === 401))
  }
  await flood(50)
  t.equal(server.count('/keys'), 1)
  await flood(50)
  t.equal(server.count('/keys'), 1)
  move(31)
  await flood(50)
  t.equal(server.count('/keys'), 2)
  t.equal(await status(server.token()), 200, 'who has a key is served all the same')
})

t.test('[attack 18] [requirement 16] a new key is found when a token names it, and a removed one dies', async (t) => {
  const move = movableClock(t)
  const { server, status } = await build(t)
  const seenBefore = server.token({ jti: 'seen', exp: fromNow(80_000) })
  t.equal(await status(seenBefore), 200)
  const next = await createKey('key-2')
  server.keys = [next.jwk]
  move(31)
  t.equal(await status(server.token({}, {}, next)), 200, 'the new key')
  t.equal(await status(server.token({ jti: 'unseen' })), 401, 'the old key')
  t.equal(await status(seenBefore), 200, 'what was verified is remembered')
  move(571)
  t.equal(await status(seenBefore), 401, 'for ten minutes')
})

t.test('[attack 18] a removed key dies also where no other one is asked for', async (t) => {
  const move = movableClock(t)
  const { server, status } = await build(t)
  t.equal(await status(server.token()), 200)
  server.keys = []
  move(601)
  t.equal(await status(server.token({ jti: 'new' })), 401)
})

t.test('[attack 18] [requirement 16] a removed key does not live on in what was verified shortly before', async (t) => {
  const move = movableClock(t)
  const { server, status } = await build(t)
  t.equal(await status(server.token()), 200)
  server.keys = []
  const late = server.token({ jti: 'late', exp: fromNow(80_000) })
  move(590)
  t.equal(await status(late), 200)
  move(11)
  t.equal(await status(late), 401)
})

t.test('[attack 18] while the issuer is down a token is remembered no longer than its key', async (t) => {
  const move = movableClock(t)
  const { server, status } = await build(t)
  const late = server.token({ jti: 'late', exp: fromNow(80_000) })
  t.equal(await status(server.token()), 200)
  server.answers.set('/keys', (_request, response) => { json(response, 500, {}) })
  move(3_590)
  t.equal(await status(late), 200)
  move(11)
  t.equal(await status(late), 503)
})

t.test('[attack 16] [requirement 16] a key set that never answers is 503, for all who wait at once', async (t) => {
  const { server, url } = await build(t)
  server.answers.set('/keys', () => undefined)
  const responses = await Promise.all(Array.from({ length: 5 }, () => ping(url, server.token())))
  for (const response of responses) {
    t.equal(response.status, 503)
    t.equal(response.headers.get('retry-after'), '5')
    t.equal(response.headers.get('www-authenticate'), null, 'nothing is wrong with the token')
    t.match(await response.json(), { error: 'temporarily_unavailable' })
  }
  t.equal((await ping(url, server.token())).status, 503)
  t.equal(server.count('/keys'), 1, 'it is left alone for a while')
})

t.test('[attack 17] [requirement 16] a key set that redirects, is too large or none is not used', async (t) => {
  const elsewhere = await startAuthorizationServer(t)
  const table: Array<[string, Parameters<AuthorizationServer['answers']['set']>[1]]> = [
    ['a redirect', (_request, response) => { response.writeHead(302, { location: elsewhere.jwksUrl }).end() }],
    ['100 MB', (_request, response) => { response.writeHead(200, { 'content-type': 'application/json', 'content-length': 104_857_600 }); response.write('{"keys":[') }],
    ['endless', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => { while (!response.destroyed && response.write(' '.repeat(65_536))); response.once('drain', more) }
      more()
    }],
    ['a key set of more than 256 KiB', (_request, response) => { json(response, 200, { keys: [], more: 'x'.repeat(262_144) }) }],
    ['compressed', (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end('x') }],
    ['500', (_request, response) => { json(response, 500, {}) }],
    ['no JSON', (_request, response) => { response.end('<html>') }],
    ['no key set', (_request, response) => { json(response, 200, []) }],
    ['keys that are none', (_request, response) => { json(response, 200, { keys: [1] }) }],
    ['a reset', (request) => { request.socket.destroy() }]
  ]
  for (const [name, answer] of table) {
    const { server, status } = await build(t)
    server.answers.set('/keys', answer)
    t.equal(await status(server.token({}, {}, elsewhere.key)), 503, name)
  }
  t.strictSame(elsewhere.seen, [])
})

t.test('[attack 17] keys that are empty, weak or of another kind verify nothing', async (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const { server, url } = await build(t)
  server.keys = [
    { kty: 'oct', kid: 'oct', k: '', alg: 'RS256' }, { kty: 'oct', kid: 'hmac', k: base64url('secret'), alg: 'HS256' }, { kty: 'RSA', kid: 'empty', n: '', e: '' }, { kid: 'nothing' },
    { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' }, { ...server.key.jwk, kid: 'encrypts', use: 'enc' }, { ...server.key.jwk, kid: 'PS', alg: 'PS256' }
  ]
  const hmac = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: 'hmac' })}.${base64url(claims(server.issuer))}`
  await refusesAll(t, url, {
    ...Object.fromEntries(['oct', 'empty', 'nothing', 'encrypts', 'PS'].map((kid) => [kid, server.token({}, { kid })])),
    weak: server.token({}, { kid: 'weak' }, { ...server.key, privateKey: weak.privateKey }),
    hmac: `${hmac}.${createHmac('sha256', 'secret').update(hmac).digest('base64url')}`
  })
  const empty = await build(t)
  empty.server.keys = []
  await refusesAll(t, empty.url, { 'a set without keys': empty.server.token() })
})

t.test('[requirement 16] keys are used on while the issuer is down, for an hour', async (t) => {
  const move = movableClock(t)
  const { server, status } = await build(t)
  const fresh = (): string => server.token({ jti: String(server.seen.length), iat: undefined, exp: Math.floor(Date.now() / 1000) + 600 })
  t.equal(await status(fresh()), 200)
  server.answers.set('/keys', (_request, response) => { json(response, 500, {}) })
  move(3500)
  t.equal(await status(fresh()), 200)
  t.equal(server.count('/keys'), 2, 'it was asked')
  move(200)
  t.equal(await status(fresh()), 503)
  server.answers.clear()
  t.equal(await status(fresh()), 503, 'it is left alone for a while')
  move(31)
  t.equal(await status(fresh()), 200)
})

t.test('[attack 95] answers to expired, forged and foreign tokens are the same, and the log knows why', async (t) => {
  const log = new LogLines()
  const { server, url } = await build(t, { LOG_LEVEL: 'INFO' }, log)
  const answers = new Set<string>()
  for (const bearer of [server.token({ exp: fromNow(-60), iat: fromNow(-120) }), server.token({}, {}, await createKey('key-1')), server.token({ aud: 'other' }), server.token({}, { typ: 'JWT' }), server.token({}, { kid: 'unknown' }), 'nonsense']) {
    const response = await ping(url, bearer)
    answers.add(JSON.stringify([response.status, response.headers.get('www-authenticate'), await response.text()]))
  }
  t.equal(answers.size, 1)
  t.strictSame(log.records.filter(({ message }) => message === 'credentials refused').map(({ failure }) => failure), ['expired', 'signature', 'audience', 'claims', 'signature', 'malformed'])
})
