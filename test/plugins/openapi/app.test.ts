import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { buildApp, djangoStub, environment, json, modernRpc, rpc, token } from '../../helper.ts'

const kobo = fileURLToPath(new URL('../../fixtures/openapi/given/kobo-v2.yaml', import.meta.url))
const nested = fileURLToPath(new URL('../../fixtures/openapi/given/drf-spectacular-drf_nested_routers.yml', import.meta.url))

type App = Awaited<ReturnType<typeof buildApp>>
type Method = (app: App, method: string, params?: Record<string, unknown>, bearer?: string) => ReturnType<typeof rpc>

/** Both eras, each with its way of sending a request. */
const eras: Record<string, Method> = {
  '2025-11-25': (app, method, params, bearer) => rpc(app, method, params, bearer),
  '2026-07-28': (app, method, params, bearer) => modernRpc(app, method, params, bearer === undefined ? {} : { bearer })
}

async function withKobo (t: Test, overrides: Record<string, unknown> = {}) {
  const stub = await djangoStub(t, (_request, response) => { json(response, 200, { count: 1, next: null, previous: null, results: [{ uid: 'a1' }] }) })
  return { stub, app: await buildApp(t, { DJANGO_BASE_URL: stub.url, DJANGO_SCHEMA: kobo, RATE_LIMIT_REQUESTS: 1000, ...overrides }) }
}

function textOf (response: Awaited<ReturnType<Method>>): string {
  return response.json().result?.content?.[0]?.text ?? ''
}

const callAs = (send: Method, app: App) => async (name: string, args: Record<string, unknown>, bearer?: string) => await send(app, 'tools/call', { name, arguments: args }, bearer)

for (const [era, send] of Object.entries(eras)) {
  t.test(`${era}: an API of 277 operations is searched, described and called`, async (t) => {
    const { app, stub } = await withKobo(t)
    const call = callAs(send, app)
    const { tools } = (await send(app, 'tools/list')).json().result
    t.strictSame(tools.map(({ name }: { name: string }) => name), ['call_read_operation', 'describe_operations', 'search_operations'], 'reading only, and nothing that is built in')
    const found = textOf(await call('search_operations', { query: 'submissions of an asset', path: '/data/' }))
    t.ok(found.split('\n').length >= 8, found)
    const name = /GET (\w+)\(uid_asset/.exec(found)?.[1] ?? ''
    const described = textOf(await call('describe_operations', { operations: [name] }))
    t.match(JSON.parse(described), { operation: name, call_with: 'call_read_operation', arguments: { properties: { uid_asset: {} } } })
    const before = stub.requests.length
    t.match(textOf(await call('call_read_operation', { operation: name, arguments: { uid_asset: 'a1' } })), 'a1')
    t.match(stub.requests.slice(before).filter(({ url }) => !url.includes('/core/')), [{ method: 'GET', url: /^\/api\/v2\/assets\/a1\// }])
    const wrong = (await call('call_read_operation', { operation: name, arguments: { uid_aset: 'a1' } })).json().result
    t.equal(wrong.isError, true)
    t.match(wrong.content[0].text, /uid_aset: is not an argument of this tool; did you mean uid_asset\?/)
    t.match(textOf(await call('call_read_operation', { operation: `${name}x` })), new RegExp(`the nearest are ${name}`))
  })
}

t.test('the user is asked before something is deleted, in both eras', async (t) => {
  const { app, stub } = await withKobo(t, { OPENAPI_METHODS: 'all' })
  const bearer = token({ scope: 'read write' })
  const deleted = () => stub.requests.filter(({ method }) => method === 'DELETE').length
  const found = textOf(await rpc(app, 'tools/call', { name: 'search_operations', arguments: { query: 'delete an asset', method: 'DELETE', path: '/assets/{uid_asset}/' } }, bearer))
  const name = /DELETE (\w+)\(uid_asset\)/.exec(found)?.[1] ?? ''
  const params = { name: 'call_operation', arguments: { operation: name, arguments: { uid_asset: 'a1' } } }

  const question = textOf(await rpc(app, 'tools/call', params, bearer))
  const confirmation = /confirmation_token: ("[^"]+")/.exec(question)?.[1] ?? '""'
  t.equal(deleted(), 0)
  await rpc(app, 'tools/call', { ...params, arguments: { ...params.arguments, confirmation_token: JSON.parse(confirmation) } }, bearer)
  t.equal(deleted(), 1)

  const { requestState, inputRequests } = (await modernRpc(app, 'tools/call', params, { bearer })).json().result
  t.equal(deleted(), 1)
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, { action: 'accept', content: {} }]))
  await modernRpc(app, 'tools/call', { ...params, requestState, inputResponses }, { bearer })
  t.equal(deleted(), 2)

  const refused = await rpc(app, 'tools/call', params)
  t.equal(refused.statusCode, 403, 'a reader may not')
})

t.test('a small API is listed, and what is built in stays out unless it is asked for', async (t) => {
  const names = async (overrides: Record<string, unknown>): Promise<Set<string>> => {
    const app = await buildApp(t, { DJANGO_SCHEMA: nested, ...overrides })
    return new Set((await rpc(app, 'tools/list')).json().result.tools.map(({ name }: { name: string }) => name))
  }
  const generated = await names({})
  t.ok(generated.size > 0)
  t.notOk(generated.has('get_opportunities'))
  t.strictSame(await names({ BUILT_IN_TOOLS: 'true' }), new Set([...generated, 'get_opportunities']))
  t.strictSame(await names({ DJANGO_SCHEMA: undefined }), new Set(['get_opportunities']))
  t.strictSame(await names({ DJANGO_SCHEMA: undefined, BUILT_IN_TOOLS: 'false' }), new Set())
})

t.test('health and metrics tell of the schema, and only where there is one', async (t) => {
  const { app } = await withKobo(t)
  t.match((await app.inject('/health')).json(), { schema_status: 'healthy', schema_checked_seconds_ago: Number })
  const metrics = (await app.inject('/metrics')).body
  for (const line of ['mcp_schema_reloads_total{result="replaced"} 0', 'mcp_schema_reloads_total{result="broken"} 0', 'mcp_schema_tools_total{change="added"} 0', 'mcp_schema_age_seconds ']) t.match(metrics, line)
  const plain = await buildApp(t)
  t.notOk('schema_status' in (await plain.inject('/health')).json())
  t.notMatch((await plain.inject('/metrics')).body, 'mcp_schema')
})

t.test('server.ts ends with code 1 and the reason where there is no schema', async (t) => {
  const env = Object.fromEntries(Object.entries({ PATH: process.env.PATH, ...environment({ DJANGO_SCHEMA: 'no/such.yml', LOG_LEVEL: 'INFO' }) }).map(([name, value]) => [name, String(value)]))
  const child = spawn(process.execPath, ['server.ts'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const [code] = await once(child, 'close')
  t.equal(code, 1)
  t.match(output, 'no/such.yml: there is no such file')
})
