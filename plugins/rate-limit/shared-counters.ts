import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import type { Count, WindowCounters } from './window-counters.ts'

/** The same as `WindowCounters.use`, in one step, so that replicas do not come between. */
const script = `
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then ttl = tonumber(ARGV[2]) end
if used + tonumber(ARGV[1]) > tonumber(ARGV[3]) then return {0, used, ttl} end
redis.call('SET', KEYS[1], used + tonumber(ARGV[1]), 'PX', ttl)
return {1, used + tonumber(ARGV[1]), ttl}`

const answerShape = z.tuple([z.number(), z.number(), z.number()])

/** Milliseconds that Redis may take: a limit must not hold up what it limits. */
const patience = 250
/** Milliseconds for which Redis is left alone after it has failed. */
const pause = 1_000

export interface SharedCountersOptions {
  redis: Redis
  /** Counts along, and in the place of Redis while that is away. */
  local: WindowCounters
  /** Told when counting moves to this process alone, and when it moves back. */
  onChange: (shared: boolean) => void
}

/**
 * Counters in Redis, one for all replicas. While it cannot be reached each replica counts by itself and goes on from
 * what it has seen, so that nobody is let in without a limit.
 */
export class SharedCounters {
  readonly #options: SharedCountersOptions
  #shared = true
  #retryAt = 0

  constructor (options: SharedCountersOptions) {
    this.#options = options
  }

  async use (key: string, units: number, length: number, max: number): Promise<Count> {
    const { redis, local } = this.#options
    const here = local.use(key, units, length, max)
    if (redis.status !== 'ready' || Date.now() < this.#retryAt) {
      this.#changed(false)
      return here
    }
    try {
      const [fits, used, ttl] = answerShape.parse(await this.#ask(key, units, length, max))
      this.#changed(true)
      return { fits: fits === 1, used, ttl }
    } catch {
      this.#retryAt = Date.now() + pause
      this.#changed(false)
      return here
    }
  }

  async #ask (key: string, units: number, length: number, max: number): Promise<unknown> {
    // Who calls from where is nobody's business who looks into Redis.
    const name = `limit:${hash('sha256', key, 'base64url')}`
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => { timer = setTimeout(() => { reject(new Error('Redis takes too long')) }, patience) })
    try {
      return await Promise.race([this.#options.redis.eval(script, 1, name, units, length, max), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #changed (shared: boolean): void {
    if (shared === this.#shared) return
    this.#shared = shared
    this.#options.onChange(shared)
  }
}
