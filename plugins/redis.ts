import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { checkOptions, duration, text, type OptionsShape } from '../checks/options.ts'
import { isRedisUrl } from '../checks/urls.ts'
import { namedLogger } from './logging/named-logger.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Connection to Redis; there only where this plugin is registered. */
    readonly redis: Redis
  }
}

export interface RedisOptions {
  /** `redis://` or `rediss://`, with user, password and database as far as they are needed. */
  url: string
  /** Begins every key, so that several services can share one Redis. */
  keyPrefix?: string
  /** Milliseconds that one command may take. */
  commandTimeout?: number
  /** Milliseconds that the start waits for the first connection, and the end for the last answers. */
  patience?: number
}

const url = 'a redis or rediss URL'

const optionsSchema = z.strictObject({
  url: z.string(url).refine(isRedisUrl, url),
  keyPrefix: text().optional(),
  commandTimeout: duration('milliseconds').default(2_000),
  patience: duration('milliseconds', 0).default(2_000)
} satisfies OptionsShape<RedisOptions>)

/** Milliseconds in which a connection must stand. */
const connectTimeout = 3_000
/** Longest pause between two attempts to connect, in milliseconds. */
const maxPause = 2_000

/**
 * One connection to Redis (or Valkey), made again whenever it is lost. A command fails at once while there is none:
 * whoever sends it decides what that means, and a request does not wait for a Redis that is down.
 */
const redis: FastifyPluginAsync<RedisOptions> = async (app, options) => {
  const { url, keyPrefix, commandTimeout, patience } = checkOptions('redis', optionsSchema, options, ['url'])
  const log = namedLogger(app.log, 'redis')
  // Not before it is needed: it takes as much memory as Fastify itself, and many do without.
  const ioredis = await import('ioredis')
  const client = new ioredis.Redis(url, {
    lazyConnect: true,
    connectTimeout,
    commandTimeout,
    enableOfflineQueue: false,
    // A command whose connection was lost may have been carried out; sending it again is not decided here.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, maxPause),
    ...(keyPrefix === undefined ? {} : { keyPrefix })
  })

  let closing = false
  let lost = false
  // Every attempt to connect fails anew; one line for each outage is enough.
  const lose = (error?: Error): void => {
    if (lost || closing) return
    lost = true
    // Only the text: the error may hold the command that failed, and with it the password.
    log.error(error === undefined ? {} : { reason: error.message }, 'Redis cannot be reached')
  }
  client.on('error', lose)
  client.on('close', () => { lose() })
  client.on('ready', () => {
    log.info(lost ? 'Redis can be reached again' : 'Redis is connected')
    lost = false
  })

  app.decorate('redis', client)
  app.addHook('onReady', async () => {
    // Not reached in time, it is still tried: a start must not depend on the order in which services come up.
    await Promise.race([client.connect().catch(() => undefined), sleep(patience, undefined, { ref: false })])
  })
  app.addHook('onClose', async () => {
    closing = true
    if (client.status === 'ready') await Promise.race([client.quit().catch(() => undefined), sleep(patience, undefined, { ref: false })])
    client.disconnect()
  })
}

export default fp(redis, { name: 'redis', fastify: '5.x' })
