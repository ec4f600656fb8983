import http from 'node:http'
import Fastify from 'fastify'
import got from 'got'
import { z } from 'zod'
import { exchange } from '../../plugins/django/exchange.ts'
import { listening, settings } from '../child.ts'

/*
 * The floor: a bare Fastify route that makes the same request to Django with got, and answers as many bytes of JSON as
 * the app does. No token, no limits, no metrics, no logs, no protocol. Its request is made as got's documentation
 * shows it, or with `exchange` as the app makes it, which costs less.
 */

const { django, bytes, own } = settings(z.object({ django: z.string(), bytes: z.number(), own: z.boolean().default(false) }))

const engine = got.extend({
  agent: { http: new http.Agent({ keepAlive: true, maxSockets: 20 }) },
  retry: { limit: 0 },
  followRedirect: false,
  throwHttpErrors: false,
  decompress: false,
  timeout: { connect: 3_000 }
})
const headers = { authorization: 'Api-Key bench.0123456789abcdef', 'user-agent': 'bare/1', accept: 'application/json', 'accept-encoding': 'identity' }

const url = `${django}/api/v1/orbit/opportunities/?limit=10`

async function documented (): Promise<unknown> {
  return await engine.get(url, { headers, timeout: { request: 30_000 } }).json()
}

async function exchanged (): Promise<unknown> {
  const { body } = await exchange(engine, url, { method: 'GET', headers: { ...headers }, body: undefined, signal: undefined, timeout: 30_000, maxBytes: 10_485_760 })
  return JSON.parse(body.toString('utf8'))
}

const opportunities = own ? exchanged : documented
const app = Fastify({ keepAliveTimeout: 72_000 })
const empty = JSON.stringify({ answer: await opportunities(), filling: '' })
const filling = 'x'.repeat(Math.max(0, bytes - empty.length))
app.post('/mcp', async () => ({ answer: await opportunities(), filling }))
await app.listen({ host: '127.0.0.1', port: 0 })
listening(app.server.address())
