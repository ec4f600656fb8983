import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { generate } from '../../plugins/openapi/generate.ts'
import { tokens } from '../../rubric/checks/coverage.ts'
import { Service } from '../../rubric/service.ts'
import { Subject } from '../../rubric/subject.ts'

const kobo: unknown = load(readFileSync(new URL('../fixtures/openapi/given/kobo-v2.yaml', import.meta.url), 'utf8'))

t.test('the list of 277 operations costs at most 60 % of the naive one', async (t) => {
  const service = await Service.start()
  t.teardown(() => service.stop())
  const { list, naive, naiveInputs } = tokens(new Subject('kobo', kobo, service))
  t.comment(`${list} tokens; ${naive} as the document has it, ${naiveInputs} of them without answers`)
  t.ok(list <= 0.6 * naive)
  t.ok(list <= 0.6 * naiveInputs, 'answers left out, which nobody has to list')
})

/** Bytes that are in use when all garbage is gone. */
function heap (): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}

t.test('what it takes to make them is told', async (t) => {
  const before = heap()
  const begin = performance.now()
  const { tools } = generate(kobo, { methods: ['all'] })
  const milliseconds = performance.now() - begin
  t.comment(`${tools.length} tools in ${Math.round(milliseconds)} ms, which keep ${((heap() - before) / 2 ** 20).toFixed(1)} MiB of heap`)
  t.ok(tools.length > 270)
})
