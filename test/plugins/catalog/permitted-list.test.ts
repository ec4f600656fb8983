import t from 'tap'
import { anonymous, withIncluded } from '../../../plugins/auth/principal.ts'
import { PermittedList, rankedBy } from '../../../plugins/catalog/permitted-list.ts'

const list = new PermittedList([
  { scopes: ['read'], entry: 'a' },
  { scopes: ['write'], entry: 'b' },
  { scopes: ['read'], entry: 'c' },
  { scopes: ['read', 'admin'], entry: 'd' }
])

function caller (...scopes: string[]) {
  return { ...anonymous, scopes: withIncluded(scopes) }
}

t.test('callers see what their scopes permit, in order', (t) => {
  t.strictSame(list.of(caller('read')), ['a', 'c'])
  t.strictSame(list.of(caller('write')), ['a', 'b', 'c'])
  t.strictSame(list.of(caller('admin')), [])
  t.strictSame(list.of(caller('admin', 'read')), ['a', 'c', 'd'])
  t.strictSame(list.of(anonymous), ['a', 'b', 'c', 'd'])
  t.strictSame(list.of(caller('read')), ['a', 'c'])
  t.end()
})

t.test('callers that may see the same get the same array', (t) => {
  t.equal(list.of(caller('read')), list.of(caller('read', 'something-else')))
  t.not(list.of(caller('read')), list.of(caller('write')))
  t.end()
})

t.test('[attack 91] which scopes a name needs that is none follows from a secret, and stays so while they are lacking', (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `name-${index}`)
  const hidden = ['a', 'b', 'c', 'd']
  const several = new PermittedList(hidden.map((scope) => ({ scopes: [scope], entry: scope })))
  const rank = rankedBy('one secret')
  const told = (name: string, by = rank, ...granted: string[]): string => several.scopesOfUnknown(caller(...granted), name, by).join()
  t.strictSame(new Set(names.map((name) => told(name))), new Set(hidden), 'each of them is told for some name')
  t.ok(names.some((name) => told(name) !== told(name, rankedBy('another secret'))), 'who does not know the secret cannot work them out')
  for (const name of names) {
    t.equal(told(name), told(name, rankedBy('one secret')), 'the same in every replica')
    for (const scope of hidden) t.equal(told(name, rank, scope), told(name) === scope ? told(name, rank, scope) : told(name), 'as for something that is there, whatever else is granted')
  }
  t.strictSame(several.scopesOfUnknown(caller(...hidden), 'name', rank), [], 'nothing is hidden')
  t.end()
})

t.test('a great many combinations of scopes are still told apart', (t) => {
  const names = Array.from({ length: 8 }, (_, index) => `scope-${index}`)
  const many = new PermittedList(names.map((name) => ({ scopes: [name], entry: name })))
  for (let bits = 0; bits < 256; bits += 1) {
    const granted = names.filter((_, index) => (bits & 2 ** index) !== 0)
    t.strictSame(many.of(caller(...granted)), granted)
  }
  t.end()
})
