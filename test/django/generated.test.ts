import Fastify from 'fastify'
import got from 'got'
import t, { type Test } from 'tap'
import { startDjango } from '../../demo/django.ts'
import { CallError } from '../../errors.ts'
import { compileTool, errorText } from '../../plugins/catalog/index.ts'
import type { CallContext, Question } from '../../plugins/catalog/definition.ts'
import django, { DjangoClient } from '../../plugins/django/index.ts'
import { toolDefinition } from '../../plugins/openapi/call/definition.ts'
import { locator } from '../../plugins/openapi/call/locate.ts'
import { parseDocument } from '../../plugins/openapi/document.ts'
import { generate } from '../../plugins/openapi/generate.ts'
import { context } from '../plugins/openapi/helper.ts'

/*
 * The tools that are made from the demo project's own schema, against the demo project.
 */

t.setTimeout(300_000)

const password = 'a-password-of-the-demo'
const demo = await startDjango({ database: 'temporary', environment: { DEMO_USER_PASSWORD: password } })
t.teardown(() => demo.stop())

const app = Fastify()
t.teardown(() => app.close())
await app.register(django, { baseUrl: demo.url, apiKey: demo.apiKey, userAgent: 'test/1', maxRetries: 0 })

/** A client that Django takes for a user, as it will once calls carry one. */
function clientOf (user: string): DjangoClient {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return new DjangoClient({ http: got.extend({ retry: { limit: 0 }, followRedirect: false, throwHttpErrors: false, decompress: false }), log: app.log, baseUrl: demo.url, headers: { authorization, 'accept-encoding': 'identity' }, deadline: 30_000, maxRetries: 0, maxBytes: 1_000_000 })
}

const document = await app.django.send({ method: 'GET', route: '/api/schema/', target: '/api/schema/', headers: { accept: 'application/vnd.oai.openapi+json' }, body: undefined })
const generated = generate(parseDocument(document.body.toString()), { methods: ['all'] })
const locate = locator(generated.tools)
const tools = new Map(generated.tools.map((tool) => [tool.name, compileTool(toolDefinition(tool, { locate }))]))

interface Told { json: Record<string, unknown>, text: string, notes: string }

/** Calls a tool and gives its JSON and the sentences beside it. */
async function call (name: string, args: Record<string, unknown> = {}, changes: Partial<CallContext> = {}): Promise<Told> {
  const tool = tools.get(name)
  if (tool === undefined) throw new Error(`there is no tool ${name}`)
  const result = await tool.call(args, context(app.log, { django: app.django.bind({ correlationId: 'c-1' }), ...changes }))
  const [text = '', notes = ''] = 'content' in result ? result.content.map((block) => block.type === 'text' ? block.text : '') : []
  return { text, notes, json: text.startsWith('{') ? { ...JSON.parse(text) } : {} }
}

/** What a model is told where a call fails. */
async function failure (name: string, args: Record<string, unknown>, changes: Partial<CallContext> = {}): Promise<string> {
  try {
    await call(name, args, changes)
  } catch (error) {
    if (error instanceof CallError) return errorText(error, 'c-1')
    throw error
  }
  throw new Error(`${name} did not fail`)
}

/** Follows `next_args` until there are none; gives the entries of all pages, and how many pages there were. */
async function wholeList (t: Test, name: string, args: Record<string, unknown>): Promise<{ ids: unknown[], pages: number }> {
  const ids: unknown[] = []
  let next: unknown = args
  for (let pages = 0; pages < 200; pages += 1) {
    if (typeof next !== 'object' || next === null) return { ids, pages }
    const { json, text, notes }: Told = await call(name, { ...next })
    t.notMatch(text + notes, /127\.0\.0\.1|localhost|http:/, 'no address is shown')
    const { results }: { results: Array<{ id: unknown }> } = Object.assign({ results: [] }, json)
    ids.push(...results.map(({ id }) => id))
    next = json.next_args
  }
  throw new Error(`${name} has no end`)
}

t.test('every operation of the schema is a tool', async (t) => {
  t.strictSame(generated.skipped, [])
  t.equal(tools.size, document.body.toString().match(/"operationId":/g)?.length)
})

t.test('lists are followed to their end, each kind of pagination in its own arguments', async (t) => {
  for (const [name, args, least] of [['opportunities_list', { limit: 100 }, 432], ['clients_list', { page_size: 50 }, 60], ['activities_list', { page_size: 100 }, 400]] as const) {
    const { ids, pages } = await wholeList(t, name, { ...args, fields: ['id'] })
    t.ok(ids.length >= least, `${name}: ${ids.length} entries`)
    t.equal(new Set(ids).size, ids.length, 'none comes twice')
    t.ok(pages > 1)
  }
  const { json, notes } = await call('opportunities_list', { status: 'won', fields: ['name', 'client.name'] })
  t.match(json, { count: 81, next_args: { status: 'won', fields: ['name', 'client.name'], limit: 10, offset: 10 }, previous_args: null })
  t.equal(notes, '10 of 81 are shown. For more, call again with next_args as the arguments.')
  t.strictSame(Object.keys(Object.assign({ results: [{}] }, json).results[0] ?? {}), ['name', 'client'])
  t.match((await call('clients_list', { page_size: 1000 })).notes, /The API gives at most 50 at a time/)
})

t.test('pages, filters and choices that there are not', async (t) => {
  t.match(await failure('clients_list', { page: 9999 }), /^There is no such page\.\n- page: /)
  t.match(await failure('activities_list', { cursor: 'nonsense' }), /^There is no such page\.\n- cursor: /)
  t.match(await failure('clients_contacts_list', { client_id: 1, page: 9999 }), /^There is no such page\.\n- page: /)
  t.match(await failure('clients_contacts_list', { client_id: 999_999, page: 2 }), /^No Client matches the given query\./)
  t.match(await failure('opportunities_list', { statsu: 'won' }), /statsu: is not an argument of this tool; did you mean status\?/)
  t.match(await failure('opportunities_list', { status: 'wonn' }), /status: must be one of .*; did you mean "won"\?/)
  t.match(await failure('opportunities_list', { client: 999_999 }), /- client: Select a valid choice/)
  t.match((await call('clients_list', { fields: ['nmae'] })).notes, /Nothing has the field nmae\. .*name/)
})

t.test('an opportunity is created, found wrong, changed, closed, and not closed twice', async (t) => {
  t.match(await failure('opportunities_create', { name: '', value: '1.00' }), /- name: This field may not be blank\./)
  t.match(await failure('opportunities_create', { name: 'Without a value', stage: 'proposal' }), /- An opportunity in stage proposal needs a value\./)
  t.match(await failure('opportunities_create', { name: 'x', client_id: 999_999 }), /- client_id: Invalid pk/)
  const { json: made } = await call('opportunities_create', { name: 'Made by a tool', client_id: 2, value: '3.10', stage: 'proposal' })
  t.match(made, { id: Number, name: 'Made by a tool', status: 'active', value: '3.10', client: { id: 2 } })
  t.match(await failure('opportunities_create', { name: 'Made by a tool', client_id: 2, value: '1.00' }), /Status of the API's answer: 400/)
  const { id } = made
  t.match((await call('opportunities_partial_update', { id, overview: 'Changed.' })).json, { id, overview: 'Changed.', name: 'Made by a tool', value: '3.10', stage: 'proposal' })
  t.match((await call('opportunities_partial_update', { id, client_id: null })).json, { client: null }, 'null clears')
  t.match((await call('opportunities_partial_update', { id })).json, { id, client: null }, 'nothing changes nothing')
  t.match((await call('opportunities_update', { id, name: 'Replaced', value: '5.00' })).json, { name: 'Replaced', value: '5.00' })
  t.match((await call('opportunities_close', { id, outcome: 'won', reason: 'Price.' })).json, { status: 'won', close_reason: 'Price.' })
  t.match(await failure('opportunities_close', { id, outcome: 'lost' }), /closed[\s\S]*Read the current state[\s\S]*answer: 409/)
  t.match(await failure('opportunities_retrieve', { id: 999_999 }), /^No Opportunity matches the given query\.\nCheck the identifier[\s\S]*answer: 404/)
  t.strictSame((await call('opportunities_retrieve', { id, fields: ['name'] })).json, { name: 'Replaced' })
})

t.test('what belongs to a client is reached through it', async (t) => {
  const { json } = await call('clients_contacts_create', { client_id: 1, name: 'Zoë', email: 'zoe@example.com' })
  t.match(json, { name: 'Zoë' })
  t.match((await call('clients_contacts_retrieve', { client_id: 1, id: json.id })).json, { name: 'Zoë' })
  t.match(await failure('clients_contacts_retrieve', { client_id: 2, id: json.id }), /answer: 404/)
  t.match((await call('clients_contacts_list', { client_id: 1, search: 'Zoë' })).json, { count: 1, results: [{ name: 'Zoë' }] })
})

t.test('a document is uploaded, replaced and downloaded, and what is none is refused', async (t) => {
  const file = { filename: '../offer ü.txt', mime_type: 'text/plain', base64: Buffer.from('first').toString('base64') }
  const { json, text } = await call('contracts_create', { opportunity: 1, title: 'Offer', document: file, signed: true })
  t.match(json, { id: Number, title: 'Offer', signed: true, document: /^\/api\/v1\/orbit\/contracts\/\d+\/download\/$/ })
  t.notMatch(text, /http/)
  const { id } = json
  t.equal((await call('contracts_download', { id })).text, 'first')
  t.match((await call('contracts_partial_update', { id, title: 'Better offer' })).json, { title: 'Better offer', signed: true }, 'without a file it is JSON')
  t.match((await call('contracts_partial_update', { id, document: { ...file, base64: Buffer.from('second').toString('base64') } })).json, { title: 'Better offer', signed: true }, 'a form leaves alone what it does not name')
  t.equal((await call('contracts_download', { id })).text, 'second')
  t.match((await call('contracts_create', { opportunity: 1, title: 'Not signed', document: file })).json, { signed: false })
  t.match(await failure('contracts_create', { opportunity: 1, title: 'x', document: { ...file, filename: 'x.exe' } }), /- document: File extension/)
  t.match(await failure('contracts_create', { opportunity: 1, title: 'x', document: { ...file, base64: '' } }), /- document: The submitted file is empty/)
  const pdf = await call('contracts_create', { opportunity: 1, title: 'PDF', document: { filename: 'c.pdf', mime_type: 'application/pdf', base64: Buffer.from('%PDF-1.4').toString('base64') } })
  const download = await call('contracts_download', { id: pdf.json.id })
  t.match(download.json, { content_type: 'application/pdf', bytes: 8, filename: /^c.*\.pdf$/ })
  t.match(download.notes, 'The answer is a file')
})

t.test('what belongs to a user is there for that user only', async (t) => {
  t.match(await failure('reminders_create', { text: 'x', due_at: '2030-01-01T00:00:00Z' }), /^Reminders belong to a user[\s\S]*answer: 403/)
  const ada = { django: clientOf('ada') }
  const { json: { id } } = await call('reminders_create', { text: 'Mine', due_at: '2030-01-01T00:00:00Z' }, ada)
  t.match((await call('reminders_retrieve', { id }, ada)).json, { text: 'Mine' })
  t.match(await failure('reminders_retrieve', { id }, { django: clientOf('grace') }), /answer: 404/)
  t.match(await failure('reminders_retrieve', { id }), /answer: 404/)
  t.match(await failure('clients_list', {}, { django: clientOf('nobody') }), /credentials of this server[\s\S]*answer: 40[13]/)
})

t.test('a limit of Django\'s is told with how long to wait', async (t) => {
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => call('exports_create', { resource: 'clients' })))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
  t.match(await failure('exports_create', { resource: 'clients' }), /limits how often[\s\S]*Wait \d+ seconds? before[\s\S]*answer: 429/)
})

t.test('what is deleted is deleted after the user has agreed, and not if it is needed', async (t) => {
  const asked: Question[] = []
  const saying = (action: 'accept' | 'decline'): Partial<CallContext> => ({ async ask (question) { asked.push(question); return { action, content: {} } } })
  const { json: { id } } = await call('clients_create', { name: 'To be deleted' })
  t.equal((await call('clients_destroy', { id }, saying('decline'))).text, 'Nothing was done: the user did not agree.')
  t.match((await call('clients_retrieve', { id })).json, { name: 'To be deleted' })
  t.equal((await call('clients_destroy', { id }, saying('accept'))).text, '{"status":204,"ok":true}')
  t.strictSame(asked[0], { message: `Delete a client. Go ahead?\nid: ${String(id)}` })
  t.match(await failure('clients_retrieve', { id }), /answer: 404/)
  t.match(await failure('clients_destroy', { id: 2 }, saying('accept')), /answer: 409/)
})
