import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { load } from 'js-yaml'
import { checks, type Check } from './checks/index.ts'
import { judge } from './judge.ts'
import { Service } from './service.ts'

const usage = `Usage: npm run rubric -- [--check N]... [--quiet] FILE...
  FILE     an OpenAPI document, 2.0, 3.0 or 3.1, as YAML or JSON
  --check  only this check, by its number; may be given several times
  --quiet  only what fails`

/** Problems that are told of one check; the rest is counted. */
const shown = 8

type Print = (line: string) => void

async function hold (files: readonly string[], wanted: readonly Check[], quiet: boolean, print: Print): Promise<boolean> {
  const service = await Service.start()
  let passed = true
  try {
    for (const file of files) {
      const name = basename(file)
      for await (const { check: { id, title }, outcome: { checked, problems } } of judge(name, load(readFileSync(file, 'utf8'), { maxDepth: 1000 }), service, wanted)) {
        const failed = problems.length > 0
        passed &&= !failed
        if (failed || !quiet) print(`${failed ? 'FAILED' : 'ok    '} ${String(id).padStart(2)} ${title.padEnd(56)} ${name}: ${checked}`)
        for (const problem of problems.slice(0, shown)) print(`          ${problem.replaceAll('\n', ' / ')}`)
        if (problems.length > shown) print(`          and ${problems.length - shown} more`)
      }
    }
  } finally {
    await service.stop()
  }
  return passed
}

/**
 * Holds the rubric against documents: one line for each check and document, and more where one fails.
 * @returns the exit code: 0 where everything holds, 1 where something fails, 2 where nothing could be held against
 */
export async function run (args: string[], print: Print, all: readonly Check[] = checks): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { check: { type: 'string', multiple: true }, quiet: { type: 'boolean', default: false } } })
    const ids = new Set((values.check ?? []).map(Number))
    const wanted = all.filter(({ id }) => ids.size === 0 || ids.has(id))
    if (positionals.length === 0) throw new TypeError('no document is given')
    if (wanted.length === 0) throw new TypeError(`there is no check ${[...ids].join(', ')}`)
    return await hold(positionals, wanted, values.quiet, print) ? 0 : 1
  } catch (error) {
    print(error instanceof Error ? error.message : String(error))
    if (error instanceof TypeError) print(usage)
    return 2
  }
}
