import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { z } from 'zod'

/** Share of lines, in percent, that tests run at least in each of these. */
const bound = 95
const covered = ['config.ts', 'config/', 'checks/', 'plugins/', 'routes/', 'tools/', 'resources/']

const summary = z.record(z.string(), z.object({ lines: z.object({ total: z.number(), covered: z.number() }) }))

// What the last run of tap left behind.
const files = Object.entries(summary.parse(JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'))))
  .map(([path, { lines }]) => ({ path: relative(process.cwd(), path), lines }))

let failed = false
for (const prefix of covered) {
  const lines = files.filter(({ path }) => path.startsWith(prefix)).map(({ lines }) => lines)
  const total = lines.reduce((sum, { total }) => sum + total, 0)
  const share = 100 * lines.reduce((sum, { covered }) => sum + covered, 0) / total
  const enough = share >= bound
  failed ||= !enough
  process.stdout.write(`${enough ? 'ok    ' : 'FAILED'} ${prefix} ${Number.isNaN(share) ? 'no' : share.toFixed(2)} % of ${total} lines\n`)
}
process.exitCode = failed ? 1 : 0
