import type { FastifyPluginCallback } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { MemoryStore } from './memory-store.ts'
import { RedisStore } from './redis-store.ts'
import type { TaskStore } from './store.ts'

export { newTaskId, taskKey, type TaskRecord } from './record.ts'
export type { TaskStore } from './store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where tasks are kept that outlast a call. */
    readonly tasks: TaskStore
  }
}

export interface TasksOptions {
  /** Keeps tasks, for all replicas and across restarts; this process does where it is left out. */
  redis?: Redis | undefined
  /** Seconds for which a task is kept, whatever becomes of it. */
  ttl?: number
  /** Tasks that this process keeps at most, where it keeps them. */
  maxTasks?: number
}

const defaultTtl = 86_400

/** The store of tasks (extension `io.modelcontextprotocol/tasks`). */
const tasks: FastifyPluginCallback<TasksOptions> = (app, { redis, ttl = defaultTtl, maxTasks }, done) => {
  const store: TaskStore = redis === undefined
    ? new MemoryStore({ ttl: ttl * 1000, ...(maxTasks === undefined ? {} : { maxTasks }) })
    : new RedisStore(redis, ttl * 1000)
  app.decorate('tasks', store)
  done()
}

export default fp(tasks, { name: 'tasks', fastify: '5.x' })
