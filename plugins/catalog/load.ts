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
const script = /^[^_.].*(?<!\.d)(?<!\.test)\.(js|mjs|ts|mts)$/

function reasonOf (error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error)
  return error instanceof Error ? error.message : String(error)
}

const moduleShape = z.looseObject({ default: z.unknown().optional() })

/**
 * Imports every script of the folders, in the order of their names.
 * @throws {CatalogError} naming every folder and file that cannot be read
 */
export async function load (folders: readonly string[]): Promise<Source[]> {
  const sources: Source[] = []
  const problems: Array<{ path: string, reason: string }> = []
  for (const folder of folders) {
    let names: string[] = []
    try {
      names = (await readdir(folder)).filter((name) => script.test(name)).toSorted()
    } catch (error) {
      problems.push({ path: folder, reason: reasonOf(error) })
    }
    for (const name of names) {
      const path = resolve(join(folder, name))
      try {
        const definition = moduleShape.parse(await import(pathToFileURL(path).href)).default
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
