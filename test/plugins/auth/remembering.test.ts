import t from 'tap'
import { anonymous, type Principal } from '../../../plugins/auth/principal.ts'
import { remembering } from '../../../plugins/auth/remembering.ts'

function counting (expiresIn = 60) {
  let verified = 0
  return {
    verified: () => verified,
    verify: async (token: string): Promise<Principal> => {
      verified += 1
      if (token.startsWith('bad')) throw new Error('refused')
      return { ...anonymous, subject: token, expiresAt: Date.now() / 1000 + expiresIn }
    }
  }
}

t.test('a good token is verified once, and is still its own', async (t) => {
  const inner = counting()
  const { verify } = remembering(inner)
  t.equal((await verify('a')).subject, 'a')
  t.equal((await verify('b')).subject, 'b')
  t.equal((await verify('a')).subject, 'a')
  t.equal(inner.verified(), 2)
})

t.test('a bad token is verified every time', async (t) => {
  const inner = counting()
  const { verify } = remembering(inner)
  for (let index = 0; index < 3; index += 1) await t.rejects(verify('bad'))
  t.equal(inner.verified(), 3)
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
