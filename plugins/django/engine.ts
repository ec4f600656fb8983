import http from 'node:http'
import https from 'node:https'
import type { FastifyInstance } from 'fastify'
import got, { type Got } from 'got'

/** Milliseconds in which a connection must stand: one that does not by then is better tried again. */
const connectTimeout = 3_000

/**
 * got for plain exchanges: what it offers beyond one request and its answer is off, so that retries, redirects and
 * errors are decided by who sends. Its connections are kept, and end with the app.
 * @param maxSockets connections to one server at the same time
 */
export function createEngine (app: FastifyInstance, maxSockets: number): Got {
  const pool = { keepAlive: true, maxSockets }
  const agent = { http: new http.Agent(pool), https: new https.Agent(pool) }
  app.addHook('onClose', async () => {
    agent.http.destroy()
    agent.https.destroy()
  })
  return got.extend({
    agent,
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    timeout: { connect: connectTimeout }
  })
}
