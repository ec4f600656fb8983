import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'
import type { Uses } from './sealed-state.ts'

/** Uses that are remembered at most. */
const capacity = 100_000

/** Remembers in this process: for one replica. */
export class MemoryUses implements Uses {
  readonly #used = new Map<string, number>()

  async isFirst (nonce: string, endsAt: number): Promise<boolean> {
    if (this.#used.has(nonce)) return false
    const now = Date.now()
    for (const [old, end] of this.#used) {
      // In the order of their ends, near enough: all live equally long.
      if (end > now && this.#used.size < capacity) break
      this.#used.delete(old)
    }
    this.#used.set(nonce, endsAt)
    return true
  }
}

/** Remembers in Redis, for all replicas. Where it cannot be reached, each replica remembers what it has seen itself. */
export class SharedUses implements Uses {
  readonly #redis: Redis
  readonly #log: FastifyBaseLogger
  readonly #own = new MemoryUses()

  constructor (redis: Redis, log: FastifyBaseLogger) {
    this.#redis = redis
    this.#log = log
  }

  async isFirst (nonce: string, endsAt: number): Promise<boolean> {
    if (!await this.#own.isFirst(nonce, endsAt)) return false
    try {
      return await this.#redis.set(`used:${nonce}`, '1', 'PX', Math.max(1, endsAt - Date.now()), 'NX') === 'OK'
    } catch (error) {
      this.#log.warn({ err: error }, 'Redis does not tell whether an answer was used before: this replica goes by what it knows')
      return true
    }
  }
}
