import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { generatedKey } from '../../checks/keys.ts'
import { loadConfig } from '../../config.ts'
import { startDjango } from '../../demo/django.ts'
import { freePort } from '../../demo/free-port.ts'
import { audience, mine, projects, tools } from '../django/signed-in.ts'
import { environment } from '../helper.ts'

export interface SignInServer {
  /** URL of the MCP server, without `/mcp`. */
  readonly url: string
  /** Of the authorization server. */
  readonly issuer: string
  /** Where clients are called back, with a page that a browser can show. */
  readonly callback: string
  readonly app: FastifyInstance
  readonly stop: () => Promise<void>
}

/** Of every user. */
export const password = 'the-password-of-a-test'
const introspectionSecret = 'the-secret-of-a-test-that-asks'
/** Where a document about a client is. */
export const documentUrl = 'https://client.example.com/mcp-client.json'

/** In the place of what fetches documents from the web: the one that a test is about. */
const fetcher = (callback: string): string => `
class DocumentOfTest:
    def fetch(self, client_id):
        if client_id != "${documentUrl}":
            raise AssertionError(client_id)
        return {
            "client_id": client_id,
            "client_name": "Documented client",
            "redirect_uris": ["${callback}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }, 300
`

/** A page that says that one may go back to the application. */
async function servePage (): Promise<{ url: string, stop: () => Promise<void> }> {
  const server = createServer((_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Done</title>Done') })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return {
    url: `http://127.0.0.1:${address.port}/callback`,
    async stop () {
      server.closeAllConnections()
      await new Promise<void>((resolve) => { server.close(() => { resolve() }) })
    }
  }
}

/**
 * Django as authorization server and API, and the app in front of it.
 * @param folder a folder that is empty
 */
export async function startSignIn (folder: string): Promise<SignInServer> {
  const stops: Array<() => Promise<unknown>> = []
  const stop = async (): Promise<void> => { for (const stop of stops.splice(0)) await stop() }
  try {
    const page = await servePage()
    stops.unshift(page.stop)
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    await mkdir(folder, { recursive: true })
    const files = {
      ...projects.class(url),
      'fetcher.py': fetcher(page.url)
    }
    files['settings_of_test.py'] += 'OAUTH2_PROVIDER["CIMD_METADATA_FETCHER"] = "fetcher.DocumentOfTest"\n'
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
    const django = await startDjango({
      signIn: true,
      database: 'temporary',
      environment: {
        PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', DJANGO_SETTINGS_MODULE: 'settings_of_test',
        DEMO_SIGN_IN: '1', DEMO_INTROSPECTION_SECRET: introspectionSecret, DEMO_USER_PASSWORD: password
      }
    })
    stops.unshift(django.stop)
    const issuer = `${django.url}/o`
    const loaded = loadConfig(environment({
      ENVIRONMENT: 'test',
      DJANGO_BASE_URL: django.url,
      DJANGO_API_KEY: django.apiKey,
      PUBLIC_URL: url,
      JWT_SECRET: undefined,
      JWT_ISSUER: issuer,
      INTROSPECTION_URL: `${issuer}/introspect/`,
      INTROSPECTION_CLIENT_ID: 'django-mcp-server',
      INTROSPECTION_CLIENT_SECRET: introspectionSecret,
      TOKEN_PROFILE: 'django-oauth-toolkit',
      ADVERTISED_SCOPES: 'read',
      DJANGO_IDENTITY: 'assertion',
      DJANGO_AUDIENCE: audience,
      ASSERTION_KEY: generatedKey()
    }))
    const app = Fastify({ ...serverOptions(loaded.config), forceCloseConnections: true })
    stops.unshift(() => app.close())
    // Not in a scope of its own, so that its deny-list can be reached.
    await app.register(fp(djangoMcpServer), { loaded, definitions: { tools, resources: [mine] } })
    await app.listen({ host: '127.0.0.1', port })
    return { url, issuer, callback: page.url, app, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
