import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { CallError } from '../../errors.ts'
import type { TaskRecord } from './record.ts'
import { parsedRecord, tooManyTasks, type TaskStore } from './store.ts'

/**
 * Keeps a task, and in a list of its owner's when it ends; 0 where the owner has as many as one may have. All in one,
 * so that no task stays for ever and two at a time do not both take the last place.
 */
const createScript = `
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], 'revision', 1, 'record', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3] + ARGV[2], KEYS[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 1`

/** Replaces a record that is still the one that was read; 0 where it has changed meanwhile, -1 where it is gone. */
const replaceScript = `
local revision = redis.call('HGET', KEYS[1], 'revision')
if not revision then return -1 end
if revision ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[1] + 1, 'record', ARGV[2])
return 1`

/** How often a change is tried before others are taken to be in the way. */
const maxAttempts = 20

/** Where it is kept which tasks an owner has, by a name that does not say who that is. */
function listOf (owner: string): string {
  return `tasks-of:${createHash('sha256').update(owner).digest('base64url')}`
}

const entryShape = z.tuple([z.string(), z.string()])

/** Keeps tasks in Redis: any replica serves them, and they outlive it. */
export class RedisStore implements TaskStore {
  readonly ttl: number
  readonly #redis: Redis
  readonly #maxTasksOfOne: number

  /**
   * @param ttl milliseconds for which a task is kept
   * @param maxTasksOfOne tasks of one owner at the same time
   */
  constructor (redis: Redis, ttl: number, maxTasksOfOne: number) {
    this.#redis = redis
    this.ttl = ttl
    this.#maxTasksOfOne = maxTasksOfOne
  }

  async check (owner: string): Promise<void> {
    if (await this.#reach(() => this.#redis.zcount(listOf(owner), Date.now(), '+inf')) >= this.#maxTasksOfOne) throw tooManyTasks()
  }

  async create (owner: string, key: string, record: TaskRecord): Promise<void> {
    const kept = await this.#reach(() => this.#redis.eval(createScript, 2, `task:${key}`, listOf(owner), JSON.stringify(record), record.ttl, Date.now(), this.#maxTasksOfOne))
    if (kept === 0) throw tooManyTasks()
  }

  async read (key: string): Promise<TaskRecord | undefined> {
    return (await this.#entry(key))?.record
  }

  async change (key: string, change: (record: TaskRecord) => TaskRecord | undefined): Promise<TaskRecord | undefined> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const entry = await this.#entry(key)
      if (entry === undefined) return undefined
      const next = change(entry.record)
      if (next === undefined) return entry.record
      const replaced = await this.#reach(() => this.#redis.eval(replaceScript, 1, `task:${key}`, entry.revision, JSON.stringify(next)))
      if (replaced === 1) return next
      if (replaced === -1) return undefined
    }
    throw new CallError('unavailable', 'The task is being changed by others.')
  }

  async #entry (key: string): Promise<{ revision: string, record: TaskRecord } | undefined> {
    const found = entryShape.safeParse(await this.#reach(() => this.#redis.hmget(`task:${key}`, 'revision', 'record')))
    return found.success ? { revision: found.data[0], record: parsedRecord(found.data[1]) } : undefined
  }

  async #reach<Answer> (send: () => Promise<Answer>): Promise<Answer> {
    try {
      return await send()
    } catch (cause) {
      throw new CallError('unavailable', 'The store of tasks cannot be reached.', { cause })
    }
  }
}
