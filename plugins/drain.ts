import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, duration, type OptionsShape } from '../checks/options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether this server has been told to stop and only finishes what it has begun. */
    readonly draining: () => boolean
  }
}

export interface DrainOptions {
  /** Seconds in which the server still takes requests, for load balancers to notice that it is not ready any more. */
  seconds?: number
  /** Called once when draining begins. */
  onDrain?: () => void
}

const optionsSchema = z.strictObject({
  seconds: duration('seconds', 0).default(0),
  onDrain: callback<() => void>().optional()
} satisfies OptionsShape<DrainOptions>)

/**
 * Has connections that have never said anything end with the idle ones: Node takes them for connections whose request
 * is on its way. Clients open one when they have given up a request, and may keep it for as long as they like.
 */
function countSilentAsIdle (server: Server): void {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => { open.delete(socket) })
  })
  const closeIdle = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    closeIdle()
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  }
}

/**
 * Lets requests in flight finish at shutdown. Needs the server option `return503OnClosing: false`:
 * Fastify counts as closing before the first hook runs and would refuse what still arrives.
 */
const drain: FastifyPluginAsync<DrainOptions> = async (app, options) => {
  const { seconds, onDrain } = checkOptions('drain', optionsSchema, options)
  let draining = false
  let stopping = false

  countSilentAsIdle(app.server)
  app.decorate('draining', () => draining)
  app.addHook('preClose', async () => {
    draining = true
    onDrain?.()
    app.log.info({ drain_seconds: seconds }, 'shutting down: finishing requests in flight')
    if (seconds > 0) await sleep(seconds * 1000)
    stopping = true
  })
  app.addHook('onResponse', (_request, _reply, next) => {
    next()
    // A keep-alive connection whose call ends after listening stopped would hold the process until it times out.
    // Before that, closing an idle connection could cut off the next request on its way.
    if (stopping) setImmediate(() => { app.server.closeIdleConnections() })
  })
}

export default fp(drain, { name: 'drain', fastify: '5.x' })
