import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import t, { type Test } from 'tap'
import { startDjango } from '../../demo/django.ts'
import { fromNow, listen, sign, token } from '../helper.ts'

t.setTimeout(300_000)

const djangoLog: string[] = []
const django = await startDjango({ database: 'temporary', log: (line) => { djangoLog.push(line) } })
t.teardown(() => django.stop())

const variables = { DJANGO_BASE_URL: django.url, DJANGO_API_KEY: django.apiKey }

async function connectLegacy (t: Test, url: string, bearer = token()): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const transport: Transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${bearer}`, 'X-Correlation-ID': 'from-the-client' } } })
  await client.connect(transport)
  t.teardown(() => client.close())
  return client
}

t.test('the official client of the first generation lists, calls and reads', async (t) => {
  const { url } = await listen(t, variables)
  const client = await connectLegacy(t, url)
  t.match(client.getServerVersion(), { name: 'django-mcp-server' })
  t.match(await client.listTools(), { tools: [{ name: 'get_opportunities' }] })
  t.match(await client.callTool({ name: 'get_opportunities', arguments: { status: 'won', limit: 3 } }), {
    isError: undefined,
    structuredContent: { count: 3, total: 81, opportunities: [{ status: 'won' }, { status: 'won' }, { status: 'won' }] }
  })
  t.match(await client.listResourceTemplates(), { resourceTemplates: [{ uriTemplate: 'client://{client_id}' }] })
  t.match(await client.readResource({ uri: 'client://2' }), { contents: [{ uri: 'client://2', mimeType: 'text/plain', text: /^Client Details: さくら物流\n=+\n\nID: 2\nLegal Name: 株式会社さくら物流\n/ }] })
  t.ok(djangoLog.some((line) => line.includes('/api/v1/orbit/opportunities/') && line.includes('correlation_id=from-the-client')), 'Django logs the id of the client')
})

for (const [label, mode] of [['legacy', 'legacy'], ['auto', 'auto'], ['pinned', { pin: '2026-07-28' }]] as const) {
  t.test(`the official client of the second generation lists, calls, reads, prompts and completes (negotiation ${label})`, async (t) => {
    const { url } = await listen(t, variables)
    const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    t.teardown(() => client.close())
    await client.connect(new ModernTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${token()}` } } }))
    t.match(await client.listTools(), { tools: [{ name: 'get_opportunities' }] })
    t.match(await client.callTool({ name: 'get_opportunities', arguments: { client_id: 2, limit: 100 } }), { structuredContent: { opportunities: [{ client: 'さくら物流' }] } })
    t.match(await client.readResource({ uri: 'client://6' }), { contents: [{ text: /Legal Name: N\/A\n[\s\S]*Vertical: N\/A\n$/ }] })
    t.match(await client.listPrompts(), { prompts: [{ name: 'summarize_client', arguments: [{ name: 'client', required: true }] }] })
    t.match(await client.getPrompt({ name: 'summarize_client', arguments: { client: 'さくら物流' } }), { messages: [{ role: 'user', content: { type: 'text', text: /"さくら物流"[\s\S]*client:\/\/2/ } }] })
    t.match(await client.complete({ ref: { type: 'ref/prompt', name: 'summarize_client' }, argument: { name: 'client', value: 'さくら' } }), { completion: { values: ['さくら物流'], total: 1, hasMore: false } })
  })
}

t.test('what is null, exact or missing in Django arrives as it is', async (t) => {
  const { url } = await listen(t, variables)
  const client = await connectLegacy(t, url)
  const { structuredContent } = await client.callTool({ name: 'get_opportunities', arguments: { limit: 100 } })
  t.match(structuredContent, { count: 100, total: 432 })
  const { opportunities } = Object.assign({ opportunities: [] as const }, structuredContent)
  const byId = new Map(opportunities.map((opportunity: { id: number }) => [opportunity.id, opportunity]))
  t.match(byId.get(432), { value: '9999999999.99' }, 'decimals keep every digit')
  t.match(byId.get(431), { value: '0.10' })
  t.match(byId.get(428), { value: null })
  t.match(byId.get(426), { client: null })
})

t.test('filters, limits and mistakes', async (t) => {
  const { url } = await listen(t, variables)
  const client = await connectLegacy(t, url)
  const call = async (args: Record<string, unknown>) => await client.callTool({ name: 'get_opportunities', arguments: args })
  t.match(await call({ client_id: 999_999 }), { isError: true, content: [{ text: /client_id: Select a valid choice/ }] })
  t.match(await call({ status: 'open' }), { isError: true, content: [{ text: /status: / }] })
  t.match(await call({ limit: 101 }), { isError: true, content: [{ text: /limit: / }] })
  t.match(await call({ client_id: 0 }), { isError: true, content: [{ text: /client_id: / }] })
  await t.rejects(client.callTool({ name: 'no_such' }), { code: -32602 })
  await t.rejects(client.readResource({ uri: 'client://999999' }), { code: -32002 })
})

t.test('a wrong key is the operator\'s problem, and said so', async (t) => {
  const { app, url } = await listen(t, { ...variables, DJANGO_API_KEY: 'wrong.key' })
  const client = await connectLegacy(t, url)
  const { content, isError } = await client.callTool({ name: 'get_opportunities', arguments: {} })
  t.ok(isError)
  t.match(content, [{ text: /refused the credentials of this server/ }])
  const health = await app.inject('/health')
  t.equal(health.statusCode, 503)
  t.match(health.json(), { status: 'degraded', api_status: 'unhealthy', api_reason: 'Django refused the API key (403)' })
  t.match((await app.inject('/ready/')).json(), { status: 'not_ready', checks: { api_backend: 'error' } })
})

t.test('health is seen through to the real stats endpoint', async (t) => {
  const { app } = await listen(t, variables)
  t.match((await app.inject('/health')).json(), { status: 'healthy', api_status: 'healthy' })
  t.match((await app.inject('/ready/')).json(), { status: 'ready', checks: { api_backend: 'ok' } })
})

t.test('the official clients read a refusal', async (t) => {
  const { url } = await listen(t, variables)
  for (const bearer of ['nonsense', sign({ sub: 'x', scope: 'read', exp: fromNow(-60) }), sign({ sub: 'x', scope: 'read', exp: fromNow(60) }, { key: 'another-secret-of-more-than-32-bytes' })]) {
    await t.rejects(connectLegacy(t, url, bearer), /invalid_token/)
  }
  await t.rejects(connectLegacy(t, url, token({ scope: '' })), /insufficient_scope/)
})

t.test('1,000 interleaved calls of different principals: every answer is its caller\'s own', async (t) => {
  const folder = t.testdir({
    'whoami.mjs': `export default { name: 'whoami', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object', properties: { nonce: { type: 'string' } } },
      async handler ({ nonce }, { principal }) { await new Promise((resolve) => { setTimeout(resolve, Math.random() * 10) }); return principal.subject + ' ' + nonce } }`
  })
  const { url } = await listen(t, { ...variables, TOOLS_DIR: folder, RATE_LIMIT_REQUESTS: 100_000 })
  const clients = await Promise.all(Array.from({ length: 10 }, async (_, index) => ({ subject: `user-${index}`, client: await connectLegacy(t, url, token({ sub: `user-${index}` })) })))
  const wrong: unknown[] = []
  await Promise.all(Array.from({ length: 1000 }, async (_, index) => {
    const { subject, client } = clients[index % clients.length] ?? clients[0] ?? { subject: '', client: new Client({ name: '', version: '' }) }
    const { content } = await client.callTool({ name: 'whoami', arguments: { nonce: `n${index}` } })
    if (JSON.stringify(content) !== JSON.stringify([{ type: 'text', text: `${subject} n${index}` }])) wrong.push({ subject, index, content })
  }))
  t.strictSame(wrong, [])
})
