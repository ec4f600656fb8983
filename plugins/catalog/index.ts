import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, list, text, type OptionsShape } from '../../checks/options.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { Catalog, type ScopesToAskFor } from './catalog.ts'
import { CatalogError, compileAll, load, type Source } from './load.ts'
import { parseLock, type Lock } from './lock.ts'
import { permitted, unapprovedPolicies, unapprovedWritten, type UnapprovedPolicy } from './pins.ts'
import { compilePrompt } from './prompt.ts'
import { compileResource } from './resource.ts'
import { compileTool, type Tool } from './tool.ts'

export { Catalog } from './catalog.ts'
export { asCallError, errorText } from './error-result.ts'
export { CatalogError } from './load.ts'
export type { Prompt } from './prompt.ts'
export type { Resource } from './resource.ts'
export { StartedJob, type JobProgress, type ToolTask } from './task.ts'
export { compileTool, type Tool, type ToolResult } from './tool.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Tools, resources and prompts, as they are now. */
    readonly catalog: Catalog
    /** Puts another catalog into the place of the one there is. */
    readonly catalogs: Catalogs
  }
}

export interface Catalogs {
  /**
   * Whether a tool of this name comes from a folder or an option, in whatever capital letters: also one that is left
   * out because nobody has approved it, whose place no other tool takes.
   */
  readonly defines: (name: string) => boolean
  /** How many tools from folders and options are not as the lock file approves them, whatever becomes of them. */
  readonly unapproved: () => number
  /**
   * A catalog of everything from folders and options together with further tools, which give way to those of the same
   * name.
   */
  readonly extendedBy: (tools: readonly Tool[]) => Catalog
  /**
   * Puts a catalog that is built already into the place of the current one, whole: a request sees one or the other.
   * Whoever listens is told.
   */
  readonly replace: (next: Catalog) => void
  readonly onChange: (listener: () => void) => void
}

export interface CatalogOptions {
  /** Folders with one tool a file, as its default export. */
  toolFolders?: readonly string[]
  /** Folders with one resource a file, as its default export. */
  resourceFolders?: readonly string[]
  /** Folders with one prompt a file, as its default export. */
  promptFolders?: readonly string[]
  /** Tools that are at hand already. */
  tools?: readonly object[]
  /** Resources that are at hand already. */
  resources?: readonly object[]
  /** Prompts that are at hand already. */
  prompts?: readonly object[]
  /** Scopes that clients should ask for to call a tool that needs these; given where callers sign in. */
  scopesToAskFor?: ScopesToAskFor | undefined
  /**
   * What all replicas have and nobody else: names that are none are refused with scopes that follow from it. Of this
   * process alone where it is left out.
   */
  secret?: string
  /** File with the digests of the texts that have been approved; read once, at the start. */
  lock?: string | undefined
  /** What becomes of tools that the lock file has no entry for, or another text: a warning in the log, or they are left out. */
  unapproved?: UnapprovedPolicy
}

const folders = () => list(text('the path of a folder'), 'a list of folders').default([])

const definitions = () => list(z.custom<object>((value) => typeof value === 'object' && value !== null, 'a definition'), 'a list of definitions').default([])

const optionsSchema = z.strictObject({
  toolFolders: folders(),
  resourceFolders: folders(),
  promptFolders: folders(),
  tools: definitions(),
  resources: definitions(),
  prompts: definitions(),
  scopesToAskFor: callback<ScopesToAskFor>().optional(),
  secret: text().default(() => randomBytes(32).toString('hex')),
  lock: text('the path of a file').optional(),
  unapproved: z.enum(unapprovedPolicies, 'warn or refuse').default('warn')
} satisfies OptionsShape<CatalogOptions>)

function given (definitions: readonly object[], kind: string): Source[] {
  return definitions.map((definition, index) => ({ path: `${kind} ${index}`, definition }))
}

async function readLock (path: string): Promise<Lock> {
  try {
    return parseLock(await readFile(path, 'utf8'))
  } catch (error) {
    throw new CatalogError([{ path, reason: error instanceof Error ? error.message : String(error) }])
  }
}

/** Builds the catalog. The app does not start with a definition that cannot be used: it would be missed only when called. */
const catalog: FastifyPluginAsync<CatalogOptions> = async (app, options) => {
  const { toolFolders, resourceFolders, promptFolders, tools, resources, prompts, scopesToAskFor, secret, lock, unapproved: policy } = checkOptions('catalog', optionsSchema, options, ['secret'])
  const log = namedLogger(app.log, 'catalog')
  const passedOver = (folder: string, names: string[]): void => {
    log.info({ folder, passed_over: names }, 'only files of the folder itself are loaded, and none that begin with "_" or "." or are tests')
  }
  const toolSources = [...await load(toolFolders, passedOver), ...given(tools, 'tool')]
  const resourceSources = [...await load(resourceFolders, passedOver), ...given(resources, 'resource')]
  const promptSources = [...await load(promptFolders, passedOver), ...given(prompts, 'prompt')]
  const written = compileAll(toolSources, (definition) => compileTool(definition), ({ name }) => name)
  const ownResources = compileAll(resourceSources, compileResource, ({ uri }) => uri)
  const ownPrompts = compileAll(promptSources, compilePrompt, ({ name }) => name)
  const { added, changed } = lock === undefined ? { added: [], changed: [] } : unapprovedWritten(written, await readLock(lock))
  const ownTools = permitted(written, { added, changed }, policy, log)
  const ownNames = new Set(written.map(({ name }) => name.toLowerCase()))
  const defines = (name: string): boolean => ownNames.has(name.toLowerCase())
  const built = new Catalog(ownTools, ownResources, ownPrompts, scopesToAskFor, secret)
  const cleaned = [ownTools, ownResources, ownPrompts].flat().filter(({ cleaned }) => cleaned).map(({ listing }) => listing.name)
  if (cleaned.length > 0) log.warn({ names: cleaned }, 'characters that nobody sees, or too many of them, were taken out of what is listed')
  const listeners: Array<() => void> = []
  let current = built
  app.decorate('catalog', { getter: () => current })
  app.decorate('catalogs', {
    defines,
    unapproved: () => added.length + changed.length,
    extendedBy: (further) => new Catalog([...ownTools, ...further.filter(({ name }) => !defines(name))], ownResources, ownPrompts, scopesToAskFor, secret),
    replace (next) {
      current = next
      for (const listener of listeners) listener()
    },
    onChange (listener) {
      listeners.push(listener)
    }
  })
  log.info(built.sizes, 'catalog is built')
}

export default fp(catalog, { name: 'catalog', fastify: '5.x' })
