import t, { type Test } from 'tap'
import { z } from 'zod'
import { audience, claims, issuedBy, ping, startAuthorizationServer } from '../authorization-server.ts'
import { buildApp, djangoStub, json, listen, LogLines, mcpHeaders, modernRequest, modernRpc, overHttp, rpc, secret, token } from '../helper.ts'

type Era = 'legacy' | 'modern'

const metadataUrl = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'

function tool (name: string, scopes: readonly string[] | undefined, more: object = {}) {
  return { name, description: 'd', ...(scopes === undefined ? {} : { scopes }), input: { type: 'object' }, handler: () => 'done', ...more }
}

const definitions = {
  tools: [tool('look', undefined, { annotations: { readOnlyHint: true } }), tool('change', undefined), tool('erase', ['write', 'admin']), tool('audit', ['audit']), tool('anything', [])]
}

/** The whole service with tools of several scopes, listening, and a way to send it a message over HTTP. */
async function build (t: Test, more: Record<string, unknown> = {}) {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, {}) })
  const { url } = await listen(t, { PUBLIC_URL: 'https://mcp.example.com', RATE_LIMIT_REQUESTS: 100_000, DJANGO_BASE_URL: django.url, ...more }, undefined, definitions)
  async function send (era: Era, method: string, params: Record<string, unknown>, bearer: string | undefined): Promise<Response> {
    const modern = modernRequest(method, params)
    const { authorization: _own, ...headers } = modern.headers
    return await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: era === 'legacy' ? mcpHeaders(bearer) : { ...headers, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) },
      body: JSON.stringify(era === 'legacy' ? { jsonrpc: '2.0', id: 1, method, params } : modern.payload)
    })
  }
  return { url, send, django }
}

const eras: readonly Era[] = ['legacy', 'modern']

t.test('[attack 31] [attack 90] [requirement 5] [requirement 6] [authorization 18] [authorization 19] [authorization 20] [authorization 21] [authorization 22] [authorization 23] each tool needs its scopes, and says all of them at once in a 403, before an answer begins', async (t) => {
  const { send } = await build(t)
  const needs: Record<string, string> = { look: 'read', change: 'write', erase: 'write admin', audit: 'read audit', anything: 'read' }
  const allowed: Record<string, string[]> = {
    read: ['look', 'anything'], write: ['look', 'change', 'anything'], 'read write': ['look', 'change', 'anything'], 'write admin': ['look', 'change', 'erase', 'anything'], admin: [], 'read admin': ['look', 'anything'], 'read audit': ['look', 'audit', 'anything'], audit: [], '': []
  }
  for (const era of eras) {
    for (const [scope, names] of Object.entries(allowed)) {
      for (const [name, challenge] of Object.entries(needs)) {
        const params = { name, arguments: {}, ...(era === 'legacy' ? { _meta: { progressToken: 1 } } : {}) }
        const response = await send(era, 'tools/call', params, token({ scope }))
        const what = `${era}: ${name} with "${scope}"`
        t.equal(response.status, names.includes(name) ? 200 : 403, what)
        if (response.status === 200) continue
        t.equal(response.headers.get('www-authenticate'), `Bearer error="insufficient_scope", resource_metadata="${metadataUrl}", scope="${challenge}"`, what)
        t.match(response.headers.get('content-type'), 'application/json', 'no stream has begun')
        t.match(await response.json(), { error: 'insufficient_scope' })
      }
    }
  }
})

t.test('[authorization 4] [authorization 20] scopes that every call needs and those of the tool are asked for together, the same ones each time', async (t) => {
  const { send } = await build(t, { REQUIRED_SCOPES: 'mcp,read' })
  for (const era of eras) {
    const scopeOf = async (method: string, params: Record<string, unknown>, scope: string): Promise<string | undefined> => {
      return /scope="([^"]*)"/.exec((await send(era, method, params, token({ scope }))).headers.get('www-authenticate') ?? '')?.[1]
    }
    for (const scope of ['', 'mcp', 'write', 'read']) t.equal(await scopeOf('tools/call', { name: 'erase', arguments: {} }, scope), 'mcp write admin', `${era}, with "${scope}"`)
    t.equal(await scopeOf('tools/list', {}, 'read'), 'mcp read', era)
    t.equal(await scopeOf('tools/list', {}, 'mcp write'), undefined, era)
  }
})

t.test('[requirement 7] [requirement 8] tools say what to sign in for, the same as the challenge, where ChatGPT and others look', async (t) => {
  const { send } = await build(t, { REQUIRED_SCOPES: 'mcp,read' })
  const shape = z.object({ result: z.object({ tools: z.array(z.object({ name: z.string(), securitySchemes: z.unknown(), _meta: z.unknown() })) }) })
  for (const era of eras) {
    const { result } = shape.parse(await (await send(era, 'tools/list', {}, token({ scope: 'mcp write admin audit' }))).json())
    const wanted = { look: ['mcp', 'read'], change: ['mcp', 'write'], erase: ['mcp', 'write', 'admin'], audit: ['mcp', 'read', 'audit'], anything: ['mcp', 'read'] }
    for (const [name, scopes] of Object.entries(wanted)) {
      const found = result.tools.find((entry) => entry.name === name)
      const securitySchemes = [{ type: 'oauth2', scopes }]
      t.strictSame(found, { name, securitySchemes, _meta: { securitySchemes } }, `${era}: ${name}`)
    }
  }
  const open = await buildApp(t, { ENVIRONMENT: 'test', AUTH_ENABLED: 'false', JWT_SECRET: undefined }, undefined, definitions)
  t.notMatch((await rpc(open, 'tools/list')).body, 'securitySchemes', 'where nobody signs in there is nothing to say')
})

t.test('[requirement 7] a list that depends on the caller is private, and holds what the caller may use', async (t) => {
  const { send } = await build(t)
  const shape = z.object({ result: z.looseObject({ tools: z.array(z.object({ name: z.string() })) }) })
  const { result } = shape.parse(await (await send('modern', 'tools/list', {}, token())).json())
  t.equal(result.cacheScope, 'private')
  const names = new Set(result.tools.map(({ name }) => name))
  t.ok(names.has('look') && names.has('anything'))
  for (const name of ['change', 'erase', 'audit']) t.notOk(names.has(name), name)
})

t.test('[requirement 8] the scopes that the metadata tells of can be set, and the challenge keeps to what is needed', async (t) => {
  for (const [ADVERTISED_SCOPES, expected] of [[undefined, ['read', 'write']], ['read', ['read']], ['read,write,audit', ['read', 'write', 'audit']]] as const) {
    const app = await buildApp(t, { ADVERTISED_SCOPES })
    t.strictSame((await overHttp(app, '/.well-known/oauth-protected-resource/mcp')).json().scopes_supported, expected)
    t.match((await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(), payload: {} })).headers['www-authenticate'], /scope="read"$/)
  }
})

t.test('[requirement 1] [requirement 2] [authorization 2] [authorization 34] metadata names the authorization servers, and pages of any origin may read it', async (t) => {
  const server = await startAuthorizationServer(t, { path: '/realms/demo' })
  const { url } = await listen(t, issuedBy(server))
  for (const path of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
    const response = await fetch(`${url}${path}`, { headers: { origin: 'https://anything.example' } })
    t.equal(response.status, 200)
    t.equal(response.headers.get('access-control-allow-origin'), '*')
    t.match(response.headers.get('content-type'), /^application\/json/)
    t.strictSame(await response.json(), { resource: audience, authorization_servers: [server.issuer], scopes_supported: ['read', 'write'], bearer_methods_supported: ['header'] })

    const preflight = await fetch(`${url}${path}`, { method: 'OPTIONS', headers: { origin: 'https://anything.example', 'access-control-request-method': 'GET', 'access-control-request-headers': 'mcp-protocol-version' } })
    t.equal(preflight.status, 204)
    t.equal(preflight.headers.get('access-control-allow-origin'), '*')
    t.equal(preflight.headers.get('access-control-allow-headers'), '*')
  }
})

t.test('[requirement 2] [authorization 33] [authorization 34] an issuer is published where it is a URL, and otherwise the log says that clients cannot sign in by themselves', async (t) => {
  const cases: Array<[Record<string, unknown>, string[] | undefined]> = [
    [{ JWT_ISSUER: 'https://auth.example.com/realms/a' }, ['https://auth.example.com/realms/a']],
    [{ JWT_ISSUER: 'our-team' }, undefined], [{ JWT_ISSUER: 'urn:our:team' }, undefined], [{ JWT_ISSUER: 'mailto:us@example.com' }, undefined], [{}, undefined],
    [{ JWT_SECRET: undefined, ISSUERS: JSON.stringify([{ type: 'secret', issuer: 'jobs', secrets: [secret] }, { type: 'secret', issuer: 'https://auth.example.com', secrets: [secret] }]) }, ['https://auth.example.com']]
  ]
  for (const [variables, expected] of cases) {
    const log = new LogLines()
    const { url } = await listen(t, { PUBLIC_URL: 'https://mcp.example.com', LOG_LEVEL: 'INFO', ...variables }, log)
    const metadata = z.looseObject({ authorization_servers: z.array(z.string()).optional() }).parse(await (await fetch(`${url}/.well-known/oauth-protected-resource/mcp`)).json())
    t.strictSame(metadata.authorization_servers, expected, JSON.stringify(variables))
    t.equal(log.text.includes('names no authorization server'), expected === undefined, JSON.stringify(variables))
  }
})

t.test('[requirement 9] [authorization 8] [authorization 29] [authorization 30] every message needs a token, whatever it asks, and Django is not asked without', async (t) => {
  const { send, url, django } = await build(t)
  const methods = ['initialize', 'ping', 'tools/list', 'tools/call', 'resources/read', 'prompts/get', 'completion/complete', 'notifications/initialized', 'server/discover', 'subscriptions/listen', 'tasks/get', 'unknown/method']
  for (const era of eras) {
    for (const method of methods) {
      for (const [bearer, error] of [[undefined, undefined], [token({ exp: 1 }), 'invalid_token'], ['nonsense', 'invalid_token']] as const) {
        const response = await send(era, method, { name: 'look', uri: 'client://1' }, bearer)
        t.equal(response.status, 401, `${era}: ${method}`)
        t.equal(/error="(\w+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1], error, `${era}: ${method}`)
      }
    }
  }
  for (const body of ['', '{', '[]', '{"jsonrpc":"2.0","id":1,"result":{}}', 'null']) {
    t.equal((await fetch(`${url}/mcp`, { method: 'POST', headers: mcpHeaders(), body })).status, 401, body)
  }
  t.strictSame(django.requests.filter((request) => request.url !== '/api/v1/core/stats/'), [], 'the probe asks by itself')
})

t.test('[authorization 1] [authorization 24] [authorization 25] [authorization 35] from nothing but the URL of the service a client finds the way to a token that is good', async (t) => {
  const server = await startAuthorizationServer(t)
  const { url } = await listen(t, issuedBy(server))
  const challenge = (await ping(url, undefined)).headers.get('www-authenticate') ?? ''
  t.equal(challenge, `Bearer resource_metadata="${metadataUrl}", scope="read"`)
  // The public name does not resolve here; the path does.
  const { pathname } = new URL(/resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '')
  const resource = z.object({ resource: z.string(), authorization_servers: z.tuple([z.string()]) }).parse(await (await fetch(`${url}${pathname}`)).json())
  const [issuer] = resource.authorization_servers
  const { issuer: named } = z.object({ issuer: z.string() }).parse(await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json())
  t.equal(named, issuer)
  const bearer = server.token({ ...claims(named), aud: resource.resource, scope: /scope="([^"]+)"/.exec(challenge)?.[1] })
  t.equal((await ping(url, bearer)).status, 200)
})

t.test('[attack 31] [attack 90] [attack 91] [requirement 5] operations that are searched need their scopes like tools that are listed, and say them in a 403', async (t) => {
  const operation = (operationId: string, ...scopes: string[]) => ({ operationId, responses: { 200: { description: '' } }, ...(scopes.length === 0 ? {} : { security: [{ oauth: scopes }] }) })
  const folder = t.testdir({
    'schema.json': JSON.stringify({
      openapi: '3.0.3',
      info: { title: 'Shop', version: '1' },
      components: { securitySchemes: { oauth: { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: 'https://a.example', tokenUrl: 'https://a.example', scopes: {} } } } } },
      paths: { '/orders/': { get: operation('orders_list'), post: operation('orders_create') }, '/payroll/': { get: operation('payroll_list', 'payroll'), post: operation('payroll_create', 'payroll', 'admin') } }
    })
  })
  const { send, django } = await build(t, { DJANGO_SCHEMA: `${folder}/schema.json`, OPENAPI_METHODS: 'all', TOOL_TOKEN_BUDGET: 0 })
  const cases = [
    ['call_read_operation', 'payroll_list', 'read', 'read payroll'], ['call_operation', 'payroll_list', 'write', 'read payroll'], ['call_operation', 'payroll_create', 'write', 'write payroll admin'],
    ['call_operation', 'payroll_create', 'write payroll', 'write payroll admin'], ['call_operation', 'orders_create', 'read', 'write'], ['call_read_operation', 'wages_list', 'read', 'read payroll'],
    ['call_read_operation', 'orders_list', 'read', null], ['call_operation', 'orders_create', 'write', null], ['call_operation', 'payroll_create', 'write payroll admin', null], ['call_read_operation', 'orders_lst', 'read', null]
  ] as const
  const before = django.requests.length
  for (const era of eras) {
    for (const [name, operationName, scope, challenge] of cases) {
      const response = await send(era, 'tools/call', { name, arguments: { operation: operationName } }, token({ scope }))
      const what = `${era}: ${operationName} with "${scope}"`
      t.equal(response.status, challenge === null ? 200 : 403, what)
      if (challenge !== null) t.equal(response.headers.get('www-authenticate'), `Bearer error="insufficient_scope", resource_metadata="${metadataUrl}", scope="${challenge}"`, what)
      await response.text()
    }
  }
  t.equal(django.requests.slice(before).filter((request) => /^\/(orders|payroll)\//.test(request.url)).length, 6, 'Django is asked for what may be called')
})

t.test('[attack 91] headers that a hidden tool wants do not give it away', async (t) => {
  const region = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, { tools: [tool('hidden', ['admin'], { input: region }), tool('shown', ['read'], { input: region })] })
  const answer = async (name: string) => {
    const { statusCode, headers, body } = await modernRpc(app, 'tools/call', { name, arguments: { region: 'eu' } })
    return { statusCode, challenge: headers['www-authenticate'], body: body.replaceAll(String(headers['x-correlation-id']), 'ID') }
  }
  t.match(await answer('hidden'), { statusCode: 403 })
  t.strictSame(await answer('hidden'), await answer('not-there'))
  t.match(await answer('shown'), { statusCode: 400, body: /-32020/ }, 'who may use a tool is told')
})
