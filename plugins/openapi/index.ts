import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, duration, flag, list, text, whole, type OptionsShape } from '../../checks/options.ts'
import { isBaseUrl, withoutTrailingSlash } from '../../checks/urls.ts'
import { compileTool, type Tool } from '../catalog/index.ts'
import { parseLock } from '../catalog/lock.ts'
import { permitted, unapprovedPolicies, type UnapprovedPolicy } from '../catalog/pins.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { isListed } from './budget.ts'
import { toolDefinition, type CallOptions } from './call/definition.ts'
import { locator } from './call/locate.ts'
import { resourceReader } from './call/resource-file.ts'
import { digestsOf, driftBetween, type Drift } from './drift.ts'
import type { GeneratedTool } from './generated.ts'
import { generateAside } from './generating.ts'
import { DocumentKeeper, type LookResult, type SchemaHealth } from './keeper.ts'
import type { Skipped } from './operation.ts'
import { unapproved } from './pins.ts'
import type { SearchedOperation } from './search/operations.ts'
import { searchTools } from './search/tools.ts'
import { isMethodSelector, isSelector } from './select.ts'
import { takeOver } from './signal.ts'
import { readText, sourceOf } from './source.ts'

export { lookResults, type LookResult, type SchemaHealth } from './keeper.ts'
export type { Drift } from './drift.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The OpenAPI document that tools are made from; there only where this plugin is registered. */
    readonly openapi: OpenapiState
  }
}

export interface OpenapiState {
  /** Looks for a newer document now. A broken one, or none, leaves the last good one in use. */
  readonly reload: () => Promise<LookResult>
  readonly health: () => SchemaHealth
  /** Tools that are made from the document in use. */
  readonly tools: () => readonly GeneratedTool[]
  /** How many tools of the document are not as the lock file approves them, whatever becomes of them. */
  readonly unapproved: () => number
}

export interface OpenapiOptions {
  /** Where the document is: a path on the Django host, an http or https URL, or a file. */
  schema: string
  /** Where Django answers; a URL below it is fetched with the key of this service, any other one without. */
  djangoUrl: string
  /** File that every good document is saved to, and that is read where there is none at the start. */
  copy?: string | undefined
  /** Seconds between two looks for a newer document; 0 for none. */
  refreshSeconds?: number
  /** Seconds that the start waits for a document that cannot be reached; less than Fastify's `pluginTimeout`. */
  patience?: number
  /** Signal on which to look for a newer document. Whoever has handled it does not hear it any more. */
  reloadSignal?: NodeJS.Signals | undefined
  /** What is allowed to become tools, as selectors with a method: `all`, `POST tag:Books`; everything that reads where it is left out. */
  methods?: readonly string[] | undefined
  /** Of what is allowed, only this, as selectors: a method, a path such as `/api/books/**`, `tag:Books`, an operation id, or a method and one of these. */
  include?: readonly string[] | undefined
  /** What is left out, as selectors. */
  exclude?: readonly string[] | undefined
  /** File with what the document does not say. */
  overlay?: string | undefined
  /** File with the names that tools keep. */
  lock?: string | undefined
  /** What becomes of tools that the lock file has no entry for, or another text: a warning in the log, or they are left out. */
  unapproved?: UnapprovedPolicy
  /** Whether tools tell the form of their answers, which multiplies what a list costs. */
  outputSchemas?: boolean
  /** Tokens up to which tools are listed; above, they are searched. Where it is left out: 10,000, and 40 tools. */
  tokenBudget?: number | undefined
  /** UTF-8 bytes of an answer that are shown; what is longer is cut along its structure. 40,000, at most 25,000 tokens, where it is left out. */
  maxResultBytes?: number | undefined
  /** Whether the API does nothing twice that comes with the same `Idempotency-Key`: only then is a POST or PATCH tried again that its document does not say so of. */
  honoursIdempotencyKeys?: boolean
  /** Told of every look after the first document. */
  onLook?: (result: LookResult) => void
  /** Told of what a newer document changes. */
  onDrift?: (drift: Drift) => void
}

const aSelector = 'a selector such as "/api/books/*", "tag:Books" or "books_*"'

function selectors (isOne: (text: string) => boolean, expected: string) {
  return list(z.string(expected).refine(isOne, expected), 'a list of selectors')
}

const url = 'an http or https URL without credentials, query or fragment'

const optionsSchema = z.strictObject({
  schema: text('a path on the Django host, a URL or a file'),
  djangoUrl: z.string(url).refine(isBaseUrl, url).transform(withoutTrailingSlash),
  copy: text('the path of a file').optional(),
  refreshSeconds: duration('seconds', 0).default(0),
  patience: duration('seconds').default(8),
  reloadSignal: z.custom<NodeJS.Signals>((value) => typeof value === 'string' && /^SIG[A-Z\d]+$/.test(value), 'the name of a signal').optional(),
  methods: selectors(isMethodSelector, 'a selector that names a method, such as "all" or "POST /api/books/*"').optional(),
  include: selectors(isSelector, aSelector).optional(),
  exclude: selectors(isSelector, aSelector).optional(),
  overlay: text('the path of a file').optional(),
  lock: text('the path of a file').optional(),
  unapproved: z.enum(unapprovedPolicies, 'warn or refuse').default('warn'),
  outputSchemas: flag().default(false),
  tokenBudget: whole(0, 'tokens').optional(),
  maxResultBytes: whole(1_000, 'bytes').optional(),
  honoursIdempotencyKeys: flag().default(false),
  onLook: callback<(result: LookResult) => void>().default(() => () => undefined),
  onDrift: callback<(drift: Drift) => void>().default(() => () => undefined)
} satisfies OptionsShape<OpenapiOptions>)

/** Names that a log line holds at most. */
const maxLogged = 50

function some<Entry> (entries: readonly Entry[]): readonly Entry[] {
  return entries.slice(0, maxLogged)
}

/** The tools that can be compiled; what cannot is one operation less, with its reason. */
function compiled (tools: readonly GeneratedTool[], options: CallOptions): { operations: SearchedOperation[], failed: Skipped[] } {
  const operations: SearchedOperation[] = []
  const failed: Skipped[] = []
  for (const generated of tools) {
    try {
      operations.push({ generated, tool: compileTool(toolDefinition(generated, options), 'when called') })
    } catch (error) {
      failed.push({ operation: generated.operation.key, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return { operations, failed }
}

/**
 * Tools from the OpenAPI document of the Django project, beside those of the catalog, which go before them on the same
 * name. A newer document takes the place of the one there is whole, between two calls.
 */
const openapi: FastifyPluginAsync<OpenapiOptions> = async (app, options) => {
  const { schema, djangoUrl, tokenBudget, onDrift, methods, include, exclude, overlay, lock, unapproved: policy, outputSchemas, maxResultBytes, honoursIdempotencyKeys, ...keeping } = checkOptions('openapi', optionsSchema, options)
  const log = namedLogger(app.log, 'openapi')
  let current: readonly GeneratedTool[] = []
  let digests: ReadonlyMap<string, string> | undefined
  let unapprovedTools = 0

  /** The tools that may be there, as far as the lock file says. */
  function approved (tools: readonly GeneratedTool[], lockText: string): readonly GeneratedTool[] {
    const differing = unapproved(tools, parseLock(lockText))
    unapprovedTools = differing.added.length + differing.changed.length
    return permitted(tools, differing, policy, log)
  }

  const basePath = new URL(djangoUrl).pathname.replace(/\/$/, '')
  const readResource = resourceReader(() => app.catalog)

  async function use (document: string, [overlayText, lockText]: readonly string[], signal: AbortSignal): Promise<void> {
    const texts = { document, overlay: overlay === undefined ? undefined : overlayText, lock: lock === undefined ? undefined : lockText }
    const { tools, skipped, warnings } = await generateAside(texts, { methods, include, exclude, outputSchemas }, signal)
    const allowed = lock === undefined || lockText === undefined ? tools : approved(tools, lockText)
    const ours = allowed.filter(({ name }) => !app.catalogs.defines(name))
    const byName = new Map(ours.map((tool) => [tool.name, tool]))
    const { operations, failed } = compiled(ours, { maxResultBytes, honoursIdempotencyKeys, locate: locator(ours, basePath), named: (name) => byName.get(name), readResource })
    const listed = isListed(operations.map(({ generated }) => generated), tokenBudget)
    const next: Tool[] = listed ? operations.map(({ tool }) => tool) : searchTools(operations)
    app.catalogs.replace(app.catalogs.extendedBy(next))

    for (const warning of some(warnings)) log.warn(warning)
    for (const { operation, reason } of some(failed)) log.warn({ operation, reason }, 'an operation cannot be a tool')
    log.info({ operations: operations.length, skipped: skipped.length, listed: next.length }, listed ? 'operations of the schema are tools' : 'operations of the schema are searched')
    current = operations.map(({ generated }) => generated)
    const before = digests
    digests = digestsOf(current)
    if (before === undefined) return
    const drift = driftBetween(before, digests)
    log.info({ added: some(drift.added), removed: some(drift.removed), changed: some(drift.changed) }, 'the schema has changed')
    onDrift(drift)
  }

  const keeper = new DocumentKeeper({
    source: sourceOf(schema, { django: app.django, djangoUrl }),
    copy: keeping.copy,
    use,
    beside: () => Promise.all([overlay, lock].map(async (path) => path === undefined ? '' : await readText(path))),
    log,
    patience: keeping.patience * 1000,
    interval: keeping.refreshSeconds === 0 ? undefined : keeping.refreshSeconds * 1000,
    onLook: keeping.onLook
  })

  let release: (() => void) | undefined
  app.addHook('onClose', async () => {
    release?.()
    keeper.stop()
  })
  await keeper.start()
  app.decorate('openapi', { reload: () => keeper.reload(), health: () => keeper.health(), tools: () => current, unapproved: () => unapprovedTools })
  const { reloadSignal } = keeping
  if (reloadSignal !== undefined) {
    // When everybody who ends the process on signals has been set up.
    app.addHook('onListen', async () => {
      release = takeOver(reloadSignal, () => {
        log.info({ signal: reloadSignal }, 'the schema is looked for')
        void keeper.reload()
      })
    })
  }
}

export default fp(openapi, { name: 'openapi', fastify: '5.x', dependencies: ['catalog', 'django'] })
