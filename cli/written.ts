import { fileURLToPath } from 'node:url'
import { compileTool, type Tool } from '../plugins/catalog/index.ts'
import { compileAll, load } from '../plugins/catalog/load.ts'

const builtInFolder = fileURLToPath(new URL('../tools', import.meta.url))

/**
 * The tools that are written as code, of these folders and, where they are asked for, of this package.
 * @throws {CatalogError} naming every folder and file that cannot be used
 */
export async function writtenTools (folders: readonly string[], builtIn: boolean): Promise<readonly Tool[]> {
  const sources = await load([...builtIn ? [builtInFolder] : [], ...folders])
  return compileAll(sources, (definition) => compileTool(definition), ({ name }) => name)
}
