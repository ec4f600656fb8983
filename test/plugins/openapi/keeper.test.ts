import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { DocumentKeeper, type KeeperOptions, type LookResult } from '../../../plugins/openapi/keeper.ts'
import { SourceError, type Fetched } from '../../../plugins/openapi/source.ts'
import { LogLines } from '../../helper.ts'

type Answer = Fetched | 'unchanged' | Error

/** A keeper in front of a source that gives what the test wants; documents that contain "broken" cannot be used. */
function keeperOf (t: Test, changes: Partial<KeeperOptions> = {}) {
  const state: { answer: Answer, beside: string[], used: string[], asked: Array<string | undefined>, looks: LookResult[] } = {
    answer: { text: 'one', etag: '"1"' }, beside: [], used: [], asked: [], looks: []
  }
  const log = new LogLines()
  const keeper = new DocumentKeeper({
    source: {
      name: 'the source',
      async fetch (etag) {
        state.asked.push(etag)
        if (state.answer instanceof Error) throw state.answer
        return state.answer
      }
    },
    copy: undefined,
    async use (text, beside) {
      if (text.includes('broken')) throw new Error('no document')
      state.used.push([text, ...beside].join(' with '))
    },
    beside: async () => state.beside,
    log: Fastify({ logger: { stream: log } }).log,
    patience: 50,
    interval: undefined,
    onLook: (result) => { state.looks.push(result) },
    ...changes
  })
  t.teardown(() => { keeper.stop() })
  return { keeper, state, log }
}

const unreachable = new SourceError('the source: the answer is 503', true)

t.test('a look takes a new document into use, and leaves an unchanged one alone', async (t) => {
  const { keeper, state } = keeperOf(t)
  await keeper.start()
  t.equal(await keeper.reload(), 'unchanged', 'the same text')
  state.answer = 'unchanged'
  t.equal(await keeper.reload(), 'unchanged', 'the same tag')
  state.answer = { text: 'two', etag: undefined }
  t.equal(await keeper.reload(), 'replaced')
  await keeper.reload()
  t.strictSame(state.used, ['one', 'two'])
  t.strictSame(state.asked, [undefined, '"1"', '"1"', '"1"', undefined], 'asked by the tag of the document in use')
  t.strictSame(state.looks, ['unchanged', 'unchanged', 'replaced', 'unchanged'], 'the first document is no look')
})

t.test('a change beside the document makes it new', async (t) => {
  const { keeper, state } = keeperOf(t)
  await keeper.start()
  state.beside = ['an overlay']
  t.equal(await keeper.reload(), 'replaced')
  t.strictSame(state.used, ['one', 'one with an overlay'])
  t.equal(state.asked[1], undefined, 'it is asked for whole')
  t.equal(await keeper.reload(), 'unchanged')
})

t.test('a broken or unreachable document leaves the last good one, and is told until it is good again', async (t) => {
  const { keeper, state, log } = keeperOf(t)
  await keeper.start()
  t.match(keeper.health(), { healthy: true, reason: undefined })
  state.answer = { text: 'broken', etag: '"2"' }
  t.equal(await keeper.reload(), 'broken')
  t.match(keeper.health(), { healthy: false, reason: 'The schema is not valid' })
  state.answer = unreachable
  t.equal(await keeper.reload(), 'unreachable')
  t.match(keeper.health(), { healthy: false, reason: 'The schema cannot be read' })
  t.strictSame(state.used, ['one'])
  t.strictSame(state.asked, [undefined, '"1"', '"1"'], 'the tag of a broken document is forgotten')
  state.answer = 'unchanged'
  t.equal(await keeper.reload(), 'unchanged')
  t.match(keeper.health(), { healthy: true, reason: undefined })
  t.match(log.records.map(({ msg }) => msg), [/the last good one stays/, /the last good one stays/, 'the schema is good again'])
})

t.test('looks do not overlap', async (t) => {
  const { keeper, state } = keeperOf(t)
  await keeper.start()
  t.strictSame(await Promise.all([keeper.reload(), keeper.reload()]), ['unchanged', 'unchanged'])
  t.equal(state.asked.length, 2)
})

t.test('it looks by itself, and stops', async (t) => {
  const { keeper, state } = keeperOf(t, { interval: 5 })
  await keeper.start()
  while (state.looks.length < 3) await new Promise((resolve) => { setTimeout(resolve, 5) })
  keeper.stop()
  const { length } = state.asked
  await new Promise((resolve) => { setTimeout(resolve, 30) })
  t.ok(state.asked.length <= length + 1)
})

t.test('the start waits for a source that is not there yet', async (t) => {
  const { keeper, state, log } = keeperOf(t, { patience: 60_000 })
  state.answer = unreachable
  const started = keeper.start()
  while (state.asked.length < 2) await new Promise((resolve) => { setTimeout(resolve, 10) })
  state.answer = { text: 'one', etag: undefined }
  await started
  t.strictSame(state.used, ['one'])
  t.match(log.records[0], { msg: 'the schema cannot be read yet', reason: 'the source: the answer is 503' })
})

t.test('the start is refused without a document', async (t) => {
  const waiting = keeperOf(t)
  waiting.state.answer = unreachable
  await t.rejects(waiting.keeper.start(), { message: 'the source: the answer is 503' }, 'after its patience')
  for (const answer of [new SourceError('the source: there is nothing (404)', false), { text: 'broken', etag: undefined }, 'unchanged' as const]) {
    const { keeper, state } = keeperOf(t, { patience: 60_000 })
    state.answer = answer
    await t.rejects(keeper.start(), 'at once')
    t.equal(state.asked.length, 1)
  }
})

t.test('every good document is saved, and the copy is taken where the source fails at the start', async (t) => {
  const copy = join(t.testdir({}), 'schema.json')
  const first = keeperOf(t, { copy })
  await first.keeper.start()
  t.equal(await readFile(copy, 'utf8'), 'one')
  first.state.answer = { text: 'broken', etag: undefined }
  await first.keeper.reload()
  t.equal(await readFile(copy, 'utf8'), 'one')
  first.state.answer = { text: 'two', etag: undefined }
  await first.keeper.reload()
  t.equal(await readFile(copy, 'utf8'), 'two')
  await utimes(copy, new Date(0), new Date(0))

  const second = keeperOf(t, { copy })
  second.state.answer = unreachable
  await second.keeper.start()
  t.strictSame(second.state.used, ['two'])
  const { healthy, ageSeconds, reason } = second.keeper.health()
  t.strictSame({ healthy, reason }, { healthy: false, reason: 'The schema cannot be read' })
  t.ok(ageSeconds > 1_000_000, 'as old as the copy')
  second.state.answer = { text: 'two', etag: undefined }
  t.equal(await second.keeper.reload(), 'unchanged')
  t.match(second.keeper.health(), { healthy: true })
})

t.test('a copy that cannot be used either is named beside the source', async (t) => {
  const folder = t.testdir({ 'copy.yml': 'broken' })
  for (const [name, words] of [['none.yml', /503; nor can the saved copy be used: .*none\.yml: there is no such file/], ['copy.yml', /503; nor can the saved copy be used: no document/]] as const) {
    const { keeper, state } = keeperOf(t, { copy: join(folder, name) })
    state.answer = unreachable
    await t.rejects(keeper.start(), { message: words })
  }
})

t.test('a copy that cannot be written is told and no more', async (t) => {
  const { keeper, log } = keeperOf(t, { copy: join(t.testdir({}), 'no such folder', 'copy.yml') })
  await keeper.start()
  t.match(log.records, [{ msg: 'the copy of the schema cannot be written' }])
})
