import t, { type Test } from 'tap'
import { digestOf, MemoryDenyList, revocationSchema } from '../../../plugins/auth/deny-list.ts'
import { anonymous, type Principal } from '../../../plugins/auth/principal.ts'

function holder (tokenId?: string, rest: Partial<Principal> = {}): Principal {
  return { ...anonymous, tokenId, ...rest }
}

/** Makes the clock stand still until it is moved; gives the time in seconds and what moves it. */
function stopClock (t: Test): { now: number, move: (seconds: number) => void } {
  const begin = 2_000_000_000
  let now = begin
  t.intercept(Date, 'now', { value: () => now * 1000 })
  return { now: begin, move: (seconds) => { now += seconds } }
}

t.test('an empty list refuses nothing', async (t) => {
  const list = new MemoryDenyList()
  t.equal(list.isRevoked('token', holder('id')), false)
  t.equal(list.isRevoked('token', holder()), false)
})

t.test('tokens are refused by id from the start', async (t) => {
  const list = new MemoryDenyList(['a', 'b'])
  t.equal(list.isRevoked('token', holder('a')), true)
  t.equal(list.isRevoked('token', holder('b')), true)
  t.equal(list.isRevoked('token', holder('A')), false)
  t.equal(list.isRevoked('token', holder('c')), false)
  t.equal(list.isRevoked('a', holder()), false, 'a token that is the text of an id')
})

t.test('an id and a token of the same text are two entries', async (t) => {
  const list = new MemoryDenyList()
  await list.revoke({ tokenDigest: digestOf('x') })
  t.equal(list.isRevoked('x', holder()), true)
  t.equal(list.isRevoked('y', holder('x')), false)
  await list.revoke({ tokenId: 'y' })
  t.equal(list.isRevoked('y', holder()), false)
  t.equal(list.isRevoked('z', holder('y')), true)
  t.equal(list.isRevoked('z', holder('undefined')), false)
})

t.test('[requirement 15] a subject is refused with what was issued up to a time, and only that of its issuer where one is named', async (t) => {
  const list = new MemoryDenyList()
  await list.revoke({ subject: 'alice', issuer: 'https://a.example', issuedBefore: 1000 })
  const alice = { subject: 'alice', issuer: 'https://a.example' }
  t.equal(list.isRevoked('x', holder('i', { ...alice, issuedAt: 999 })), true)
  t.equal(list.isRevoked('x', holder('i', { ...alice, issuedAt: 1000 })), true, 'the same second')
  t.equal(list.isRevoked('x', holder('i', { ...alice, issuedAt: undefined })), true, 'it does not say when')
  t.equal(list.isRevoked('x', holder('i', { ...alice, issuedAt: 1001 })), false)
  t.equal(list.isRevoked('x', holder('i', { subject: 'bob', issuer: alice.issuer, issuedAt: 1 })), false)
  t.equal(list.isRevoked('x', holder('i', { subject: 'alice', issuer: 'https://b.example', issuedAt: 1 })), false)
  t.equal(list.isRevoked('x', holder('i', { subject: 'alice', issuer: undefined, issuedAt: 1 })), false)
  await list.revoke({ subject: 'alice', issuer: 'https://a.example', issuedBefore: 500 })
  t.equal(list.isRevoked('x', holder('i', { ...alice, issuedAt: 999 })), true, 'an earlier time takes nothing back')
  await list.revoke({ subject: 'carol', issuedBefore: 1000 })
  for (const issuer of [undefined, 'https://a.example', 'https://b.example']) {
    t.equal(list.isRevoked('x', holder('i', { subject: 'carol', issuer, issuedAt: 1 })), true, String(issuer))
    t.equal(list.isRevoked('x', holder('i', { subject: 'carol', issuer, issuedAt: 1001 })), false, String(issuer))
  }
})

t.test('an entry can be taken back', async (t) => {
  const list = new MemoryDenyList(['a'])
  t.equal(await list.restore({ tokenId: 'a' }), true)
  t.equal(list.isRevoked('x', holder('a')), false)
  t.equal(await list.restore({ tokenId: 'a' }), false, 'there is none')
  await list.revoke({ subject: 'alice', issuedBefore: 1000 })
  t.equal(await list.restore({ subject: 'alice', issuedBefore: 1 }), true)
  t.equal(list.isRevoked('x', holder(undefined, { subject: 'alice' })), false)
})

t.test('an entry may end when its token does, and lasts for ever otherwise', async (t) => {
  const { now, move } = stopClock(t)
  const list = new MemoryDenyList(['start'])
  await list.revoke({ tokenId: 'short', until: now + 30 })
  await list.revoke({ tokenDigest: digestOf('token'), until: now + 30 })
  await list.revoke({ tokenId: 'long', until: now + 300 })
  await list.revoke({ tokenId: 'ever' })
  t.equal(list.isRevoked('token', holder('short')), true)
  move(100)
  t.equal(list.isRevoked('token', holder('short')), false)
  await list.revoke({ tokenId: 'makes room' })
  t.equal(list.isRevoked('x', holder('long')), true)
  t.equal(list.isRevoked('x', holder('ever')), true)
  t.equal(list.isRevoked('x', holder('start')), true)
  t.equal(list.isRevoked('x', holder('makes room')), true)
  await list.revoke({ tokenId: 'ever', until: now + 200 })
  await list.revoke({ tokenId: 'long', until: now + 150 })
  move(110)
  t.equal(list.isRevoked('x', holder('ever')), true, 'an entry does not end sooner by a second one')
  t.equal(list.isRevoked('x', holder('long')), true)
})

t.test('what is no entry is named', async (t) => {
  const digest = digestOf('x')
  for (const entry of [{ tokenId: 'a' }, { tokenDigest: digest, until: 1 }, { subject: 'a', issuedBefore: 1 }, { subject: 'a', issuer: 'b', issuedBefore: 1, until: 2 }]) {
    t.equal(revocationSchema.safeParse(entry).success, true, JSON.stringify(entry))
  }
  for (const entry of [{}, null, 'a', { tokenId: '' }, { tokenId: 'a'.repeat(256) }, { tokenDigest: 'a' }, { tokenDigest: `${digest}=` }, { subject: 'a' }, { subject: '', issuedBefore: 1 }, { tokenId: 'a', tokenDigest: digest }, { tokenId: 'a', until: 0 }, { tokenId: 'a', until: 1.5 }, { tokenId: 'a', scope: 'x' }]) {
    t.equal(revocationSchema.safeParse(entry).success, false, JSON.stringify(entry))
  }
})
