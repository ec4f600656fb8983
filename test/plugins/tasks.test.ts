import t, { type Test } from 'tap'
import Fastify from 'fastify'
import redis from '../../plugins/redis.ts'
import tasks, { newTaskId, taskKey, type TaskRecord, type TaskStore } from '../../plugins/tasks/index.ts'
import { MemoryStore } from '../../plugins/tasks/memory-store.ts'
import { stopClock } from '../clock.ts'
import { callError } from '../helper.ts'
import { startRedis, withoutRedis } from '../redis.ts'

function record (overrides: Partial<TaskRecord> = {}): TaskRecord {
  const now = Date.now()
  return { tool: 'a', status: 'working', createdAt: now, updatedAt: now, ttl: 60_000, state: { at: '/1/' }, pollInterval: 100, nextPollAt: now, questions: {}, asked: 0, answers: {}, ...overrides }
}

/** What every store does. */
async function contract (t: Test, store: TaskStore): Promise<void> {
  await store.check('ada')
  const task = record({ message: 'ünï "x"' })
  t.equal(await store.read('k1'), undefined)
  t.equal(await store.change('k1', (current) => current), undefined)
  await store.create('ada', 'k1', task)
  t.strictSame(await store.read('k1'), task)
  t.equal(await store.read('k2'), undefined)

  t.strictSame(await store.change('k1', () => undefined), task, 'nothing to change')
  const changed = await store.change('k1', (current) => ({ ...current, message: 'next' }))
  t.equal(changed?.message, 'next')
  t.equal((await store.read('k1'))?.message, 'next')
  await Promise.all(Array.from({ length: 10 }, () => store.change('k1', (current) => ({ ...current, asked: current.asked + 1 }))))
  t.equal((await store.read('k1'))?.asked, 10, 'no change is lost')
  await t.rejects(store.change('k1', () => { throw new Error('mine') }), { message: 'mine' })

  await store.create('ada', 'short', record({ ttl: 50 }))
  await store.change('short', (current) => ({ ...current, message: 'kept no longer for being changed' }))
  await new Promise((resolve) => { setTimeout(resolve, 80) })
  t.equal(await store.read('short'), undefined)
  t.equal(await store.change('short', (current) => current), undefined)
}

/** What every store does that takes three tasks of one owner. */
async function bounds (t: Test, store: TaskStore): Promise<void> {
  const tooMany = { kind: 'unavailable', message: 'Too many tasks of yours are kept already.' }
  for (const key of ['b1', 'b2', 'b3']) await store.create('bob', key, record())
  t.match(await callError(store.check('bob')), tooMany)
  t.match(await callError(store.create('bob', 'b4', record())), tooMany)
  t.equal(await store.read('b4'), undefined)
  await store.change('b2', (current) => ({ ...current, status: 'completed', result: {} }))
  t.match(await callError(store.check('bob')), tooMany, 'a task that has ended is kept as well')
  await store.check('carol')
  await store.create('carol', 'c1', record({ ttl: 50 }))
  while (await store.read('c1') !== undefined) await new Promise((resolve) => { setTimeout(resolve, 10) })
  const sent = await Promise.allSettled(['c2', 'c3', 'c4', 'c5'].map((key) => store.create('carol', key, record())))
  t.strictSame(sent.map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'], 'what has expired is counted no more, and of several at a time there are as many as there is room for')
}

t.test('in memory', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tasks, { ttl: 60, maxTasksOfOne: 3 })
  t.equal(app.tasks.ttl, 60_000)
  await contract(t, app.tasks)
  await bounds(t, app.tasks)
})

t.test('in memory, within bounds', async (t) => {
  const move = stopClock(t)
  const few = new MemoryStore({ ttl: 60_000, maxTasksOfOne: 10, maxTasks: 2 })
  await few.create('ada', 'a', record())
  await few.create('bob', 'b', record())
  t.match(await callError(few.check('carol')), { kind: 'unavailable' })
  t.match(await callError(few.create('carol', 'c', record())), { kind: 'unavailable', message: 'Too many tasks are kept already.' })
  move(60)
  await few.create('carol', 'c', record())
  t.equal((await few.read('c'))?.tool, 'a', 'ended ones make room')

  const small = new MemoryStore({ ttl: 60_000, maxTasksOfOne: 10, maxSize: 4000 })
  const noRoom = { kind: 'unavailable', message: 'There is no room to keep this task.' }
  await small.create('ada', 'a', record())
  t.match(await callError(small.change('a', (current) => ({ ...current, result: { text: 'x'.repeat(1000) } }))), noRoom)
  t.equal((await small.read('a'))?.result, undefined, 'it stays as it was')
  t.match(await callError(small.create('ada', 'b', record({ message: 'x'.repeat(1000) }))), noRoom)
  for (const owner of ['bob', 'carol', 'dave', 'eve']) await small.create(owner, owner, record({ message: 'x'.repeat(700) }))
  t.match(await callError(small.create('frank', 'f', record({ message: 'x'.repeat(700) }))), noRoom, 'nor for those of all together')
  await small.check('ada')
  await small.change('a', (current) => ({ ...current, message: 'x' }))
  move(60)
  for (const owner of ['bob', 'ada']) await small.create(owner, `${owner} again`, record({ message: 'x'.repeat(700) }))
})

t.test('in Redis', { skip: withoutRedis }, async (t) => {
  const { url, kill } = await startRedis(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url, keyPrefix: 'p:' })
  await app.register(tasks, { redis: app.redis, ttl: 60, maxTasksOfOne: 3 })
  await app.ready()
  await contract(t, app.tasks)
  const keys = (await app.redis.keys('*')).toSorted()
  t.match(keys, ['p:task:k1', /^p:tasks-of:[\w-]{43}$/])
  const left = await app.redis.pttl('task:k1')
  t.ok(left > 0 && left <= 60_000, 'Redis forgets it by itself')
  t.ok(await app.redis.pttl(String(keys[1]).slice(2)) > 0, 'and that there was one')
  await bounds(t, app.tasks)

  await app.redis.hset('task:odd', 'revision', '1', 'record', '{"tool":1}')
  t.match(await callError(app.tasks.read('odd')), { kind: 'internal', message: 'The task cannot be read.' })
  await app.redis.hset('task:odd', 'record', 'no JSON')
  t.match(await callError(app.tasks.read('odd')), { kind: 'internal' })
  await app.redis.set('task:text', 'x')
  t.match(await callError(app.tasks.read('text')), { kind: 'unavailable' })

  await kill()
  const unreachable = { kind: 'unavailable', message: 'The store of tasks cannot be reached.' }
  t.match(await callError(app.tasks.check('ada')), unreachable)
  t.match(await callError(app.tasks.create('ada', 'x', record())), unreachable)
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
