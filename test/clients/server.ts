import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { startDjango } from '../../demo/django.ts'
import { defineTool } from '../../plugins/catalog/definition.ts'
import { environment, token } from '../helper.ts'
import { holdBack, type Holding } from '../holding.ts'

/** The app in front of the demo's Django, for clients in processes of their own. */
export interface Running {
  /** URL of the MCP endpoint. */
  readonly url: string
  /** Grants reading and writing for ten minutes. */
  readonly token: string
  /** Keeps back what the tool `get_opportunities` asks Django for with a limit of 99. */
  readonly holding: Holding
  readonly stop: () => Promise<void>
}

/** A tool that wants an argument in a header and tells how far it is. */
const shout = defineTool({
  name: 'shout',
  description: 'Gives back the word in capital letters.',
  annotations: { readOnlyHint: true },
  input: { type: 'object', properties: { word: { type: 'string', 'x-mcp-header': 'Word' } }, required: ['word'] },
  async handler ({ word }, { progress }) {
    await progress(1, 2, 'listening')
    return String(word).toUpperCase()
  }
})

/**
 * Starts everything on free ports of 127.0.0.1.
 * @param allowedOrigins origins of the pages that may call
 */
export async function startServer (allowedOrigins: readonly string[] = []): Promise<Running> {
  const stops: Array<() => Promise<unknown>> = []
  const stop = async (): Promise<void> => {
    for (const stop of stops.splice(0)) await stop()
  }
  try {
    const django = await startDjango({ database: 'temporary' })
    stops.unshift(django.stop)
    const holding = await holdBack(django.url, (url) => url.includes('limit=99'))
    stops.unshift(holding.stop)
    const loaded = loadConfig(environment({
      DJANGO_BASE_URL: holding.url,
      DJANGO_API_KEY: django.apiKey,
      // So long that what is kept back is ended by nobody but its client.
      DJANGO_TIMEOUT: 120,
      ALLOWED_ORIGINS: allowedOrigins.join(','),
      TOOLS_DIR: fileURLToPath(new URL('../../demo/tools', import.meta.url))
    }))
    const app = Fastify({ ...serverOptions(loaded.config), forceCloseConnections: true })
    stops.unshift(() => app.close())
    await app.register(djangoMcpServer, { loaded, definitions: { tools: [shout] } })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    return { url: `${url}/mcp`, token: token({ scope: 'write' }), holding, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
