import { fileURLToPath } from 'node:url'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { startDjango } from '../../../demo/django.ts'
import { listen, rpc, token } from '../../helper.ts'

t.setTimeout(300_000)

const django = await startDjango({ database: 'temporary' })
t.teardown(() => django.stop())

const variables = { DJANGO_BASE_URL: django.url, DJANGO_API_KEY: django.apiKey, TOOLS_DIR: fileURLToPath(new URL('../../../demo/tools', import.meta.url)) }
const writer = token({ scope: 'write' })
const name = 'delete_opportunity'
const row = z.object({ id: z.int(), name: z.string() })

/** Asks Django itself, past the server. */
async function askDjango (path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${django.url}/api/v1/orbit/${path}`, { ...init, headers: { Authorization: `Api-Key ${django.apiKey}`, 'Content-Type': 'application/json' } })
}

async function statusOf (id: number): Promise<number> {
  return (await askDjango(`opportunities/${id}/`)).status
}

/** An opportunity that nothing else knows of. */
async function create (name: string): Promise<number> {
  const response = await askDjango('opportunities/', { method: 'POST', body: JSON.stringify({ name, client_id: 2 }) })
  return row.parse(await response.json()).id
}

/** An opportunity that has contracts. */
async function withContracts (): Promise<number> {
  const { results } = z.object({ results: z.array(z.object({ opportunity: z.int() })) }).parse(await (await askDjango('contracts/')).json())
  return results[0]?.opportunity ?? 0
}

/** A client of the second generation whose user answers `action`, and the questions that the user has read. */
async function connectModern (t: Test, mode: VersionNegotiationMode, action: 'accept' | 'decline' | 'cancel'): Promise<{ client: ModernClient, questions: string[] }> {
  const { url } = await listen(t, variables)
  const questions: string[] = []
  const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } })
  client.setRequestHandler('elicitation/create', ({ params }) => {
    questions.push(params.message)
    return { action, ...(action === 'accept' ? { content: {} } : {}) }
  })
  t.teardown(() => client.close())
  await client.connect(new ModernTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${writer}` } } }))
  return { client, questions }
}

for (const [label, mode] of [['auto', 'auto'], ['pinned', { pin: '2026-07-28' }]] as const) {
  t.test(`a client of 2026-07-28 asks its user before anything is deleted (negotiation ${label})`, async (t) => {
    const id = await create(`Kept or not, ${label}`)
    const question = `Delete the opportunity "Kept or not, ${label}" of さくら物流 (id ${id})? This cannot be undone.`
    for (const action of ['decline', 'cancel'] as const) {
      const { client, questions } = await connectModern(t, mode, action)
      t.match(await client.callTool({ name, arguments: { opportunity_id: id } }), { structuredContent: { deleted: false } })
      t.strictSame(questions, [question])
      t.equal(await statusOf(id), 200, 'it is still there')
    }
    const { client, questions } = await connectModern(t, mode, 'accept')
    t.match(await client.callTool({ name, arguments: { opportunity_id: id } }), { structuredContent: { deleted: true } })
    t.strictSame(questions, [question])
    t.equal(await statusOf(id), 404, 'it is gone')
    t.match(await client.callTool({ name, arguments: { opportunity_id: id } }), { isError: true, content: [{ text: /No Opportunity matches/ }] })
    t.equal(questions.length, 1, 'nobody is asked about what is not there')
  })

  t.test(`what has contracts stays, and the client is told why (negotiation ${label})`, async (t) => {
    const { client } = await connectModern(t, mode, 'accept')
    const id = await withContracts()
    t.match(await client.callTool({ name, arguments: { opportunity_id: id } }), { isError: true, content: [{ text: /This opportunity still has 1 contract\.[\s\S]*Read the current state before trying again\./ }] })
    t.equal(await statusOf(id), 200)
  })
}

const texts = z.object({ isError: z.boolean().optional(), content: z.tuple([z.object({ text: z.string() })]), structuredContent: z.unknown().optional() })

/** Calls the tool and gives its result with the confirmation token in it, where there is one. */
async function callLegacy (client: Client | ModernClient, args: Record<string, unknown>) {
  const result = texts.parse(await client.callTool({ name, arguments: args }))
  const [{ text }] = result.content
  return { ...result, text, confirmation: /confirmation_token: "([^"]+)"/.exec(text)?.[1] }
}

for (const generation of ['first', 'second'] as const) {
  t.test(`a client that cannot be asked brings the user's answer back with a token (SDK of the ${generation} generation)`, async (t) => {
    const { url } = await listen(t, variables)
    const options = { requestInit: { headers: { Authorization: `Bearer ${writer}` } } }
    let client: Client | ModernClient
    if (generation === 'first') {
      client = new Client({ name: 'test', version: '1' })
      const transport: Transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), options)
      await client.connect(transport)
    } else {
      client = new ModernClient({ name: 'test', version: '1' })
      await client.connect(new ModernTransport(new URL(`${url}/mcp`), options))
    }
    t.teardown(() => client.close())
    const id = await create(`With a token, ${generation}`)

    const asked = await callLegacy(client, { opportunity_id: id })
    t.equal(asked.isError, true)
    t.match(asked.text, new RegExp(`Nothing has been done yet[\\s\\S]*Delete the opportunity "With a token, ${generation}" of さくら物流 \\(id ${id}\\)\\?`))
    t.equal(await statusOf(id), 200, 'it is still there')
    const other = await create(`Another, ${generation}`)
    t.match(await callLegacy(client, { opportunity_id: other, confirmation_token: asked.confirmation }), { isError: true }, 'a token is good for what the user was asked about')
    t.equal(await statusOf(other), 200)

    t.match(await callLegacy(client, { opportunity_id: id, confirmation_token: asked.confirmation }), { structuredContent: { deleted: true } })
    t.equal(await statusOf(id), 404, 'it is gone')

    const kept = await withContracts()
    const { confirmation } = await callLegacy(client, { opportunity_id: kept })
    t.match(await callLegacy(client, { opportunity_id: kept, confirmation_token: confirmation }), { isError: true, text: /This opportunity still has 1 contract\./ })
    t.equal(await statusOf(kept), 200)
  })
}

t.test('who may only read neither sees it nor may call it', async (t) => {
  const { app } = await listen(t, variables)
  t.notMatch((await rpc(app, 'tools/list')).body, name)
  t.match((await rpc(app, 'tools/list', {}, writer)).body, name)
  t.equal((await rpc(app, 'tools/call', { name, arguments: { opportunity_id: 1 } })).statusCode, 403)
})
