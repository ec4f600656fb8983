import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { z } from 'zod'
import { listening, settings } from '../child.ts'

/* A bare Fastify, for the time that it takes to start, with a route that sends bytes that are at hand already. */

const { file } = settings(z.object({ file: z.string().optional() }))
const body = file === undefined ? Buffer.from('{}') : readFileSync(file)

const app = Fastify({ keepAliveTimeout: 72_000 })
app.post('/mcp', async (_request, reply) => reply.type('application/json').send(body))
await app.listen({ host: '127.0.0.1', port: 0 })
listening(app.server.address())
