import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { startDjango } from '../../demo/django.ts'
import { defineTool } from '../../plugins/catalog/definition.ts'
import { fromNow, listen, sign, token } from '../helper.ts'
import { holdBack } from '../holding.ts'

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

interface CallOptions {
  signal?: AbortSignal
  onprogress?: (progress: { progress: number, total?: number | undefined, message?: string | undefined }) => void
}

/** What both generations of clients do in the same words. */
interface AnyClient {
  listTools: () => Promise<unknown>
  call: (name: string, args: Record<string, unknown>, options?: CallOptions) => Promise<unknown>
  readResource: (params: { uri: string }) => Promise<unknown>
  listPrompts: () => Promise<unknown>
  getPrompt: (params: { name: string, arguments: Record<string, string> }) => Promise<unknown>
  complete: (params: { ref: { type: 'ref/prompt', name: string }, argument: { name: string, value: string } }) => Promise<unknown>
}

async function connectModern (t: Test, url: string, client: ModernClient, bearer = token()): Promise<ModernClient> {
  t.teardown(() => client.close())
  await client.connect(new ModernTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${bearer}` } } }))
  return client
}

function negotiating (mode: VersionNegotiationMode): ModernClient {
  return new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
}

function anyClient (client: Client | ModernClient): AnyClient {
  return {
    listTools: () => client.listTools(),
    call: (name, args, options) => client instanceof Client
      ? client.callTool({ name, arguments: args }, undefined, options)
      : client.callTool({ name, arguments: args }, options),
    readResource: (params) => client.readResource(params),
    listPrompts: () => client.listPrompts(),
    getPrompt: (params) => client.getPrompt(params),
    complete: (params) => client.complete(params)
  }
}

/** Every official client in every way in which it agrees on a revision. */
const modes: ReadonlyArray<readonly [string, (t: Test, url: string) => Promise<AnyClient>]> = [
  ['first generation', async (t, url) => anyClient(await connectLegacy(t, url))],
  ['second generation, legacy', async (t, url) => anyClient(await connectModern(t, url, negotiating('legacy')))],
  ['second generation, auto', async (t, url) => anyClient(await connectModern(t, url, negotiating('auto')))],
  ['second generation, pinned', async (t, url) => anyClient(await connectModern(t, url, negotiating({ pin: '2026-07-28' })))]
]

for (const [label, connect] of modes) {
  t.test(`an official client lists, calls, reads, prompts and completes (${label})`, async (t) => {
    const { url } = await listen(t, variables)
    const client = await connect(t, url)
    t.match(await client.listTools(), { tools: [{ name: 'get_opportunities' }] })
    t.match(await client.call('get_opportunities', { client_id: 2, limit: 100 }), { structuredContent: { opportunities: [{ client: 'さくら物流' }] } })
    t.match(await client.readResource({ uri: 'client://6' }), { contents: [{ text: /Legal Name: N\/A\n[\s\S]*Vertical: N\/A\n$/ }] })
    t.match(await client.listPrompts(), { prompts: [{ name: 'summarize_client', arguments: [{ name: 'client', required: true }] }] })
    t.match(await client.getPrompt({ name: 'summarize_client', arguments: { client: 'さくら物流' } }), { messages: [{ role: 'user', content: { type: 'text', text: /"さくら物流"[\s\S]*client:\/\/2/ } }] })
    t.match(await client.complete({ ref: { type: 'ref/prompt', name: 'summarize_client' }, argument: { name: 'client', value: 'さくら' } }), { completion: { values: ['さくら物流'], total: 1, hasMore: false } })
  })

  t.test(`a call that an official client cancels ends at Django (${label})`, async (t) => {
    const holding = await holdBack(django.url, (url) => url.includes('limit=99'))
    t.teardown(() => holding.stop())
    // So long that it is not the server that loses its patience.
    const { app, url } = await listen(t, { ...variables, DJANGO_BASE_URL: holding.url, DJANGO_TIMEOUT: 120 })
    const client = await connect(t, url)
    const controller = new AbortController()
    const call = client.call('get_opportunities', { limit: 99 }, { signal: controller.signal })
    const rejected = t.rejects(call)
    await holding.held()
    controller.abort('the user has changed their mind')
    await rejected
    await holding.ended()
    t.pass('the request to Django has ended')
    t.match(await client.call('get_opportunities', { limit: 1 }), { structuredContent: { count: 1 } }, 'the client goes on')
    let metrics = ''
    while (!metrics.includes('mcp_requests_total{method="tools/call",outcome="cancelled"} 1')) metrics = (await app.inject('/metrics')).body
    t.match(metrics, 'mcp_requests_in_flight 0')
  })

  t.test(`an official client hears of progress (${label})`, async (t) => {
    const { url } = await listen(t, variables, undefined, {
      tools: [defineTool({
        name: 'count_by_status',
        description: 'd',
        annotations: { readOnlyHint: true },
        input: z.object({}),
        output: z.object({ active: z.int(), won: z.int() }),
        async handler (_args, { django, progress }) {
          const count = async (status: string) => (await django.get('/api/v1/orbit/opportunities/', { query: { status, limit: 1 }, schema: z.object({ count: z.int() }) })).count
          await progress(0, 2, 'active')
          const active = await count('active')
          await progress(1, 2, 'won')
          return { active, won: await count('won') }
        }
      })]
    })
    const client = await connect(t, url)
    const heard: unknown[] = []
    t.match(await client.call('count_by_status', {}, { onprogress: (progress) => { heard.push(progress) } }), { structuredContent: { active: 215, won: 81 } })
    t.match(heard, [{ progress: 0, total: 2, message: 'active' }, { progress: 1, total: 2, message: 'won' }])
    t.match(await client.call('count_by_status', {}), { structuredContent: { active: 215 } }, 'who does not ask is told the result alone')
    t.equal(heard.length, 2)
  })
}

/** A tool that asks which client is meant, and counts its opportunities. */
const countOfClient = defineTool({
  name: 'count_of_client',
  description: 'd',
  annotations: { readOnlyHint: true },
  asks: true,
  input: z.object({}),
  output: z.object({ total: z.int().nullable() }),
  async handler (_args, { ask, django }) {
    const { action, content } = await ask({ message: 'Which client?', schema: { type: 'object', properties: { client_id: { type: 'integer', minimum: 1 } }, required: ['client_id'] } })
    if (action !== 'accept') return { total: null }
    const { count } = await django.get('/api/v1/orbit/opportunities/', { query: { client: Number(content.client_id), limit: 1 }, schema: z.object({ count: z.int() }) })
    return { total: count }
  }
})

for (const [label, mode] of [['auto', 'auto'], ['pinned', { pin: '2026-07-28' }]] as const) {
  t.test(`values that the user gives reach Django (second generation, ${label})`, async (t) => {
    const { url } = await listen(t, variables, undefined, { tools: [countOfClient] })
    const asked: unknown[] = []
    const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } })
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params)
      return { action: 'accept', content: { client_id: 2 } }
    })
    await connectModern(t, url, client)
    const { structuredContent } = await client.callTool({ name: 'count_of_client', arguments: {} })
    t.match(structuredContent, { total: Number })
    t.match(await client.callTool({ name: 'get_opportunities', arguments: { client_id: 2 } }), { structuredContent })
    t.match(asked, [{ message: 'Which client?', requestedSchema: { required: ['client_id'] } }])
  })
}

t.test('values that the user gives reach Django by way of the model (first generation)', async (t) => {
  const { url } = await listen(t, variables, undefined, { tools: [countOfClient] })
  const client = await connectLegacy(t, url)
  const asked = await client.callTool({ name: 'count_of_client', arguments: {} })
  t.match(asked, { isError: true, content: [{ text: /Which client\?[\s\S]*confirmation_answer: \{"client_id":/ }] })
  const token = /confirmation_token: "([^"]+)"/.exec(JSON.stringify(asked).replaceAll('\\"', '"'))?.[1]
  const { structuredContent } = await client.callTool({ name: 'count_of_client', arguments: { confirmation_token: token, confirmation_answer: { client_id: 2 } } })
  t.match(structuredContent, { total: Number })
  t.match(await client.callTool({ name: 'get_opportunities', arguments: { client_id: 2 } }), { structuredContent })
})

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

t.test('[attack 37] 1,000 interleaved calls of different principals in both eras: every answer is its caller\'s own', async (t) => {
  const folder = t.testdir({
    'whoami.mjs': `export default { name: 'whoami', description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object', properties: { nonce: { type: 'string' } } },
      async handler ({ nonce }, { principal, progress }) {
        await progress(1, 1, principal.subject + ' ' + nonce)
        await new Promise((resolve) => { setTimeout(resolve, Math.random() * 10) })
        return principal.subject + ' ' + nonce
      } }`
  })
  const { url } = await listen(t, { ...variables, TOOLS_DIR: folder, RATE_LIMIT_REQUESTS: 100_000 })
  // Their requests have the same ids.
  const clients = await Promise.all(Array.from({ length: 10 }, async (_, index) => {
    const subject = `user-${index}`
    const bearer = token({ sub: subject })
    return { subject, client: anyClient(index % 2 === 0 ? await connectLegacy(t, url, bearer) : await connectModern(t, url, negotiating({ pin: '2026-07-28' }), bearer)) }
  }))
  const wrong: unknown[] = []
  let answered = 0
  // 100 at a time: all at once would be more than the event loop of one process takes without shedding load.
  await Promise.all(clients.flatMap(({ subject, client }) => Array.from({ length: 10 }, async (_, lane) => {
    for (let index = 0; index < 10; index += 1) {
      const expected = `${subject} n${lane}-${index}`
      const heard: unknown[] = []
      // Every other one as a stream.
      const options = index % 2 === 0 ? {} : { onprogress: ({ message }: { message?: string | undefined }) => { heard.push(message) } }
      const { content } = z.object({ content: z.unknown() }).parse(await client.call('whoami', { nonce: `n${lane}-${index}` }, options))
      answered += 1
      if (JSON.stringify([content, heard]) !== JSON.stringify([[{ type: 'text', text: expected }], index % 2 === 0 ? [] : [expected]])) wrong.push({ expected, content, heard })
    }
  })))
  t.equal(answered, 1000)
  t.strictSame(wrong, [])
})
