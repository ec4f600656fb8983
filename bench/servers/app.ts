import Fastify from 'fastify'
import { z } from 'zod'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { listening, settings } from '../child.ts'
import { manyTools } from '../many-tools.ts'

/* The app with everything on: tokens, limits (far away, but counting), metrics, and JSON lines to standard output. */

const { django, tools, secret, schema } = settings(z.object({ django: z.string(), tools: z.number(), secret: z.string(), schema: z.string().optional() }))
const loaded = loadConfig({
  DJANGO_BASE_URL: django,
  DJANGO_API_KEY: 'bench.0123456789abcdef',
  JWT_SECRET: secret,
  RATE_LIMIT_REQUESTS: '1000000000',
  TMP_DIR: '/tmp/mcp_server_bench',
  ...(schema === undefined ? {} : { DJANGO_SCHEMA: schema, BUILT_IN_TOOLS: 'true' })
})

const app = Fastify(serverOptions(loaded.config))
await app.register(djangoMcpServer, { loaded, definitions: { tools: manyTools(tools - 1) } })
await app.listen({ host: '127.0.0.1', port: 0 })
listening(app.server.address())
