import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

/** Files that cannot be used, each with its reason; the message is made to be read on a terminal. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError'
  readonly problems: ReadonlyArray<{ path: string, reason: string }>

  constructor (problems: ReadonlyArray<{ path: string, reason: string }>) {
    super(`The catalog is not valid:\n${problems.map(({ path, reason }) => `  ${path}: ${reason.replaceAll('\n', '\n    ')}`).join('\n')}`)
    this.problems = problems
  }
}

/** Something to compile, and where it comes from. */
export interface Source {
  path: string
  definition: unknown
}

/** Scripts that Node runs as they are; declarations, tests and files that begin with `_` or `.` are none of ours. */
const script = /^[^_.].*(?<!\.d)(?<!\.test)\.[cm]?[jt]s$/

/** The ending of whatever looks like a script. */
const scriptLike = /(?<!\.d)\.[cm]?[jt]sx?$/

/** Whether an entry of a folder looks as if it, or something in it, were meant to be loaded. Hidden folders are how Kubernetes mounts. */
function isConspicuous (entry: Dirent): boolean {
  return entry.isDirectory() ? !/^(\.|node_modules$)/.test(entry.name) : scriptLike.test(entry.name) && !script.test(entry.name)
}

const packageFolder = new URL('../../', import.meta.url).href

/** Whether an import led to built files of this package that are not there: in a repository, before the first build. */
function isUnbuilt (error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') return false
  const url = 'url' in error && typeof error.url === 'string' ? error.url : ''
  return url.startsWith(`${packageFolder}dist/`) || url.includes('/django-mcp-server/dist/')
}

function reasonOf (error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error)
  if (isUnbuilt(error)) return 'it imports django-mcp-server, which is not built; run `npm run build` first'
  return error instanceof Error ? error.message : String(error)
}

const moduleShape = z.looseObject({ default: z.unknown().optional() })
/** What compilers make of an ES module for CommonJS: its default export is one level down. */
const transpiledShape = z.looseObject({ __esModule: z.literal(true), default: z.unknown() })

async function importDefault (path: string): Promise<unknown> {
  const { default: exported } = moduleShape.parse(await import(pathToFileURL(path).href))
  const transpiled = transpiledShape.safeParse(exported)
  return transpiled.success ? transpiled.data.default : exported
}

/**
 * Imports every script of the folders, in the order of their names.
 * @param onPassedOver told of the names in a folder that look like scripts or hold some, and are not loaded
 * @throws {CatalogError} naming every folder and file that cannot be read
 */
export async function load (folders: readonly string[], onPassedOver: (folder: string, names: string[]) => void = () => undefined): Promise<Source[]> {
  const sources: Source[] = []
  const problems: Array<{ path: string, reason: string }> = []
  for (const folder of folders) {
    let names: string[] = []
    try {
      const entries = await readdir(folder, { withFileTypes: true })
      names = entries.filter((entry) => !entry.isDirectory() && script.test(entry.name)).map(({ name }) => name).toSorted()
      const passedOver = entries.filter(isConspicuous).map(({ name }) => name)
      if (passedOver.length > 0) onPassedOver(folder, passedOver.toSorted())
    } catch (error) {
      problems.push({ path: folder, reason: reasonOf(error) })
    }
    for (const name of names) {
      const path = resolve(join(folder, name))
      try {
        const definition = await importDefault(path)
        if (definition === undefined) problems.push({ path, reason: 'it has no default export' })
        else sources.push({ path, definition })
      } catch (error) {
        problems.push({ path, reason: reasonOf(error) })
      }
    }
  }
  if (problems.length > 0) throw new CatalogError(problems)
  return sources
}

/**
 * Compiles definitions and sees to it that no two have the same key, not even with other capital letters.
 * @throws {CatalogError} naming every definition that cannot be used
 */
export function compileAll<Item> (sources: readonly Source[], compile: (definition: unknown) => Item, keyOf: (item: Item) => string): Item[] {
  const items: Item[] = []
  const paths = new Map<string, string>()
  const problems: Array<{ path: string, reason: string }> = []
  for (const { path, definition } of sources) {
    try {
      const item = compile(definition)
      const key = keyOf(item)
      const other = paths.get(key.toLowerCase())
      if (other === undefined) items.push(item)
      else problems.push({ path, reason: `${key} is already defined in ${other}` })
      paths.set(key.toLowerCase(), path)
    } catch (error) {
      problems.push({ path, reason: reasonOf(error) })
    }
  }
  if (problems.length > 0) throw new CatalogError(problems)
  return items
}
