import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { checkOptions, whole, type OptionsShape } from '../../checks/options.ts'
import { MemoryStore } from './memory-store.ts'
import { RedisStore } from './redis-store.ts'
import type { TaskStore } from './store.ts'

export { newTaskId, taskKey, type TaskRecord } from './record.ts'
export { NoRoom, type TaskStore } from './store.ts'

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
  /** Tasks of one owner that are kept at the same time. */
  maxTasksOfOne?: number
  /** Tasks that this process keeps at most, where it keeps them. */
  maxTasks?: number
}

const optionsSchema = z.strictObject({
  redis: z.custom<Redis>((value) => typeof value === 'object' && value !== null && 'status' in value, 'a connection to Redis').optional(),
  ttl: whole(1, 'seconds').default(86_400),
  maxTasksOfOne: whole(1).default(1000),
  maxTasks: whole(1).optional()
} satisfies OptionsShape<TasksOptions>)

/** The store of tasks (extension `io.modelcontextprotocol/tasks`). */
const tasks: FastifyPluginAsync<TasksOptions> = async (app, options) => {
  const { redis, ttl, maxTasksOfOne, maxTasks } = checkOptions('tasks', optionsSchema, options)
  const store: TaskStore = redis === undefined
    ? new MemoryStore({ ttl: ttl * 1000, maxTasksOfOne, ...(maxTasks === undefined ? {} : { maxTasks }) })
    : new RedisStore(redis, ttl * 1000, maxTasksOfOne)
  app.decorate('tasks', store)
}

export default fp(tasks, { name: 'tasks', fastify: '5.x' })
