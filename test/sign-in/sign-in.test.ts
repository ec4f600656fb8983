import { UnauthorizedError } from '@modelcontextprotocol/client'
import t from 'tap'
import { SignedInClient, type Introduction } from './client.ts'
import { signInScenario, statusWith, textsOf } from './scenario.ts'
import { startSignIn } from './server.ts'
import { plainUserAgent } from './user-agent.ts'

t.setTimeout(300_000)

const server = await startSignIn(t.testdir())
t.teardown(() => server.stop())

for (const introduction of ['registration', 'document'] satisfies Introduction[]) {
  t.test(`[requirement 5] [requirement 17] [authorization 1] [authorization 35] [authorization 36] a user signs in with Django from nothing but our URL, is asked for more where more is needed, and is out after revocation (${introduction})`, async (t) => {
    await signInScenario(server, plainUserAgent(), introduction, (line) => { t.pass(line) })
  })
}

for (const [what, resource] of [['another service', new URL('https://other.example.com/mcp')], ['no service in particular', undefined]] as const) {
  t.test(`[attack 21] [requirement 12] [authorization 31] a token that Django issued for ${what} is refused here`, async (t) => {
    const client = new SignedInClient(server, plainUserAgent(), 'ada', 'registration', { validateResourceURL: async () => resource })
    await t.rejects(client.connect(), UnauthorizedError)
    const sentTo = await client.signIn()
    t.equal(sentTo.searchParams.get('resource'), resource?.href ?? null)
    t.equal(await statusWith(server, client.provider.kept.tokens?.access_token ?? ''), 401)
  })
}

t.test('[attack 36] [requirement 22] each user who has signed in sees their own rows', async (t) => {
  const seen = await Promise.all(['ada', 'grace'].map(async (user) => {
    const signedIn = new SignedInClient(server, plainUserAgent(), user, 'registration')
    await t.rejects(signedIn.connect(), UnauthorizedError)
    await signedIn.signIn()
    return await textsOf(await signedIn.connect())
  }))
  t.ok(seen.every((texts) => texts.length > 0))
  t.notSame(seen[0], seen[1])
})
