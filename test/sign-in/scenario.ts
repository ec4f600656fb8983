import assert from 'node:assert/strict'
import { UnauthorizedError, type Client } from '@modelcontextprotocol/client'
import { z } from 'zod'
import { digestOf } from '../../plugins/auth/deny-list.ts'
import { reminders } from '../django/signed-in.ts'
import { SignedInClient, type Introduction } from './client.ts'
import { documentUrl, type SignInServer } from './server.ts'
import type { UserAgent } from './user-agent.ts'

/*
 * A user signs in to an MCP client with Django itself: django-oauth-toolkit in the demo project is the authorization
 * server, this service asks it whose a token is, and tells Django's API by assertions. The client, an official one,
 * starts with nothing but our URL.
 */

/** What the user's own reminders say. */
export async function textsOf (client: Client): Promise<string[]> {
  return reminders.parse((await client.callTool({ name: 'list_reminders', arguments: {} })).structuredContent).results.map(({ text }) => text)
}

/** From nothing but a URL to the user's own rows, to a write, and to the end of it. Gives what was done, a line each. */
export async function signInScenario (server: SignInServer, userAgent: UserAgent, introduction: Introduction, say: (line: string) => void): Promise<void> {
  const resource = `${server.url}/mcp`
  const ada = new SignedInClient(server, userAgent, 'ada', introduction)

  await assert.rejects(ada.connect(), UnauthorizedError)
  const [challenged] = ada.seen
  assert.equal(challenged?.status, 401)
  assert.equal(challenged.challenge, `Bearer resource_metadata="${server.url}/.well-known/oauth-protected-resource/mcp", scope="read"`)
  assert.deepEqual(ada.takeSeen(), [
    'POST /mcp 401',
    'GET /.well-known/oauth-protected-resource/mcp 200',
    'GET /.well-known/oauth-authorization-server/o 200',
    ...introduction === 'registration' ? ['POST /o/register/ 201'] : []
  ])
  say(`a client with nothing but the URL is challenged, reads both kinds of metadata and makes itself known by ${introduction}`)

  const sentTo = await ada.signIn()
  assert.equal(sentTo.href.split('?')[0], `${server.issuer}/authorize/`)
  assert.equal(sentTo.searchParams.get('resource'), resource)
  assert.equal(sentTo.searchParams.get('code_challenge_method'), 'S256')
  assert.equal(sentTo.searchParams.get('scope'), 'read')
  if (introduction === 'document') assert.equal(sentTo.searchParams.get('client_id'), documentUrl)
  const exchanged = ada.seen.find(({ url }) => url.pathname === '/o/token/')
  assert.equal(exchanged?.form.get('resource'), resource)
  assert.ok((exchanged?.form.get('code_verifier')?.length ?? 0) >= 43)
  assert.match(ada.asked.join(), /Read what you can read/)
  assert.doesNotMatch(ada.asked.join(), /Change what you can change/)
  say('the user signs in and consents to reading; code, PKCE and resource go to the token endpoint')

  const client = await ada.connect()
  const texts = await textsOf(client)
  assert.ok(texts.length > 0)
  say('the token has our audience, and the user sees their own rows in Django')

  ada.takeSeen()
  const add = { name: 'add_reminder', arguments: { text: `signed in by ${introduction}` } }
  await assert.rejects(client.callTool(add), UnauthorizedError)
  const refused = ada.seen.find(({ status }) => status === 403)
  assert.match(refused?.challenge ?? '', /error="insufficient_scope", resource_metadata="[^"]+", scope="(read write|write)"/)
  assert.ok((await ada.signIn()).searchParams.get('scope')?.split(' ').includes('write'))
  assert.match(ada.asked.at(-1) ?? '', /Change what you can change/)
  const writer = await ada.connect()
  await writer.callTool(add)
  assert.ok((await textsOf(writer)).includes(add.arguments.text))
  say('a write is refused with 403 and the scope it needs, and done when the user has agreed to that too')

  await revocation(server, ada)
  say('after revocation the token is refused: at once on our deny-list, and by the server that issued it')
}

/** How a request with this token is answered. */
export async function statusWith (server: SignInServer, token: string): Promise<number> {
  const response = await fetch(`${server.url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  })
  return response.status
}

const refreshed = z.object({ access_token: z.string(), refresh_token: z.string(), token_type: z.string() })

async function revocation (server: SignInServer, user: SignedInClient): Promise<void> {
  const { kept } = user.provider
  assert.ok(kept.client !== undefined && kept.tokens?.refresh_token !== undefined)
  const { client_id } = kept.client
  const post = async (path: string, fields: Record<string, string>): Promise<Response> => {
    const response = await fetch(`${server.issuer}${path}`, { method: 'POST', body: new URLSearchParams({ client_id, ...fields }) })
    assert.equal(response.status, 200, await response.clone().text())
    return response
  }

  assert.equal(await statusWith(server, kept.tokens.access_token), 200)
  await server.app.denyList.revoke({ tokenDigest: digestOf(kept.tokens.access_token) })
  assert.equal(await statusWith(server, kept.tokens.access_token), 401)

  const refresh = async (token: string): Promise<z.infer<typeof refreshed>> => refreshed.parse(await (await post('/token/', { grant_type: 'refresh_token', refresh_token: token })).json())
  const next = await refresh(kept.tokens.refresh_token)
  assert.equal(await statusWith(server, next.access_token), 200, 'a new token is not on the list')
  // One that has not been used yet: what the server says of a token is remembered for up to a minute.
  const last = await refresh(next.refresh_token)
  kept.tokens = { ...kept.tokens, ...last }
  await post('/revoke_token/', { token: last.refresh_token, token_type_hint: 'refresh_token' })
  assert.equal(await statusWith(server, last.access_token), 401)
  await assert.rejects(user.connect(), UnauthorizedError)
  assert.equal(kept.tokens, undefined, 'the client has to send its user again')
}
