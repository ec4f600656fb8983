import { readFileSync } from 'node:fs'
import { emptyLock, type Lock } from '../plugins/catalog/lock.ts'
import { lockOfWritten } from '../plugins/catalog/pins.ts'
import { isListed } from '../plugins/openapi/budget.ts'
import { parseDocument } from '../plugins/openapi/document.ts'
import { generate, type Generated } from '../plugins/openapi/generate.ts'
import { parseOverlay } from '../plugins/openapi/overlay.ts'
import { lockOf } from '../plugins/openapi/pins.ts'
import { estimateTokens } from '../plugins/openapi/tokens.ts'
import { listings, type Listing } from './listing.ts'
import { keepLock, lockAt } from './lock-file.ts'
import { naiveTokens } from './naive.ts'
import { table } from './table.ts'
import { parseOptions, UsageError } from './usage.ts'
import { writtenTools } from './written.ts'

const usage = `Prints the tools that a server would have, without a server.

npm run --silent tools -- [--schema FILE] [--tools FOLDER] [--built-in] [options]

  --schema FILE     tools of this OpenAPI document, as YAML or JSON
  --tools FOLDER    tools that are written as code, as TOOLS_DIR
  --built-in        those that this package brings, as BUILT_IN_TOOLS
  --overlay FILE    what the document does not say
  --methods LIST    what is allowed: methods, "all", or a method before a path, tag:NAME or operation id;
                    separated by commas, GET where it is left out
  --include LIST    only these operations: methods, paths, tag:NAME or operation ids
  --exclude LIST    not these
  --lock FILE       digests of the texts of tools, and names that those of the document keep, as TOOLS_LOCK; the file is
                    made where there is none, and written where names or texts are new: that approves them
  --output-schemas  with the form of answers, as TOOL_OUTPUT_SCHEMAS
  --mode MODE       "list" for the tools themselves, "search" for those that search them; list where it is left out
  --json            one JSON object in the place of a table
`

const list = { type: 'string', multiple: true } as const

function options () {
  return parseOptions({
    schema: { type: 'string' },
    tools: list,
    'built-in': { type: 'boolean', default: false },
    overlay: { type: 'string' },
    methods: list,
    include: list,
    exclude: list,
    lock: { type: 'string' },
    'output-schemas': { type: 'boolean', default: false },
    mode: { type: 'string', default: 'list' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false }
  })
}

function read (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function entriesOf (values: readonly string[] | undefined): string[] | undefined {
  return values?.flatMap((value) => value.split(',')).map((value) => value.trim()).filter((value) => value !== '')
}

/** What a server makes of a document with these options. */
function generatedFrom (document: unknown, { overlay, methods, include, exclude, 'output-schemas': outputSchemas }: ReturnType<typeof options>, lock: Lock | undefined): Generated {
  return generate(document, {
    methods: entriesOf(methods),
    include: entriesOf(include),
    exclude: entriesOf(exclude),
    overlay: overlay === undefined ? undefined : parseOverlay(read(overlay)),
    lock,
    outputSchemas
  })
}

function tokensOf ({ name, description, inputSchema }: Listing): number {
  return estimateTokens(JSON.stringify({ name, description, inputSchema }))
}

async function run (): Promise<void> {
  const given = options()
  const { schema, tools: folders = [], 'built-in': builtIn, lock: lockFile, mode, json, help } = given
  if (help) {
    process.stdout.write(usage)
    return
  }
  if (schema === undefined && folders.length === 0 && !builtIn) throw new UsageError('One of --schema FILE, --tools FOLDER and --built-in is needed')
  if (mode !== 'list' && mode !== 'search') throw new UsageError(`--mode: expected list or search, got ${JSON.stringify(mode)}`)
  const previous = lockAt(lockFile)
  const written = await writtenTools(folders, builtIn)
  const document = schema === undefined ? undefined : parseDocument(read(schema))
  const generated = document === undefined ? undefined : generatedFrom(document, given, previous)
  const all = generated?.tools ?? []
  if (lockFile !== undefined) keepLock(lockFile, lockOf(all, lockOfWritten(written, previous ?? emptyLock)), previous)

  const own = new Set(written.map(({ name }) => name.toLowerCase()))
  const tools = all.filter(({ name }) => !own.has(name.toLowerCase()))
  const skipped = [
    ...generated?.skipped ?? [],
    ...all.filter((tool) => !tools.includes(tool)).map(({ operation }) => ({ operation: operation.key, reason: 'a tool of its name is written as code' }))
  ]
  const made = document === undefined ? [] : listings(tools, mode)
  const listed = [...written.map(({ listing }) => listing), ...made]
  const tokens = {
    list: listed.reduce((sum, listing) => sum + tokensOf(listing), 0),
    naive: document === undefined ? 0 : naiveTokens(document, new Set(tools.map(({ operation }) => operation.key)))
  }
  for (const warning of generated?.warnings ?? []) process.stderr.write(`${warning}\n`)
  const originOf = (listing: Listing): string => made.includes(listing) ? tools.find(({ name }) => name === listing.name)?.operation.key ?? '' : 'code'
  process.stdout.write(json
    ? `${JSON.stringify({ tools: listed, skipped, tokens })}\n`
    : table(listed.map((listing) => ({ listing, tokens: tokensOf(listing), operation: originOf(listing) })), skipped, tokens) +
      (mode === 'list' && !isListed(tools) ? 'That is more than a server lists where TOOL_TOKEN_BUDGET is not set: it would give the tools of --mode search.\n' : ''))
}

try {
  await run()
} catch (error) {
  // What is wrong with a file or an option is told by its message; anything else is a mistake of ours.
  const told = error instanceof UsageError || (error instanceof Error && ['CatalogError', 'DocumentError', 'OverlayError', 'LockError', 'SelectorError'].includes(error.name))
  process.stderr.write(`${told ? `${error.message}${error instanceof UsageError ? '\nRun it with --help for its options.' : ''}` : error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
