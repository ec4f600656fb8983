import http from 'node:http'
import Fastify from 'fastify'
import got from 'got'
import { z } from 'zod'

import { listening, settings } from '../child.ts'

/*
 * The floor: a bare Fastify route that makes the same request to Django with the same client, and answers as many
 * bytes of JSON as the app does. No token, no limits, no metrics, no logs, no protocol.
 */

const { django, bytes } = settings(z.object({ django: z.string(), bytes: z.number() }))

const engine = got.extend({
  agent: { http: new http.Agent({ keepAlive: true, maxSockets: 20 }) },
  retry: { limit: 0 },
  followRedirect: false,
  throwHttpErrors: false,
  decompress: false,
  timeout: { connect: 3_000 }
})
const headers = { authorization: 'Api-Key bench.0123456789abcdef', 'user-agent': 'bare/1', accept: 'application/json', 'accept-encoding': 'identity' }

async function opportunities (): Promise<unknown> {
  return await engine(`${django}/api/v1/orbit/opportunities/?limit=10`, { headers, timeout: { request: 30_000 } }).json()
}

const app = Fastify({ keepAliveTimeout: 72_000 })
const empty = JSON.stringify({ answer: await opportunities(), filling: '' })
const filling = 'x'.repeat(Math.max(0, bytes - empty.length))
app.post('/mcp', async () => ({ answer: await opportunities(), filling }))
await app.listen({ host: '127.0.0.1', port: 0 })
listening(app.server.address())
