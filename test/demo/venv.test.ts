import { existsSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runDemo } from './helper.ts'

t.setTimeout(300_000)

/** Leaves pip without any place to install from. */
const nowhere = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: '', PIP_CONFIG_FILE: devNull }

t.test('an environment that was left half made is made anew, by one process while the others wait', async (t) => {
  const folder = join(t.testdir(), 'venv')

  const failing = runDemo(t, ['--once', '--venv', folder], nowhere)
  t.equal(await failing.exited, 1)
  t.match(failing.output(), /^pip could not install what demo\/requirements\.txt names \(exit code 1\)\. The end of its output:\n[\s\S]*Django==/m)
  t.notMatch(failing.output(), /^ {4}at /m, 'no stack')
  t.ok(existsSync(join(folder, 'pyvenv.cfg')), 'something is left of it')

  const demos = [1, 2, 3].map(() => runDemo(t, ['--once', '--venv', folder]))
  t.strictSame(await Promise.all(demos.map(({ exited }) => exited)), [0, 0, 0])
  t.equal(demos.filter((demo) => demo.output().includes('Installing')).length, 1)

  const again = runDemo(t, ['--once', '--venv', folder], nowhere)
  t.equal(await again.exited, 0)
  t.notMatch(again.output(), /Making|Installing/, 'what is complete is used again')
})

t.test('a folder with anything else in it is left alone', async (t) => {
  const folder = t.testdir({ 'thesis.txt': 'years of work' })
  const demo = runDemo(t, ['--once', '--venv', folder])
  t.equal(await demo.exited, 1)
  t.equal(demo.output(), `${folder} holds something else than a virtual environment: name another folder, or one that is empty.\n`)
  t.ok(existsSync(join(folder, 'thesis.txt')))
})
