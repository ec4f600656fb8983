import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { ProfileName } from '../../../checks/issuers.ts'
import auth from '../../../plugins/auth/index.ts'
import { audience, claims, signToken, startAuthorizationServer } from '../../authorization-server.ts'
import { fromNow, overHttp, secret, sign } from '../../helper.ts'

type Claims = Record<string, unknown>

/** A bare app that shows who calls; gives what it says of a token with these claims and this header, or the status. */
async function build (t: Test, profile: ProfileName) {
  const server = await startAuthorizationServer(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(auth, { issuers: [{ type: 'jwks', issuer: server.issuer, jwksUrl: server.jwksUrl, profile }], audience: [audience, 'guid'], allowHttp: true, requiredScopes: [] })
  app.get('/', { onRequest: app.authenticate }, async ({ principal }) => ({ subject: principal?.subject, clientId: principal?.clientId, scopes: [...principal?.scopes ?? []] }))
  const ask = async (bearer: string): Promise<unknown> => {
    const response = await overHttp(app, { url: '/', headers: { authorization: `Bearer ${bearer}` } })
    return response.statusCode === 200 ? response.json() : response.statusCode
  }
  const base = { sub: undefined, client_id: undefined, scope: undefined, jti: undefined }
  return { server, says: async (more: Claims, typ: string | undefined = 'JWT') => await ask(signToken(server.key, claims(server.issuer, { ...base, ...more }), { typ })) }
}

/** Claims of an access token of a kind of server, as its documentation shows them, and what they say. */
const samples: Array<[ProfileName, Claims, { subject: string, clientId?: string, scopes: string[] }]> = [
  ['keycloak', { sub: '7f1c', azp: 'inspector', typ: 'Bearer', scope: 'openid read', sid: 's', acr: '1', aud: [audience, 'account'], realm_access: { roles: ['write'] } }, { subject: '7f1c', clientId: 'inspector', scopes: ['openid', 'read'] }],
  ['auth0', { sub: 'auth0|1', azp: 'abc', scope: 'read', aud: [audience, 'https://tenant.example/userinfo'], permissions: ['read', 'write'] }, { subject: 'auth0|1', clientId: 'abc', scopes: ['read'] }],
  ['auth0', { sub: 'abc@clients', client_id: 'abc', permissions: ['write'] }, { subject: 'abc@clients', clientId: 'abc', scopes: ['write', 'read'] }],
  ['entra', { sub: 'pairwise', oid: 'o-1', tid: 't-1', azp: 'app-1', aud: 'guid', scp: 'read write', roles: ['Admin'], ver: '2.0' }, { subject: 'o-1', clientId: 'app-1', scopes: ['read', 'write'] }],
  ['entra', { sub: 'pairwise', oid: 'o-1', tid: 't-1', azp: 'app-1', aud: 'guid', roles: ['read'], ver: '2.0' }, { subject: 'o-1', clientId: 'app-1', scopes: ['read'] }],
  ['workos', { sub: 'user_1', sid: 'session_1', scope: 'read' }, { subject: 'user_1', scopes: ['read'] }],
  ['simplejwt', { user_id: '7', token_type: 'access', scope: 'read' }, { subject: '7', scopes: ['read'] }],
  ['simplejwt', { user_id: 7, token_type: 'access', scopes: ['write'] }, { subject: '7', scopes: ['write', 'read'] }],
  ['django-oauth-toolkit', { username: 'alice', client_id: 'c', scope: 'read' }, { subject: 'alice', clientId: 'c', scopes: ['read'] }],
  ['generic', { sub: 'a', azp: 'c', scopes: ['read'] }, { subject: 'a', clientId: 'c', scopes: ['read'] }]
]

t.test('[requirement 14] each profile reads user, client and scopes from the claims of its server', async (t) => {
  for (const [profile, given, expected] of samples) {
    const { says } = await build(t, profile)
    t.same(await says(given), expected, `${profile} ${JSON.stringify(given)}`)
  }
  const { says } = await build(t, 'rfc9068')
  t.same(await says({ sub: 'a', client_id: 'c', scope: 'read' }, 'at+jwt'), { subject: 'a', clientId: 'c', scopes: ['read'] })
})

t.test('[attack 19] [attack 20] [requirement 13] ID and refresh tokens of each server are refused', async (t) => {
  const table: Array<[ProfileName, string, Claims, string?]> = [
    ['rfc9068', 'an ID token', { sub: 'a', scope: 'read' }, 'JWT'],
    ['rfc9068', 'no type', { sub: 'a', scope: 'read' }, ''],
    ['keycloak', 'an ID token', { sub: 'a', azp: 'c', typ: 'ID', scope: 'read' }],
    ['keycloak', 'a refresh token', { sub: 'a', azp: 'c', typ: 'Refresh', scope: 'read' }],
    ['keycloak', 'an offline token', { sub: 'a', azp: 'c', typ: 'Offline', scope: 'read' }],
    ['keycloak', 'no typ', { sub: 'a', azp: 'c', scope: 'read' }],
    ['auth0', 'an ID token', { sub: 'a', nonce: 'n', scope: 'read' }],
    ['entra', 'an ID token', { sub: 'a', oid: 'o', tid: 't', aud: 'guid', roles: ['read'] }],
    ['entra', 'no tenant', { sub: 'a', oid: 'o', azp: 'c', aud: 'guid', scp: 'read' }],
    ['simplejwt', 'a refresh token', { user_id: '7', token_type: 'refresh', scope: 'read' }],
    ['simplejwt', 'a sliding token', { user_id: '7', token_type: 'sliding', scope: 'read' }],
    ['simplejwt', 'no type', { user_id: '7', scope: 'read' }],
    ['workos', 'a refresh token', { sub: 'a', typ: 'Refresh', scope: 'read' }]
  ]
  for (const [profile, name, given, typ] of table) {
    const { says } = await build(t, profile)
    t.equal(await says(given, typ), 401, `${profile}: ${name}`)
  }
})

t.test('[attack 9] [requirement 11] a user that the claim of the profile does not name is nobody', async (t) => {
  const table: Array<[ProfileName, Claims]> = [
    ['entra', { sub: 'a', tid: 't', azp: 'c', scp: 'read' }], ['simplejwt', { sub: '7', token_type: 'access' }], ['simplejwt', { user_id: 0, token_type: 'access' }], ['simplejwt', { user_id: 1.5, token_type: 'access' }], ['simplejwt', { user_id: '', token_type: 'access' }],
    ['django-oauth-toolkit', { sub: 'alice' }], ['keycloak', { preferred_username: 'alice', azp: 'c', typ: 'Bearer' }], ['generic', { email: 'a@example.com' }], ['generic', { sub: 7 }]
  ]
  for (const [profile, given] of table) {
    const { says } = await build(t, profile)
    t.equal(await says(given), 401, `${profile} ${JSON.stringify(given)}`)
  }
})

t.test('[attack 32] [requirement 14] scopes of another form, or in a claim of another profile, grant nothing', async (t) => {
  const scopes = async (profile: ProfileName, more: Claims): Promise<unknown> => {
    const { says } = await build(t, profile)
    const answer = await says({ sub: 'a', oid: 'o', tid: 't', azp: 'c', username: 'a', user_id: '1', ...(profile === 'simplejwt' ? { token_type: 'access' } : profile === 'keycloak' ? { typ: 'Bearer' } : {}), ...more })
    return typeof answer === 'object' && answer !== null && 'scopes' in answer ? answer.scopes : answer
  }
  for (const profile of ['keycloak', 'auth0', 'workos', 'generic', 'simplejwt', 'django-oauth-toolkit'] as const) {
    t.same(await scopes(profile, { scp: 'read write', roles: ['read'], groups: ['write'] }), [], `${profile}: claims of Entra`)
    t.same(await scopes(profile, { scope: ['read'] }), [], `${profile}: a list in scope`)
  }
  t.same(await scopes('entra', { scope: 'read write', scopes: ['read'], permissions: ['write'] }), [], 'entra: claims of others')
  t.same(await scopes('entra', { scp: ['read'] }), [], 'entra: a list in scp')
  t.same(await scopes('entra', { scp: '', roles: ['write'] }), [], 'entra: roles are not for users who have scp')
  t.same(await scopes('auth0', { scope: '', permissions: ['write'] }), [], 'auth0: permissions that the client was not given')
  t.same(await scopes('auth0', { permissions: 'write' }), [], 'auth0: a text in permissions')
})

t.test('[requirement 14] tokens of simplejwt that are signed with a secret need an audience and scopes of their own', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(auth, { issuers: [{ type: 'secret', secrets: [secret], profile: 'simplejwt', issuer: 'https://django.example.com' }], audience: [audience] })
  app.get('/', { onRequest: app.authenticate }, async ({ principal }) => principal?.key)
  const status = async (more: Claims): Promise<number> => {
    const bearer = sign({ token_type: 'access', user_id: '7', jti: 'j', iat: fromNow(0), exp: fromNow(300), iss: 'https://django.example.com', aud: audience, scope: 'read', ...more })
    return (await overHttp(app, { url: '/', headers: { authorization: `Bearer ${bearer}` } })).statusCode
  }
  t.equal(await status({}), 200)
  t.equal(await status({ aud: undefined }), 401)
  t.equal(await status({ iss: undefined }), 401)
  t.equal(await status({ token_type: 'refresh' }), 401)
  t.equal(await status({ scope: undefined }), 403)
})
