import t from 'tap'
import Fastify from 'fastify'
import redis from '../../plugins/redis.ts'
import { LogLines } from '../helper.ts'
import { startRedis, withoutRedis } from '../redis.ts'

function server (log: LogLines) {
  return Fastify({ logger: { level: 'info', stream: log } })
}

t.test('a connection that is made again', { skip: withoutRedis }, async (t) => {
  const { url, kill, start } = await startRedis(t, 'p4ss')
  const log = new LogLines()
  const app = server(log)
  t.teardown(() => app.close())
  // A command that waited for a connection, or for its time, would wait for longer than this test may take.
  await app.register(redis, { url, keyPrefix: 'test:', commandTimeout: 600_000 })
  await app.ready()
  await app.redis.set('a', '1')
  t.equal(await app.redis.get('a'), '1')
  await kill()
  await t.rejects(app.redis.get('a'), 'a command fails while there is none')
  await t.rejects(app.redis.get('a'))
  await start()
  for (let attempt = 0; attempt < 1000 && app.redis.status !== 'ready'; attempt += 1) await new Promise((resolve) => { setTimeout(resolve, 50) })
  t.equal(await app.redis.get('a'), null)
  t.equal(log.records.filter(({ msg }) => msg === 'Redis cannot be reached').length, 1, 'one line for the outage')
  t.match(log.records.map(({ msg }) => msg), ['Redis is connected', 'Redis cannot be reached', 'Redis can be reached again'])
  t.notMatch(log.text, 'p4ss')
})

t.test('a password that is wrong', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t, 'p4ss')
  const log = new LogLines()
  const app = server(log)
  t.teardown(() => app.close())
  await app.register(redis, { url: url.replace('p4ss', 'wr0ng'), patience: 300 })
  await app.ready()
  await t.rejects(app.redis.get('a'))
  t.match(log.records, [{ msg: 'Redis cannot be reached', reason: /WRONGPASS/ }])
  t.notMatch(log.text, 'wr0ng')
})

t.test('a server starts and ends without Redis', async (t) => {
  const log = new LogLines()
  const app = server(log)
  await app.register(redis, { url: 'redis://user:s3cret@127.0.0.1:1', patience: 300 })
  await app.ready()
  await t.rejects(app.redis.get('a'))
  await app.close()
  t.match(log.text, 'Redis cannot be reached')
  t.notMatch(log.text, 's3cret')
})

t.test('one that takes connections and says nothing holds up neither start nor end', async (t) => {
  const { createServer } = await import('node:net')
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve) })
  const address = silent.address()
  const port = address === null || typeof address === 'string' ? 0 : address.port
  const app = server(new LogLines())
  t.teardown(() => { silent.close() })
  // Whoever waited for an answer would wait for longer than this test may take.
  await app.register(redis, { url: `redis://127.0.0.1:${port}`, patience: 200, commandTimeout: 600_000 })
  await app.ready()
  await t.rejects(app.redis.get('a'))
  await app.close()
})
