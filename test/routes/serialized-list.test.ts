import t from 'tap'
import { jsonParts, serializedOnce } from '../../routes/mcp/serialized-list.ts'

const list = [{ name: 'größe', description: 'a "quoted" text' }, { name: 'b' }]

function text (message: { result?: object }): string {
  return Buffer.concat(jsonParts(message).map((part) => Buffer.from(part))).toString('utf8')
}

t.test('a list stands where its stand-in was, whatever the id looks like', (t) => {
  const id = '"tools":[] {"tools":[]}'
  const result = { tools: serializedOnce(list), nextCursor: '"tools":[]', ttlMs: 0 }
  const message = { jsonrpc: '2.0', id, result }
  t.strictSame(JSON.parse(text(message)), { ...message, result: { ...result, tools: list } })
  t.equal(text({ result: { ...result, tools: list } }), text({ result }))
  t.end()
})

t.test('a list is written once, and each by itself', (t) => {
  t.equal(serializedOnce(list), serializedOnce(list))
  t.equal(text({ result: { tools: serializedOnce([{ name: 'other' }]) } }), '{"result":{"tools":[{"name":"other"}]}}')
  t.equal(text({ result: { tools: serializedOnce(list) } }), JSON.stringify({ result: { tools: list } }))
  t.equal(text({ result: { tools: serializedOnce([]) } }), '{"result":{"tools":[]}}')
  t.end()
})

t.test('other messages are written as they are', (t) => {
  t.equal(text({ result: { tools: [], isError: true } }), '{"result":{"tools":[],"isError":true}}')
  t.equal(text({}), '{}')
  t.end()
})
