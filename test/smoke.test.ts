import t from 'tap'
import { buildApp, djangoStub, json, rpc } from './helper.ts'

t.test('a tool call reaches Django and comes back', async (t) => {
  const django = await djangoStub(t, (_request, response) => { json(response, 200, { count: 1, results: [{ id: 1, name: 'A', status: 'won', client: null, value: '3.10' }] }) })
  const app = await buildApp(t, { DJANGO_BASE_URL: django.url })
  const response = await rpc(app, 'tools/call', { name: 'get_opportunities', arguments: { limit: 1 } })
  t.equal(response.statusCode, 200)
  t.match(response.json(), { result: { structuredContent: { count: 1, opportunities: [{ id: 1, client: null, value: '3.10' }] } } })
})
