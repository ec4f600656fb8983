import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Test } from 'tap'
import { z } from 'zod'
import { startDjango } from '../../demo/django.ts'
import { freePort } from '../../demo/free-port.ts'
import { defineResource, defineTool } from '../../plugins/catalog/definition.ts'
import { buildApp, token } from '../helper.ts'

export const audience = 'https://api.example.com'

const page = readFileSync(fileURLToPath(new URL('../../docs/identity.md', import.meta.url)), 'utf8')

/** A piece of Python that the documentation shows, with the URL of this server in it. */
function snippet (name: string, url: string): string {
  const found = new RegExp(`<!-- ${name} -->\\s*\`\`\`python\\n([\\s\\S]*?)\`\`\`\\s*<!-- /${name} -->`).exec(page)?.[1]
  if (found === undefined) throw new Error(`docs/identity.md shows no ${name}`)
  return found.replaceAll('https://mcp.example.com', url).replaceAll('https://api.example.com', audience)
}

/** Files of a Django project that takes assertions as the documentation says. */
export const projects = {
  settings: (url: string) => ({ 'settings_of_test.py': `from demo_project.settings import *\n\n${snippet('settings', url)}` }),
  class: (url: string) => ({
    'assertions.py': snippet('class', url),
    'settings_of_test.py': `from demo_project.settings import *

REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"] = [
    "assertions.AssertionAuthentication",
    "rest_framework_simplejwt.authentication.JWTAuthentication",
    "rest_framework.authentication.SessionAuthentication",
]
MCP_SERVER = ${JSON.stringify(url)}
MCP_AUDIENCE = ${JSON.stringify(audience)}
# What the project has for tokens of its own.
SIMPLE_JWT = {"ALGORITHM": "HS256", "SIGNING_KEY": "a key of this project that is long enough", "USER_ID_FIELD": "username"}
`
  })
}

export type Project = keyof typeof projects

/** A Django that knows this URL for that of the MCP server. */
export async function startProject (t: Test, project: Project) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const folder = t.testdir(projects[project](url))
  const django = await startDjango({ signIn: true, database: 'temporary', environment: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', DJANGO_SETTINGS_MODULE: 'settings_of_test' } })
  t.teardown(() => django.stop())
  return { django, url, port }
}

const reminder = z.object({ id: z.int(), text: z.string() })
export const reminders = z.object({ count: z.int(), results: z.array(reminder) })
const route = '/api/v1/orbit/reminders/'

export const tools = [
  defineTool({
    name: 'list_reminders',
    description: 'Lists my reminders.',
    annotations: { readOnlyHint: true },
    input: z.object({}),
    output: reminders,
    handler: (_args, { django }) => django.get(route, { schema: reminders })
  }),
  defineTool({
    name: 'get_reminder',
    description: 'Shows one of my reminders.',
    annotations: { readOnlyHint: true },
    input: z.object({ id: z.int() }),
    output: reminder,
    handler: ({ id }, { django }) => django.get(`${route}{id}/`, { path: { id }, schema: reminder })
  }),
  defineTool({
    name: 'add_reminder',
    description: 'Adds a reminder of mine.',
    annotations: { readOnlyHint: false, destructiveHint: false },
    input: z.object({ text: z.string() }),
    output: reminder,
    handler: ({ text }, { django }) => django.post(route, { json: { text, due_at: '2030-01-02T03:04:05Z' }, schema: reminder })
  })
]

export const mine = defineResource({
  uri: 'reminders://mine',
  name: 'my_reminders',
  description: 'My reminders',
  async read (_parameters, { django }) {
    const { results } = await django.get(route, { schema: reminders })
    return results.map(({ text }) => text).join('\n')
  }
})

/** The app at the URL that a Django knows, with tools for what belongs to a user. */
export async function startServer (t: Test, { django, url, port }: Awaited<ReturnType<typeof startProject>>, variables: Record<string, unknown>) {
  const app = await buildApp(t, {
    DJANGO_BASE_URL: django.url, DJANGO_API_KEY: django.apiKey, PUBLIC_URL: url, DJANGO_AUDIENCE: audience, RATE_LIMIT_REQUESTS: 100_000, ...variables
  }, undefined, { tools, resources: [mine] })
  await app.listen({ host: '127.0.0.1', port })
  return app
}

/** A client of this user. */
export async function connect (t: Test, url: string, sub: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  t.teardown(() => client.close())
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${token({ sub, scope: 'write' })}` } } }))
  return client
}

/** What `list_reminders` answers. */
export async function remindersOf (client: Client): Promise<Array<z.infer<typeof reminder>>> {
  const { structuredContent } = await client.callTool({ name: 'list_reminders', arguments: {} })
  return reminders.parse(structuredContent).results
}
