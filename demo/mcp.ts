import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import djangoMcpServer, { serverOptions } from '../app.ts'
import { loadConfig, type LoadedConfig } from '../config.ts'
import { freePort } from './free-port.ts'
import { signToken } from './token.ts'

/** The MCP server while it runs in this process. */
export interface McpServer {
  /** Without a trailing slash and without `/mcp`. */
  readonly url: string
  /** Gives access to everything for a day. */
  readonly token: string
  readonly stop: () => Promise<void>
}

const host = '127.0.0.1'
const day = 86_400
/** Tools beside those of the server. */
const tools = fileURLToPath(new URL('tools', import.meta.url))
/** What Django's document does not say. */
const overlay = fileURLToPath(new URL('overlay.yaml', import.meta.url))

function configFor (django: { url: string, apiKey: string }, port: number, secret: string): LoadedConfig {
  const url = `http://${host}:${port}`
  return loadConfig({
    DJANGO_BASE_URL: django.url,
    DJANGO_API_KEY: django.apiKey,
    JWT_SECRET: secret,
    JWT_AUDIENCE: `${url}/mcp`,
    JWT_MAX_LIFETIME: day,
    PUBLIC_URL: url,
    MCP_HOST: host,
    PORT: port,
    ENVIRONMENT: 'development',
    RATE_LIMIT_REQUESTS: 100_000,
    LOG_LEVEL: 'WARNING',
    AUDIT_LOG: 'false',
    LOG_FORMAT: 'text',
    // Tools from Django's own document, beside those of code.
    DJANGO_SCHEMA: '/api/schema/',
    OPENAPI_OVERLAY: overlay,
    BUILT_IN_TOOLS: true,
    TOOLS_DIR: tools,
    TMP_DIR: join(tmpdir(), 'django-mcp-demo')
  })
}

async function listen (loaded: LoadedConfig): Promise<() => Promise<void>> {
  const { config } = loaded
  const app = Fastify(serverOptions(config))
  try {
    await app.register(djangoMcpServer, { loaded })
    await app.listen({ host: config.MCP_HOST, port: config.PORT })
  } catch (error) {
    await app.close()
    throw error
  }
  return async () => { await app.close() }
}

function isInUse (error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

/** Starts the MCP server in front of a Django, on `port` where it is given and free, on any free one otherwise. */
export async function startMcp (django: { url: string, apiKey: string }, port?: number): Promise<McpServer> {
  const secret = randomBytes(48).toString('base64url')
  const used = port ?? await freePort()
  try {
    const loaded = configFor(django, used, secret)
    const stop = await listen(loaded)
    const url = `http://${host}:${used}`
    const token = signToken({ secret, subject: 'demo-user', audience: `${url}/mcp`, scope: 'read write', lifetime: day })
    return { url, token, stop }
  } catch (error) {
    // The port that was asked for is taken, or a free one was taken before we listened on it.
    if (isInUse(error)) return await startMcp(django)
    throw error
  }
}
