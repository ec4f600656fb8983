import t from 'tap'
import { KnownEnvelopes } from '../../routes/mcp/known-envelopes.ts'
import { buildApp, modernRequest } from '../helper.ts'

const meta = (fields: object = {}) => ({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  ...fields
})
const body = (fields: object = {}, envelope: object = meta()) => ({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: envelope }, ...fields })

t.test('a request is plain when its envelope was found valid before, and only then', (t) => {
  const envelopes = new KnownEnvelopes()
  t.equal(envelopes.plainRequest(body(), '2026-07-28', 'tools/list'), undefined, 'nothing is known yet')
  envelopes.add(body({ id: 'first' }, meta({ progressToken: 'a' })))
  const same = body({}, meta({ progressToken: 2 }))
  t.equal(envelopes.plainRequest(same, '2026-07-28', 'tools/list'), same, 'ids and progress tokens differ from call to call')
  const cases: Array<[string, Record<string, unknown>, string?, string?]> = [
    ['another envelope', body({}, meta({ 'io.modelcontextprotocol/clientInfo': { name: 'test' } }))],
    ['a progress token that is none', body({}, meta({ progressToken: {} }))],
    ['an id that is none', body({ id: 1.5 })],
    ['null as id', body({ id: null })],
    ['another version of JSON-RPC', body({ jsonrpc: '1.0' })],
    ['a field more', body({ extra: 1 })],
    ['no parameters', { jsonrpc: '2.0', id: 1, method: 'tools/list' }],
    ['another revision in the header', body(), '2025-11-25'],
    ['no revision in the header', body()],
    ['another method in the header', body(), '2026-07-28', 'tools/call'],
    ['initialize', body({ method: 'initialize' }), '2026-07-28', 'initialize']
  ]
  for (const [title, message, version, method = 'tools/list'] of cases) {
    t.equal(envelopes.plainRequest(message, title.startsWith('no revision') ? undefined : version ?? '2026-07-28', method), undefined, title)
  }
  t.end()
})

t.test('what is remembered is bounded', (t) => {
  const envelopes = new KnownEnvelopes()
  const long = body({}, meta({ long: 'x'.repeat(5000) }))
  envelopes.add(body())
  envelopes.add(long)
  t.equal(envelopes.plainRequest(long, '2026-07-28', 'tools/list'), undefined, 'a long envelope is not kept')
  for (let index = 0; index < 1000; index += 1) envelopes.add(body({}, meta({ index })))
  t.equal(envelopes.plainRequest(body(), '2026-07-28', 'tools/list'), undefined, 'the first one is forgotten')
  t.end()
})

t.test('a known envelope opens nothing: every other check is made as before', async (t) => {
  const app = await buildApp(t)
  const call = modernRequest('tools/call', { name: 'get_opportunities', arguments: { limit: 0 } })
  const answers = async () => [
    await app.inject(call),
    await app.inject({ ...call, headers: { ...call.headers, 'mcp-name': 'safe' } }),
    await app.inject({ ...call, headers: { ...call.headers, 'mcp-method': 'tools/list' } }),
    await app.inject({ ...call, headers: { ...call.headers, authorization: 'Bearer none' } }),
    await app.inject(modernRequest('tools/call', { name: 7 })),
    await app.inject(modernRequest('tools/unknown', {}))
  ].map((response) => [response.statusCode, JSON.parse(response.body.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'))])
  const first = await answers()
  t.strictSame(await answers(), first)
  t.strictSame(first.map(([status]) => status), [200, 400, 400, 401, 200, 404])
})
