import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { generatedKey } from '../checks/keys.ts'
import { defineTool } from '../plugins/catalog/definition.ts'
import { djangoStub, fromNow, json, listen, mcpHeaders, modernRequest, token } from './helper.ts'
import { sendRaw } from './raw.ts'
import { startRecorder, type Recorder } from './recorder.ts'

const issuer = 'https://auth.example.com'

const write = defineTool({
  name: 'write',
  description: 'Writes',
  annotations: { readOnlyHint: false, destructiveHint: false },
  input: z.object({ text: z.string() }),
  async handler ({ text }, { django, principal }) {
    await django.post('/api/notes/', { json: { text, by: principal.subject }, idempotencyKey: 'key-1', schema: z.unknown() })
    return 'written'
  }
})

/** Headers that a client may try, each with a canary in it. */
const hostile = (canary: string): string[] => [
  `X-MCP-Assertion: Bearer ${canary}`,
  `X_MCP_Assertion: Bearer ${canary}`,
  `X_MCP-ASSERTION: ${canary}`,
  `X-User: ${canary}`,
  `X_User: ${canary}`,
  `Remote-User: ${canary}`,
  `Remote_User: ${canary}`,
  `X-Forwarded-User: ${canary}`,
  `X-Forwarded-For: 10.0.0.1, ${canary}`,
  `X-Forwarded-Host: ${canary}.example.com`,
  `X-Real-IP: ${canary}`,
  `Forwarded: for=${canary};host=${canary}`,
  `Via: 1.1 ${canary}`,
  `Cookie: sessionid=${canary}; csrftoken=${canary}`,
  `X-CSRFToken: ${canary}`,
  `Proxy-Authorization: Basic ${canary}`,
  `X-Api-Key: ${canary}`,
  `Api_Key: ${canary}`,
  `X-HTTP-Method-Override: ${canary}`,
  `X-Correlation-ID: ${canary} with spaces`,
  `User-Agent: ${canary}`,
  `Idempotency-Key: ${canary}`,
  `Referer: https://${canary}.example.com/`,
  `Accept-Language: ${canary}`,
  `Expect-Nothing: ${canary}`
]

const clientInfo = { name: 'canary-client', version: '1' }

/** Everything that a client can make the app ask Django, in both eras, with hostile headers on each request. */
async function askEverything (url: string, bearer: string, canary: string): Promise<void> {
  const calls: Array<[string, Record<string, unknown>]> = [
    ['tools/call', { name: 'get_opportunities', arguments: {} }],
    ['tools/call', { name: 'write', arguments: { text: 'note' } }],
    ['resources/read', { uri: 'client://1' }],
    ['prompts/get', { name: 'summarize_client', arguments: { client: 'a' } }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'summarize_client' }, argument: { name: 'client', value: 'a' } }]
  ]
  for (const era of ['2025-11-25', '2026-07-28']) {
    for (const [method, params] of calls) {
      const meta = era === '2026-07-28'
        ? { _meta: { 'io.modelcontextprotocol/protocolVersion': era, 'io.modelcontextprotocol/clientCapabilities': {}, 'io.modelcontextprotocol/clientInfo': clientInfo } }
        : {}
      const name = params.name ?? params.uri
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, ...meta } })
      const head = [
        'POST /mcp HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Type: application/json', 'Accept: application/json, text/event-stream',
        `Authorization: Bearer ${bearer}`, `MCP-Protocol-Version: ${era}`, `Mcp-Method: ${method}`,
        ...typeof name === 'string' ? [`Mcp-Name: ${name}`] : [],
        ...hostile(canary), `Content-Length: ${Buffer.byteLength(body)}`
      ]
      const answer = await sendRaw(url, `${head.join('\r\n')}\r\n\r\n${body}`)
      if (answer.status !== 200 || /"(error|isError)":/.test(answer.body)) throw new Error(`${era} ${method}: ${answer.status} ${answer.body}`)
    }
  }
}

/** Looks for a text in every form in which a header could have it. */
function carries (bytes: Buffer, text: string): boolean {
  const forms = [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('base64url'), Buffer.from(text).toString('hex'), encodeURIComponent(text), text.split('').toReversed().join('')]
  const haystack = bytes.toString('latin1').toLowerCase()
  return forms.some((form) => haystack.includes(form.toLowerCase()))
}

/** Names of all headers that were sent, in small letters. */
function headerNames (recorder: Recorder): string[] {
  return [...new Set(recorder.heads().flatMap((head) => head.split('\r\n').slice(1).flatMap((line) => /^([^:]+):/.exec(line)?.[1]?.toLowerCase() ?? [])))].toSorted()
}

const always = ['accept', 'accept-encoding', 'authorization', 'connection', 'content-length', 'content-type', 'host', 'idempotency-key', 'user-agent', 'x-correlation-id']

async function setUp (t: Test, variables: Record<string, unknown>) {
  const recorder = await startRecorder(t)
  const bearer = token({ sub: 'ada', iss: issuer, aud: 'http://localhost:8080/mcp', scope: 'write', jti: 'canary-jti-1', client_id: 'canary-client-1' })
  const { url } = await listen(t, {
    DJANGO_BASE_URL: recorder.url, DJANGO_HEALTH_PATH: '/health/', JWT_ISSUER: issuer, PUBLIC_URL: 'http://localhost:8080', ...variables
  }, undefined, { tools: [write] })
  return { recorder, bearer, url }
}

const ways: ReadonlyArray<readonly [string, (t: Test) => Promise<Record<string, unknown>>]> = [
  ['service', async () => ({})],
  ['assertion', async () => ({ DJANGO_IDENTITY: 'assertion', ASSERTION_KEY: generatedKey() })],
  ['exchange', async (t) => {
    const server = await djangoStub(t, (_request, response) => { json(response, 200, { access_token: 'for-django', token_type: 'Bearer', expires_in: 600 }) })
    return { DJANGO_IDENTITY: 'exchange', ENVIRONMENT: 'test', EXCHANGE_URL: `${server.url}/token`, EXCHANGE_CLIENT_ID: 'a', EXCHANGE_CLIENT_SECRET: 'b' }
  }]
]

for (const [way, variables] of ways) {
  t.test(`[attack 39] [requirement 20] [authorization 32] no byte of a caller's token is sent to Django (${way})`, async (t) => {
    const { recorder, bearer, url } = await setUp(t, await variables(t))
    await askEverything(url, bearer, 'canary-of-a-header')
    t.ok(recorder.heads().length >= 10)
    for (const part of [bearer, ...bearer.split('.')]) t.notOk(carries(recorder.bytes(), part), part.slice(0, 20))
    t.notOk(carries(recorder.bytes(), 'canary-jti-1'), 'nor the name of the token')
  })

  t.test(`[attack 40] [requirement 21] headers of a caller do not reach Django, however they are spelt (${way})`, async (t) => {
    const { recorder, bearer, url } = await setUp(t, await variables(t))
    await askEverything(url, bearer, 'canary-of-a-header')
    t.notOk(carries(recorder.bytes(), 'canary-of-a-header'))
    t.notOk(carries(recorder.bytes(), 'canary-client"'))
    t.strictSame(headerNames(recorder), way === 'service' ? always : [...always, 'x-mcp-assertion'])
    const told = recorder.heads().filter((head) => !head.startsWith('GET /health/')).map((head) => head.match(/^x-mcp-assertion: Bearer (\S+)$/gim)?.length ?? 0)
    t.strictSame([...new Set(told)], [way === 'service' ? 0 : 1], 'one identity each, or none')
  })
}

t.test('[requirement 22] the assertion on the wire is about the caller of each request', async (t) => {
  const { recorder, url } = await setUp(t, { DJANGO_IDENTITY: 'assertion', ASSERTION_KEY: generatedKey() })
  for (const sub of ['ada', 'grace']) {
    await askEverything(url, token({ sub, iss: issuer, aud: 'http://localhost:8080/mcp', scope: 'write', exp: fromNow(300) }), 'x-canary')
  }
  const subjects = recorder.heads().flatMap((head) => /^x-mcp-assertion: Bearer (\S+)$/im.exec(head)?.[1] ?? []).map((assertion) => decodeJwt(assertion).sub)
  t.strictSame(new Set(subjects.slice(0, subjects.length / 2)), new Set(['ada']))
  t.strictSame(new Set(subjects.slice(subjects.length / 2)), new Set(['grace']))
})

t.test('[attack 36] [attack 37] [attack 41] [requirement 22] of many callers at once each is named to Django by an assertion of its own, which verifies unchanged and for Django alone', async (t) => {
  const { recorder, url } = await setUp(t, { DJANGO_IDENTITY: 'assertion', ASSERTION_KEY: generatedKey(), RATE_LIMIT_REQUESTS: 1_000 })
  const call = { name: 'get_opportunities', arguments: {} }
  await Promise.all(Array.from({ length: 80 }, async (_, index) => {
    const sub = `user-${index % 5}`
    const bearer = token({ sub, iss: issuer, aud: 'http://localhost:8080/mcp' })
    const modern = modernRequest('tools/call', call, { bearer })
    const legacy = { headers: mcpHeaders(bearer), payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call } }
    const { headers, payload } = index % 2 === 0 ? modern : legacy
    const response = await fetch(`${url}/mcp`, { method: 'POST', headers: { ...headers, 'x-correlation-id': `${sub}.${index}` }, body: JSON.stringify(payload) })
    t.notMatch(await response.text(), /"(error|isError)":/)
  }))
  const told = recorder.heads().flatMap((head) => {
    const assertion = /^x-mcp-assertion: Bearer (\S+)$/im.exec(head)?.[1]
    return assertion === undefined ? [] : [{ caller: /^x-correlation-id: (user-\d)\.\d+\r$/im.exec(head)?.[1], assertion, claims: decodeJwt(assertion) }]
  })
  t.equal(told.length, 80)
  t.strictSame(told.filter(({ caller, claims }) => claims.sub !== caller || claims.user_id !== caller), [])
  t.equal(new Set(told.map(({ claims }) => claims.jti)).size, 80, 'one that comes twice is a replay')

  const keys = createLocalJWKSet(z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).parse(await (await fetch(`${url}/.well-known/jwks.json`)).json()))
  const rules = { issuer: 'http://localhost:8080', audience: recorder.url, typ: 'mcp-assertion+jwt', algorithms: ['ES256'], maxTokenAge: 60 }
  for (const { assertion, claims } of told.slice(0, 5)) {
    await t.resolves(jwtVerify(assertion, keys, rules))
    const [head = '', payload = '', signature = ''] = assertion.split('.')
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'admin', user_id: 'admin' })).toString('base64url')
    for (const forged of [`${head}.${changed}.${signature}`, `${head}.${payload}.`, `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`]) await t.rejects(jwtVerify(forged, keys, rules))
    for (const other of [{ audience: 'https://another.example.com' }, { issuer: 'https://another.example.com' }, { currentDate: new Date(Date.now() + 61_000) }]) await t.rejects(jwtVerify(assertion, keys, { ...rules, ...other }))
  }
})
