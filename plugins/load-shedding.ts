import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, duration, whole, type OptionsShape } from '../checks/options.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests of this route are served however loaded the process is. */
    neverShed?: boolean
  }
}

export interface LoadSheddingOptions {
  /** Mean delay of the event loop, in milliseconds over the last second, above which requests are refused. */
  maxEventLoopDelay?: number
  /** Used heap in bytes above which requests are refused. */
  maxHeapUsedBytes?: number
  /** Seconds that a refused client is told to wait. */
  retryAfter?: number
  /** Told of every refused request, with what was over its limit. */
  onShed?: (reason: string) => void
}

const defaultHeapShare = 0.9

/** Milliseconds after the start in which the loop's delay says nothing: what is measured first is the start itself. */
const settling = 1_500

const optionsSchema = z.strictObject({
  maxEventLoopDelay: duration('milliseconds').default(1000),
  maxHeapUsedBytes: whole(1, 'bytes').default(() => Math.floor(getHeapStatistics().heap_size_limit * defaultHeapShare)),
  retryAfter: whole(1, 'seconds').default(5),
  onShed: callback<(reason: string) => void>().optional()
} satisfies OptionsShape<LoadSheddingOptions>)

/** Refuses requests with 503 and Retry-After while the process is too loaded to serve them in time. */
const loadShedding: FastifyPluginAsync<LoadSheddingOptions> = async (app, options) => {
  const { maxEventLoopDelay, maxHeapUsedBytes, retryAfter, onShed } = checkOptions('load-shedding', optionsSchema, options)

  let settled = false
  let timer: NodeJS.Timeout | undefined
  app.addHook('onReady', async () => {
    timer = setTimeout(() => { settled = true }, settling)
    timer.unref()
  })
  app.addHook('onClose', async () => { clearTimeout(timer) })

  await app.register(underPressure, {
    maxEventLoopDelay,
    maxHeapUsedBytes,
    async pressureHandler (request: FastifyRequest, reply: FastifyReply, reason: string) {
      if (request.routeOptions.config.neverShed === true) return
      if (reason === 'eventLoopDelay' && !settled) return
      onShed?.(reason)
      reply.code(503).header('Retry-After', retryAfter)
        .send({ error: 'Service overloaded', message: `Too much to do at the moment. Try again in ${retryAfter} seconds.` })
      // The request goes on when this ends, and its route answers a second time unless the answer has left by then.
      await reply
    }
  })
}

export default fp(loadShedding, { name: 'load-shedding', fastify: '5.x' })
