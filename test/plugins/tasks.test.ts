import t, { type Test } from 'tap'
import Fastify from 'fastify'
import redis from '../../plugins/redis.ts'
import tasks, { newTaskId, taskKey, type TaskRecord, type TaskStore } from '../../plugins/tasks/index.ts'
import { MemoryStore } from '../../plugins/tasks/memory-store.ts'
import { callError } from '../helper.ts'
import { startRedis, withoutRedis } from '../redis.ts'

function record (overrides: Partial<TaskRecord> = {}): TaskRecord {
  const now = Date.now()
  return { tool: 'a', status: 'working', createdAt: now, updatedAt: now, ttl: 60_000, state: { at: '/1/' }, pollInterval: 100, nextPollAt: now, questions: {}, asked: 0, answers: {}, ...overrides }
}

/** What every store does. */
async function contract (t: Test, store: TaskStore): Promise<void> {
  await store.check()
  const task = record({ message: 'ünï "x"' })
  t.equal(await store.read('k1'), undefined)
  t.equal(await store.change('k1', (current) => current), undefined)
  await store.create('k1', task)
  t.strictSame(await store.read('k1'), task)
  t.equal(await store.read('k2'), undefined)

  t.strictSame(await store.change('k1', () => undefined), task, 'nothing to change')
  const changed = await store.change('k1', (current) => ({ ...current, message: 'next' }))
  t.equal(changed?.message, 'next')
  t.equal((await store.read('k1'))?.message, 'next')
  await Promise.all(Array.from({ length: 10 }, () => store.change('k1', (current) => ({ ...current, asked: current.asked + 1 }))))
  t.equal((await store.read('k1'))?.asked, 10, 'no change is lost')
  await t.rejects(store.change('k1', () => { throw new Error('mine') }), { message: 'mine' })

  await store.create('short', record({ ttl: 50 }))
  await store.change('short', (current) => ({ ...current, message: 'kept no longer for being changed' }))
  await new Promise((resolve) => { setTimeout(resolve, 80) })
  t.equal(await store.read('short'), undefined)
  t.equal(await store.change('short', (current) => current), undefined)
}

t.test('in memory', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tasks, { ttl: 60 })
  t.equal(app.tasks.ttl, 60_000)
  await contract(t, app.tasks)
})

t.test('in memory, within bounds', async (t) => {
  const few = new MemoryStore({ ttl: 60_000, maxTasks: 2 })
  await few.create('a', record())
  await few.create('b', record())
  t.match(await callError(few.check()), { kind: 'unavailable' })
  t.match(await callError(few.create('c', record())), { kind: 'unavailable', message: 'Too many tasks are kept already.' })
  const { now } = Date
  t.teardown(() => { Date.now = now })
  Date.now = () => now() + 60_001
  await few.create('c', record())
  t.equal((await few.read('c'))?.tool, 'a', 'ended ones make room')

  const small = new MemoryStore({ ttl: 60_000, maxSize: 1000 })
  await small.create('a', record())
  t.match(await callError(small.change('a', (current) => ({ ...current, result: { text: 'x'.repeat(1000) } }))), { kind: 'unavailable', message: 'There is no room to keep this task.' })
  t.equal((await small.read('a'))?.result, undefined, 'it stays as it was')
  t.match(await callError(small.create('b', record({ message: 'x'.repeat(1000) }))), { kind: 'unavailable' })
  await small.check()
})

t.test('in Redis', { skip: withoutRedis }, async (t) => {
  const { url, kill } = await startRedis(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url, keyPrefix: 'p:' })
  await app.register(tasks, { redis: app.redis, ttl: 60 })
  await app.ready()
  await contract(t, app.tasks)
  t.strictSame(await app.redis.keys('*'), ['p:task:k1'])
  const left = await app.redis.pttl('task:k1')
  t.ok(left > 50_000 && left <= 60_000, 'Redis forgets it by itself')

  await app.redis.hset('task:odd', 'revision', '1', 'record', '{"tool":1}')
  t.match(await callError(app.tasks.read('odd')), { kind: 'internal', message: 'The task cannot be read.' })
  await app.redis.hset('task:odd', 'record', 'no JSON')
  t.match(await callError(app.tasks.read('odd')), { kind: 'internal' })
  await app.redis.set('task:text', 'x')
  t.match(await callError(app.tasks.read('text')), { kind: 'unavailable' })

  await kill()
  const unreachable = { kind: 'unavailable', message: 'The store of tasks cannot be reached.' }
  t.match(await callError(app.tasks.check()), unreachable)
  t.match(await callError(app.tasks.create('x', record())), unreachable)
  t.match(await callError(app.tasks.read('k1')), unreachable)
  t.match(await callError(app.tasks.change('k1', (current) => current)), unreachable)
})

t.test('an id says nothing, and a key belongs to one owner', async (t) => {
  const id = newTaskId()
  t.match(id, /^[\w-]{32}$/)
  t.equal(new Set(Array.from({ length: 1000 }, newTaskId)).size, 1000)
  t.equal(taskKey('a', id), taskKey('a', id))
  t.not(taskKey('a', id), taskKey('b', id))
  t.notMatch(taskKey('a', id), id)
  for (const wrong of ['', 'a', `${id}a`, id.slice(1), `${id.slice(1)}:`, `${id.slice(1)}\n`]) t.equal(taskKey('a', wrong), undefined)
})
