import t from 'tap'
import { shapeProblem } from '../../checks/json-shape.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const nestsDeeperThan = (text: Uint8Array, maxDepth: number): boolean => shapeProblem(text, { maxDepth }) !== undefined

t.test('levels are counted, of lists and objects alike, and not what texts hold', async (t) => {
  t.equal(nestsDeeperThan(bytes('[{"a":[]}]'), 3), false)
  t.equal(nestsDeeperThan(bytes('[{"a":[]}]'), 2), true)
  t.equal(nestsDeeperThan(bytes('[[],[],[[]]]'), 3), false, 'what is side by side does not add up')
  t.equal(nestsDeeperThan(bytes('["[[[[","\\"[[[[","\\\\",[]]'), 2), false)
  t.equal(nestsDeeperThan(bytes('["\\\\",[[]]]'), 2), true, 'a backslash that is escaped ends no text')
  t.equal(nestsDeeperThan(bytes('"[[['), 1), false, 'a text without its end')
  t.equal(nestsDeeperThan(bytes(''), 0), false)
})
