import t from 'tap'
import { anonymous } from '../../../plugins/auth/principal.ts'
import { remembering } from '../../../plugins/auth/remembering.ts'
import type { Verified } from '../../../plugins/auth/verifier.ts'

function counting (expiresIn = 60) {
  let verified = 0
  return {
    verified: () => verified,
    verify: async (token: string): Promise<Verified> => {
      verified += 1
      if (token.startsWith('bad')) throw new Error('refused')
      return { principal: { ...anonymous, subject: token }, until: Date.now() / 1000 + expiresIn }
    }
  }
}

t.test('a good token is verified once, and is still its own', async (t) => {
  const inner = counting()
  const { verify } = remembering(inner)
  t.equal((await verify('a')).principal.subject, 'a')
  t.equal((await verify('b')).principal.subject, 'b')
  t.equal((await verify('a')).principal.subject, 'a')
  t.equal(inner.verified(), 2)
})

t.test('a bad token is verified every time', async (t) => {
  const inner = counting()
  const { verify } = remembering(inner)
  for (let index = 0; index < 3; index += 1) await t.rejects(verify('bad'))
  t.equal(inner.verified(), 3)
})

t.test('a token that is being verified is waited for, and a failure is everybody\'s', async (t) => {
  const inner = counting()
  const { verify } = remembering(inner)
  const results = await Promise.all(Array.from({ length: 10 }, () => verify('a')))
  t.ok(results.every(({ principal }) => principal.subject === 'a'))
  t.equal(inner.verified(), 1)
  const failures = await Promise.allSettled(Array.from({ length: 10 }, () => verify('bad')))
  t.ok(failures.every(({ status }) => status === 'rejected'))
  t.equal(inner.verified(), 2)
})

t.test('[authorization 13] a token that has expired is verified again', async (t) => {
  const inner = counting(-1)
  const { verify } = remembering(inner)
  await verify('a')
  await verify('a')
  t.equal(inner.verified(), 2)
})

t.test('no more tokens are kept than there is room for, the oldest goes first', async (t) => {
  const inner = counting()
  const { verify } = remembering(inner, 2)
  for (const token of ['a', 'b', 'c']) await verify(token)
  await verify('c')
  t.equal(inner.verified(), 3)
  await verify('a')
  t.equal(inner.verified(), 4)
})
