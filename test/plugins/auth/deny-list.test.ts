import t, { type Test } from 'tap'
import { createMemoryDenyList } from '../../../plugins/auth/deny-list.ts'
import { anonymous, type Principal } from '../../../plugins/auth/principal.ts'

function holder (tokenId?: string): Principal {
  return { ...anonymous, tokenId }
}

/** Makes the clock stand still until it is moved; gives the time in seconds and what moves it. */
function stopClock (t: Test): { now: number, move: (seconds: number) => void } {
  const begin = 2_000_000_000
  let now = begin
  t.intercept(Date, 'now', { value: () => now * 1000 })
  return { now: begin, move: (seconds) => { now += seconds } }
}

t.test('an empty list refuses nothing', (t) => {
  const list = createMemoryDenyList()
  t.equal(list.isRevoked('token', holder('id')), false)
  t.equal(list.isRevoked('token', holder()), false)
  t.end()
})

t.test('tokens are refused by id from the start', (t) => {
  const list = createMemoryDenyList(['a', 'b'])
  t.equal(list.isRevoked('token', holder('a')), true)
  t.equal(list.isRevoked('token', holder('b')), true)
  t.equal(list.isRevoked('token', holder('A')), false)
  t.equal(list.isRevoked('token', holder('c')), false)
  t.equal(list.isRevoked('a', holder()), false, 'a token that is the text of an id')
  t.end()
})

t.test('an id and a token of the same text are two entries', (t) => {
  const list = createMemoryDenyList()
  list.revokeToken('x')
  t.equal(list.isRevoked('x', holder()), true)
  t.equal(list.isRevoked('y', holder('x')), false)
  list.revokeId('y')
  t.equal(list.isRevoked('y', holder()), false)
  t.equal(list.isRevoked('z', holder('y')), true)
  t.equal(list.isRevoked('z', holder('undefined')), false)
  t.end()
})

t.test('an entry may end when its token does, and lasts for ever otherwise', (t) => {
  const { now, move } = stopClock(t)
  const list = createMemoryDenyList(['start'])
  list.revokeId('short', now + 30)
  list.revokeToken('token', now + 30)
  list.revokeId('long', now + 300)
  list.revokeId('ever')
  move(100)
  list.revokeId('makes room')
  t.equal(list.isRevoked('token', holder('short')), false)
  t.equal(list.isRevoked('x', holder('long')), true)
  t.equal(list.isRevoked('x', holder('ever')), true)
  t.equal(list.isRevoked('x', holder('start')), true)
  t.equal(list.isRevoked('x', holder('makes room')), true)
  t.end()
})

t.test('an entry holds until it is forgotten', (t) => {
  const { now, move } = stopClock(t)
  const list = createMemoryDenyList()
  list.revokeId('id', now + 300)
  for (const seconds of [0, 100, 199]) {
    move(seconds)
    list.revokeId(`other-${seconds}`, now + 10_000)
    t.equal(list.isRevoked('x', holder('id')), true)
  }
  t.end()
})
