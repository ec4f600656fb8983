import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Check } from '../../rubric/checks/index.ts'
import { run } from '../../rubric/command.ts'

const fixture = fileURLToPath(new URL('../fixtures/openapi/synthetic/pagination.yaml', import.meta.url))

async function printed (args: string[], checks?: readonly Check[]): Promise<{ code: number, lines: string[] }> {
  const lines: string[] = []
  return { code: await run(args, (line) => { lines.push(line) }, checks), lines }
}

t.test('the command prints a line for each check and document', async (t) => {
  const { code, lines } = await printed(['--check', '1', '--check', '26', fixture, fixture])
  t.equal(code, 0)
  t.equal(lines.length, 4)
  t.match(lines, [/^ok +1 .*pagination\.yaml: 6 names$/, /^ok +26 /, /^ok +1 /, /^ok +26 /])
  t.strictSame(await printed(['--quiet', '--check', '1', fixture]), { code: 0, lines: [] })
})

t.test('the exit code is 1 where a check fails, and its problems are told', async (t) => {
  const problems = Array.from({ length: 10 }, (_, index) => `problem\n${index}`)
  const failing: Check = { id: 31, title: 'always fails', run: () => ({ checked: '10 things', problems }) }
  const { code, lines } = await printed([fixture], [failing])
  t.equal(code, 1)
  t.match(lines[0], /^FAILED 31 always fails .*pagination\.yaml: 10 things$/)
  t.equal(lines[1], '          problem / 0')
  t.equal(lines.at(-1), '          and 2 more')
})

t.test('the exit code is 2 where there is nothing to hold against', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rubric-test-'))
  t.teardown(() => { rmSync(folder, { recursive: true }) })
  const broken = join(folder, 'broken.yaml')
  writeFileSync(broken, 'openapi: [')
  for (const args of [[], ['--unknown', fixture], ['--check', '99', fixture], [join(folder, 'absent.yaml')], [broken]]) {
    const { code, lines } = await printed(args)
    t.equal(code, 2, args.join(' '))
    t.not(lines.length, 0)
  }
})
