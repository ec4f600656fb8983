import t from 'tap'
import { anonymous, withIncluded } from '../../../plugins/auth/principal.ts'
import { PermittedList } from '../../../plugins/catalog/permitted-list.ts'

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

t.test('a great many combinations of scopes are still told apart', (t) => {
  const names = Array.from({ length: 8 }, (_, index) => `scope-${index}`)
  const many = new PermittedList(names.map((name) => ({ scopes: [name], entry: name })))
  for (let bits = 0; bits < 256; bits += 1) {
    const granted = names.filter((_, index) => (bits & 2 ** index) !== 0)
    t.strictSame(many.of(caller(...granted)), granted)
  }
  t.end()
})
