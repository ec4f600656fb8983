import { createHmac, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto'
import { SignJWT, type JWTPayload } from 'jose'
import t from 'tap'
import { z } from 'zod'
import { generatedKey } from '../../checks/keys.ts'
import { fromNow } from '../helper.ts'
import { audience, connect, remindersOf, startProject, startServer, type Project } from './signed-in.ts'

t.setTimeout(300_000)

const key = generatedKey()
const ways: readonly Project[] = ['settings', 'class']

for (const way of ways) {
  t.test(`Django takes assertions as docs/identity.md says (${way})`, async (t) => {
    const project = await startProject(t, way)
    const { django, url } = project
    const app = await startServer(t, project, { DJANGO_IDENTITY: 'assertion', ASSERTION_KEY: key })

    await t.test('[attack 36] [requirement 22] [requirement 23] each user sees and makes their own rows, over MCP', async (t) => {
      const [ada, grace] = [await connect(t, url, 'ada'), await connect(t, url, 'grace')]
      const [ofAda, ofGrace] = [await remindersOf(ada), await remindersOf(grace)]
      t.ok(ofAda.length > 0 && ofGrace.length > 0)
      t.strictSame(ofAda.filter(({ id }) => ofGrace.some((other) => other.id === id)), [])
      const [first] = ofAda
      t.match(await ada.callTool({ name: 'get_reminder', arguments: { id: first?.id } }), { structuredContent: { text: first?.text } })
      t.match(await grace.callTool({ name: 'get_reminder', arguments: { id: first?.id } }), { isError: true, content: [{ text: /No Reminder matches/ }] })
      t.match(await grace.callTool({ name: 'add_reminder', arguments: { text: `by grace (${way})` } }), { structuredContent: { text: `by grace (${way})` } })
      t.ok((await remindersOf(grace)).some(({ text }) => text === `by grace (${way})`))
      t.notOk((await remindersOf(ada)).some(({ text }) => text === `by grace (${way})`))
    })

    await t.test('[attack 36] a user that Django does not know is nobody, and is told so', async (t) => {
      const { content, isError } = await (await connect(t, url, 'mallory')).callTool({ name: 'list_reminders', arguments: {} })
      t.ok(isError)
      t.match(content, [{ text: /no account for the user who has signed in/ }])
    })

    await t.test('[attack 88] [requirement 27] the same address gives each user their own answer, however many ask at once', async (t) => {
      const clients = await Promise.all(['ada', 'grace'].map(async (sub) => ({ sub, client: await connect(t, url, sub) })))
      const expected = new Map(await Promise.all(clients.map(async ({ sub, client }) => [sub, JSON.stringify(await remindersOf(client))] as const)))
      const wrong: string[] = []
      await Promise.all(Array.from({ length: 60 }, async (_, index) => {
        for (const { sub, client } of index % 2 === 0 ? clients : clients.toReversed()) {
          if (JSON.stringify(await remindersOf(client)) !== expected.get(sub)) wrong.push(sub)
        }
      }))
      t.strictSame(wrong, [])
      const [ada, grace] = clients.map(({ client }) => client)
      const read = await ada?.readResource({ uri: 'reminders://mine' })
      t.match(read, { cacheScope: 'private', ttlMs: 0 }, 'nobody in between may keep it for others')
      t.notSame(read?.contents, (await grace?.readResource({ uri: 'reminders://mine' }))?.contents)
    })

    await t.test('what the service asks by itself needs no user', async (t) => {
      t.match((await app.inject('/health')).json(), { status: 'healthy' })
    })

    await t.test('[attack 41] [attack 92] Django takes an assertion for what it says, and nothing else', async (t) => {
      const { keys: [published] } = z.object({ keys: z.array(z.object({ kid: z.string() })) }).parse(await (await fetch(`${url}/.well-known/jwks.json`)).json())
      const kid = published?.kid ?? ''
      const claims = () => ({ iss: url, aud: audience, sub: 'ada', user_id: 'ada', token_type: 'access', jti: randomUUID(), iat: fromNow(0), exp: fromNow(60) })
      const signed = async (payload: JWTPayload, pem = key): Promise<string> =>
        await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid, typ: 'mcp-assertion+jwt' }).sign(createPrivateKey(pem))
      const without = (name: string): JWTPayload => Object.fromEntries(Object.entries(claims()).filter(([claim]) => claim !== name))
      const ask = async (assertion: string, headers: Record<string, string> = { Authorization: `Api-Key ${django.apiKey}` }) => {
        const response = await fetch(`${django.url}/api/v1/orbit/reminders/`, { headers: { ...headers, 'X-MCP-Assertion': `Bearer ${assertion}` } })
        return { status: response.status, body: await response.text() }
      }
      const good = await signed(claims())
      t.equal((await ask(good)).status, 200, 'the control')
      const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      const [head = '', payload = '', signature = ''] = good.split('.')
      const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
      const hs256 = `${encoded({ alg: 'HS256', kid })}.${encoded(claims())}`

      const refused: ReadonlyArray<readonly [string, string]> = [
        ['another user in it', `${head}.${encoded({ ...claims(), sub: 'grace', user_id: 'grace' })}.${signature}`],
        ['no signature', `${head}.${payload}.`],
        ['alg none', `${encoded({ alg: 'none', kid })}.${payload}.`],
        ['the public key as a secret', `${hs256}.${createHmac('sha256', publicPem).update(hs256).digest('base64url')}`],
        ['a key that is not ours under our name', await signed(claims(), generatedKey())],
        ['another audience', await signed({ ...claims(), aud: 'https://another.example.com' })],
        ['no audience', await signed(without('aud'))],
        ['another issuer', await signed({ ...claims(), iss: 'https://another.example.com' })],
        ['its time is over', await signed({ ...claims(), iat: fromNow(-70), exp: fromNow(-10) })],
        ['no end', await signed(without('exp'))],
        ['of the future', await signed({ ...claims(), iat: fromNow(30), exp: fromNow(90) })],
        ['no name of its own', await signed(without('jti'))],
        ['a refresh token', await signed({ ...claims(), token_type: 'refresh' })],
        ['no token at all', 'nonsense']
      ]
      for (const [what, assertion] of refused) t.match(await ask(assertion), { status: 401, body: /not valid/ }, what)

      if (way === 'class') {
        t.equal((await ask(good)).status, 401, 'used before')
        t.equal((await ask(await signed({ ...claims(), exp: fromNow(3600) }))).status, 401, 'an hour is more than any needs')
        t.equal((await ask(await signed(claims()), {})).status, 401, 'stolen: without the key of the service')
        t.equal((await ask(await signed(claims()), { Authorization: 'Api-Key wrong.key' })).status, 401)
      }
      // The key of assertions signs nobody in anywhere else.
      const elsewhere = await fetch(`${django.url}/api/v1/orbit/reminders/`, { headers: { Authorization: `Bearer ${await signed(claims())}` } })
      t.ok(elsewhere.status === 401 || elsewhere.status === 403)
    })
  })
}

t.test('[requirement 22] with the service as identity nobody has rows of their own', async (t) => {
  const project = await startProject(t, 'settings')
  await startServer(t, project, {})
  t.strictSame(await remindersOf(await connect(t, project.url, 'ada')), [])
})
