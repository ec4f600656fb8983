import t from 'tap'
import { Exchange } from '../../routes/mcp/exchange.ts'
import { djangoStub } from '../helper.ts'

t.test('a connection is kept after an answer, and not while the server is shutting down', async (t) => {
  let closing = false
  const { url } = await djangoStub(t, (_request, response) => {
    const exchange = new Exchange({ response, requestId: 1, correlationId: 'c', closing: () => closing, onError: () => 200, onUnforeseen: () => undefined })
    void exchange.start().then(() => exchange.send({ id: 1, result: {} }))
  })
  for (const [now, connection] of [[false, 'keep-alive'], [true, 'close']] as const) {
    closing = now
    const response = await fetch(url)
    t.equal(response.headers.get('connection'), connection)
    t.strictSame(await response.json(), { id: 1, result: {} })
  }
})
