import t, { type Test } from 'tap'
import { audience, claims, createKey, ping, refusesAll, signToken, startAuthorizationServer, type AuthorizationServer } from '../../authorization-server.ts'
import { fromNow, listen, secret, sign } from '../../helper.ts'

const ours = 'https://tokens.example.com'

/** One service with two issuers with keys, one that is asked, and one with a secret. */
async function build (t: Test) {
  const [a, b, asked] = [await startAuthorizationServer(t), await startAuthorizationServer(t, { path: '/b', key: await createKey('key-1') }), await startAuthorizationServer(t)]
  asked.introspection = (token) => token.startsWith('good') ? { active: true, ...claims(asked.issuer) } : { active: false }
  const { url } = await listen(t, {
    ENVIRONMENT: 'test', PUBLIC_URL: 'https://mcp.example.com', JWT_SECRET: undefined, RATE_LIMIT_REQUESTS: 100_000, ISSUERS: JSON.stringify([
      { type: 'jwks', issuer: a.issuer },
      { type: 'jwks', issuer: b.issuer, audience: ['client-guid'], profile: 'generic' },
      { type: 'introspection', issuer: asked.issuer, url: `${asked.url}/introspect`, clientId: 'mcp', clientSecret: 'p4ss' },
      { type: 'secret', issuer: ours, secrets: [secret] }
    ])
  })
  return { a, b, asked, url, status: async (bearer: string) => (await ping(url, bearer)).status }
}

const own = (more: Record<string, unknown> = {}): string => sign({ iss: ours, aud: audience, sub: 'user-1', scope: 'read', exp: fromNow(600), ...more })

t.test('several issuers are served at once, each in its own way', async (t) => {
  const { a, b, asked, url, status } = await build(t)
  t.equal(await status(a.token()), 200)
  t.equal(await status(b.token({ aud: 'client-guid' }, { typ: 'JWT' })), 200)
  t.equal(await status('good-opaque'), 200)
  t.equal(await status(own()), 200)
  t.equal(await status(signToken(asked.key, claims(asked.issuer))), 401, 'it was asked, and says no')
  asked.introspection = () => ({ active: true, ...claims(asked.issuer) })
  t.equal(await status(signToken(asked.key, claims(asked.issuer, { jti: '2' }))), 200, 'it was asked, and says yes')
  const response = await fetch(`${url}/.well-known/oauth-protected-resource/mcp`)
  t.match(await response.json(), { resource: audience, authorization_servers: [a.issuer, b.issuer, asked.issuer, ours] })
})

t.test('[attack 22] [requirement 10] [authorization 15] the keys of one issuer do not speak for another', async (t) => {
  const { a, b, url } = await build(t)
  const under = (issuer: string, server: AuthorizationServer, more = {}): string => signToken(server.key, claims(issuer, more))
  await refusesAll(t, url, {
    'A signs as B': under(b.issuer, a, { aud: 'client-guid' }), 'B signs as A': under(a.issuer, b), 'the secret signs as A': sign(claims(a.issuer)), 'A signs as the secret\'s': under(ours, a),
    'the public key of A is the secret of ours': sign(claims(ours), { key: JSON.stringify(a.key.jwk) }), 'RS256 by A under our iss': signToken(a.key, claims(ours), { alg: 'HS256' })
  })
  await refusesAll(t, url, { 'the alias of B for A': a.token({ aud: 'client-guid' }), 'the profile of B for A': a.token({}, { typ: 'JWT' }), 'the audience of A for B': b.token() })
})

t.test('[attack 6] a token of no configured issuer is refused, and shown to none of them', async (t) => {
  const { a, b, asked, url } = await build(t)
  await refusesAll(t, url, {
    unknown: signToken(a.key, claims('https://evil.example')), 'a slash more': signToken(a.key, claims(`${a.issuer}/`)), none: signToken(a.key, claims(a.issuer, { iss: undefined })), 'a list': signToken(a.key, claims(a.issuer, { iss: [a.issuer] })),
    'no claims': signToken(a.key, '"text"'), 'no JSON': signToken(a.key, '{'), prototype: signToken(a.key, `{"__proto__":{"iss":"${a.issuer}"}}`)
  })
  for (const server of [a, b, asked]) t.strictSame(server.seen.filter((path) => !path.startsWith('/.well-known') && !path.endsWith('openid-configuration')), [], server.issuer)
})

t.test('[attack 23] what is no JSON Web Token is shown to the one that is asked only', async (t) => {
  const { a, b, asked, url } = await build(t)
  await refusesAll(t, url, { word: 'word', 'two dots': 'a.b.c', dots: '..', 'a header that is none': `${Buffer.from('[1]').toString('base64url')}x.b.c` })
  t.equal(asked.count('/introspect'), 4)
  for (const server of [a, b]) t.equal(server.count('/keys'), 0)
})

t.test('an issuer that is down does not keep the others from being served', async (t) => {
  const { a, b, status } = await build(t)
  a.answers.set('/keys', () => undefined)
  const [waiting, served] = await Promise.all([status(a.token()), status(b.token({ aud: 'client-guid' }))])
  t.equal(waiting, 503)
  t.equal(served, 200)
})
