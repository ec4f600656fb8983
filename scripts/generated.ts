import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** A generated file: where it is, what it holds and what it should hold. */
export interface Generated {
  path: string
  current: string
  wanted: string
}

/** Absolute path of a file of the repository. */
export function pathOf (file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url))
}

/**
 * The page with `content` in place of what stands between `<!-- name -->` and `<!-- /name -->`.
 * @throws {Error} for a page without these
 */
export function between (page: string, name: string, content: string): string {
  const begin = `<!-- ${name} -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(`<!-- /${name} -->`)
  if (from === -1 || to < from) throw new Error(`There is no ${begin} with <!-- /${name} --> after it.`)
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`
}

/** Text for a cell of a table in Markdown. */
export function cell (text: string): string {
  return text.replaceAll('|', '\\|')
}

/**
 * Writes the files that are stale, or with `--check` only names them. Gives the exit code: 1 where a check found one.
 * @throws {TypeError} for an argument that does not exist
 */
export function run (args: string[], files: readonly Generated[], say: (line: string) => void): number {
  const { check } = parseArgs({ args, options: { check: { type: 'boolean', default: false } } }).values
  const stale = files.filter(({ current, wanted }) => current !== wanted)
  for (const { path, wanted } of stale) {
    if (!check) writeFileSync(path, wanted)
    say(check ? `${path} is stale: npm run docs\n` : `${path} is written\n`)
  }
  return check && stale.length > 0 ? 1 : 0
}

/** Runs what a script generates, where that script is the program. Not import.meta.main, which Node 22 does not have. */
export function runWhereMain (url: string, generated: () => readonly Generated[]): void {
  if (process.argv[1] !== fileURLToPath(url)) return
  process.exitCode = run(process.argv.slice(2), generated(), (line) => { process.stderr.write(line) })
}
