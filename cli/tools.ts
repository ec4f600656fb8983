import { readFileSync, writeFileSync } from 'node:fs'
import { isListed } from '../plugins/openapi/budget.ts'
import { parseDocument } from '../plugins/openapi/document.ts'
import { generate, type Generated } from '../plugins/openapi/generate.ts'
import { formatLock, lockOf, parseLock, type Lock } from '../plugins/openapi/lock.ts'
import { parseOverlay } from '../plugins/openapi/overlay.ts'
import { estimateTokens } from '../plugins/openapi/tokens.ts'
import { listings, type Listing } from './listing.ts'
import { naiveTokens } from './naive.ts'
import { table } from './table.ts'
import { parseOptions, UsageError } from './usage.ts'

const usage = `Prints the tools that a server would make of an OpenAPI document, without a server.

npm run --silent tools -- --schema FILE [options]

  --schema FILE     the document, as YAML or JSON
  --overlay FILE    what the document does not say
  --methods LIST    what is allowed: methods, "all", or a method before a path, tag:NAME or operation id;
                    separated by commas, GET where it is left out
  --include LIST    only these operations: methods, paths, tag:NAME or operation ids
  --exclude LIST    not these
  --lock FILE       names that tools keep, and digests of their texts; the file is made where there is none, and written
                    where names or texts are new: that approves them
  --output-schemas  with the form of answers, as TOOL_OUTPUT_SCHEMAS
  --mode MODE       "list" for the tools themselves, "search" for those that search them; list where it is left out
  --json            one JSON object in the place of a table
`

const list = { type: 'string', multiple: true } as const

function options () {
  return parseOptions({
    schema: { type: 'string' },
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

function lockAt (file: string | undefined): Lock | undefined {
  try {
    return file === undefined ? undefined : parseLock(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function keepNames (file: string, { tools }: Generated, previous: Lock | undefined): void {
  const text = formatLock(lockOf(tools, previous))
  if (previous === undefined || formatLock(previous) !== text) writeFileSync(file, text)
}

function tokensOf ({ name, description, inputSchema }: Listing): number {
  return estimateTokens(JSON.stringify({ name, description, inputSchema }))
}

function run (): void {
  const { schema, overlay, methods, include, exclude, lock: lockFile, 'output-schemas': outputSchemas, mode, json, help } = options()
  if (help) {
    process.stdout.write(usage)
    return
  }
  if (schema === undefined) throw new UsageError('--schema FILE is missing')
  if (mode !== 'list' && mode !== 'search') throw new UsageError(`--mode: expected list or search, got ${JSON.stringify(mode)}`)
  const document = parseDocument(read(schema))
  const lock = lockAt(lockFile)
  const generated = generate(document, {
    methods: entriesOf(methods),
    include: entriesOf(include),
    exclude: entriesOf(exclude),
    overlay: overlay === undefined ? undefined : parseOverlay(read(overlay)),
    lock,
    outputSchemas
  })
  if (lockFile !== undefined) keepNames(lockFile, generated, lock)
  const { tools, skipped, warnings } = generated
  const listed = listings(tools, mode)
  const tokens = {
    list: listed.reduce((sum, listing) => sum + tokensOf(listing), 0),
    naive: naiveTokens(document, new Set(tools.map(({ operation }) => operation.key)))
  }
  for (const warning of warnings) process.stderr.write(`${warning}\n`)
  process.stdout.write(json
    ? `${JSON.stringify({ tools: listed, skipped, tokens })}\n`
    : table(listed.map((listing) => ({ listing, tokens: tokensOf(listing), operation: tools.find(({ name }) => name === listing.name)?.operation.key ?? '' })), skipped, tokens) +
      (mode === 'list' && !isListed(tools) ? 'That is more than a server lists where TOOL_TOKEN_BUDGET is not set: it would give the tools of --mode search.\n' : ''))
}

try {
  run()
} catch (error) {
  // What is wrong with a file or an option is told by its message; anything else is a mistake of ours.
  const told = error instanceof UsageError || (error instanceof Error && ['DocumentError', 'OverlayError', 'LockError', 'SelectorError'].includes(error.name))
  process.stderr.write(`${told ? `${error.message}${error instanceof UsageError ? '\nRun it with --help for its options.' : ''}` : error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
