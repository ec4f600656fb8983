import t from 'tap'
import type { CallContext } from '../../plugins/catalog/definition.ts'
import { buildApp, djangoStub, json, modernRpc, rpc, token } from '../helper.ts'

let calls = 0

async function ask (_args: unknown, { django }: CallContext): Promise<string> {
  calls += 1
  await django.request('GET', '/asked/')
  return 'x'
}

function tool (name: string, scopes: readonly string[]) {
  return { name, description: 'd', scopes, annotations: { readOnlyHint: true }, input: { type: 'object' }, handler: ask }
}

const definitions = {
  tools: [tool('remove_client', ['write']), tool('wipe', ['write', 'admin'])],
  prompts: [{ name: 'secret', description: 'd', scopes: ['admin'], get: ask }],
  resources: [{ uri: 'vault://{id}', name: 'vault', description: 'd', scopes: ['admin'], read: ask }]
}

function completionOf (ref: Record<string, string>) {
  return { ref, argument: { name: 'id', value: '' } }
}

t.test('[attack 35] [requirement 5] what is not in the caller\'s list is refused before anything runs, and Django is not asked', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, {}) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url }, undefined, definitions)
  calls = 0
  for (const send of [rpc, modernRpc]) {
    for (const [method, params] of [['tools/call', { name: 'remove_client' }], ['tools/call', { name: 'wipe' }], ['prompts/get', { name: 'secret' }], ['resources/read', { uri: 'vault://1' }], ['completion/complete', completionOf({ type: 'ref/prompt', name: 'secret' })], ['completion/complete', completionOf({ type: 'ref/resource', uri: 'vault://{id}' })]] as const) {
      t.equal((await send(app, method, params)).statusCode, 403, `${method} ${JSON.stringify(params)}`)
    }
  }
  t.equal(calls, 0)
  const asked = (): number => django.requests.filter(({ url }) => url === '/asked/').length
  t.equal(asked(), 0)
  await rpc(app, 'tools/call', { name: 'wipe' }, token({ scope: 'write admin' }))
  t.equal(asked(), 1, 'who may is served')
})

t.test('[attack 91] [authorization 4] who may not use everything cannot tell what is hidden from what is not there', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1000 }, undefined, definitions)
  for (const send of [rpc, modernRpc]) {
    const answerTo = async (method: string, params: Record<string, unknown>) => {
      const { statusCode, headers, body } = await send(app, method, params)
      return { statusCode, challenge: String(headers['www-authenticate']), body: body.replaceAll(String(headers['x-correlation-id']), 'ID') }
    }
    for (const [method, hidden, unknown] of [
      ['tools/call', [{ name: 'remove_client' }, { name: 'wipe' }], ['remove_clients', 'x', 'drop_table', '', 'a'.repeat(1000)].map((name) => ({ name }))],
      ['prompts/get', [{ name: 'secret' }], [{ name: 'secrets' }, { name: '' }]],
      ['resources/read', [{ uri: 'vault://1' }], [{ uri: 'vaults://1' }, { uri: 'x' }]],
      ['completion/complete', [completionOf({ type: 'ref/prompt', name: 'secret' })], [completionOf({ type: 'ref/prompt', name: 'secrets' }), completionOf({ type: 'ref/prompt', name: '' })]],
      ['completion/complete', [completionOf({ type: 'ref/resource', uri: 'vault://{id}' })], [completionOf({ type: 'ref/resource', uri: 'vaults://{id}' }), completionOf({ type: 'ref/resource', uri: 'vault://{other}' })]]
    ] as const) {
      const known = await Promise.all(hidden.map((params) => answerTo(method, params)))
      for (const params of unknown) {
        const answer = await answerTo(method, params)
        t.ok(known.some((one) => JSON.stringify(one) === JSON.stringify(answer)), `${method} ${JSON.stringify(params).slice(0, 80)}`)
        t.strictSame(await answerTo(method, params), answer, 'the same each time')
      }
    }
  }
})

t.test('who may use everything is told what is not there', async (t) => {
  const app = await buildApp(t, {}, undefined, definitions)
  const bearer = token({ scope: 'write admin' })
  t.match((await rpc(app, 'tools/call', { name: 'nothing' }, bearer)).json(), { error: { code: -32602, message: 'Unknown tool: nothing' } })
  t.match((await rpc(app, 'resources/read', { uri: 'nothing://1' }, bearer)).json(), { error: { code: -32002 } })
  const plain = await buildApp(t)
  t.match((await rpc(plain, 'tools/call', { name: 'nothing' })).json(), { error: { code: -32602 } }, 'also where nothing is hidden')
})
