import t from 'tap'
import { isListed } from '../../../plugins/openapi/budget.ts'
import { generatedTool } from './helper.ts'

const small = (count: number) => Array.from({ length: count }, (_, index) => generatedTool(`GET /things/${index}/`))
const large = generatedTool('GET /large/', { inputSchema: { type: 'object', properties: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`filter_${index}`, { type: 'string' }])) } })

t.test('tools are listed while they are few, small and cheap', async (t) => {
  t.ok(isListed([]))
  t.ok(isListed(small(40)))
  t.notOk(isListed(small(41)), 'too many')
  t.notOk(isListed([large]), 'more than 8 KB')
  t.notOk(isListed(Array.from({ length: 30 }, () => generatedTool('GET /a/', { description: 'word '.repeat(500) }))), 'more than 10,000 tokens')
})

t.test('with a budget, only tokens count', async (t) => {
  t.ok(isListed(small(200), 10_000))
  t.ok(isListed([large], 10_000))
  t.notOk(isListed(small(2), 10))
  t.notOk(isListed(small(1), 0))
})
