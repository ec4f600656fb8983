import { createWriteStream, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config.ts'
import { callTool, toolNames } from './call.ts'
import { startDjango, type Django } from './django.ts'
import { DemoFailure } from './failure.ts'
import { aborted, interruption } from './interruption.ts'
import { startMcp } from './mcp.ts'
import { addresses, opportunityTable, snippets, toolLists } from './text.ts'
import { prepareVenv } from './venv.ts'

const help = `Usage: npm run demo [-- options]

Starts a Django project with sample data and the MCP server in front of it, calls one tool,
and stays up until Ctrl-C. Everything listens on 127.0.0.1 only.

  --once         call the tool and end; uses free ports and a database of its own
  --venv FOLDER  where Python's virtual environment is or will be made (default: demo/.venv)
  --help         show this
`

interface Options {
  once: boolean
  help: boolean
  venv: string | undefined
}

function optionsFrom (args: string[]): Options {
  try {
    const { values } = parseArgs({ args, options: { once: { type: 'boolean' }, help: { type: 'boolean' }, venv: { type: 'string' } } })
    return { once: values.once ?? false, help: values.help ?? false, venv: values.venv }
  } catch (error) {
    throw new DemoFailure(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
  }
}

function say (text: string): void {
  process.stdout.write(`${text}\n`)
}

const dataFolder = fileURLToPath(new URL('.data', import.meta.url))
const logFile = fileURLToPath(new URL('.data/django.log', import.meta.url))
const preferredPort = 8080

/** A Django with the database that stays, and a log beside it; or one for a single call. */
async function django (python: string, once: boolean, signal: AbortSignal): Promise<Django> {
  if (once) return await startDjango({ python, database: 'temporary', signal })
  mkdirSync(dataFolder, { recursive: true })
  const file = createWriteStream(logFile)
  return await startDjango({ python, signal, log: (line) => { file.write(`${line}\n`) } })
}

/** Waits for the end of the demo: that somebody asks for it, or that Django ends by itself. */
async function untilTheEnd ({ ended }: Django, signal: AbortSignal): Promise<void> {
  await Promise.race([aborted(signal), ended])
  if (!signal.aborted) throw new DemoFailure(`Django has ended by itself; the reason may be in ${logFile}.`)
}

async function demo ({ once, venv }: Options, signal: AbortSignal): Promise<void> {
  const stops: Array<() => Promise<void>> = []
  try {
    const python = await prepareVenv({ ...(venv === undefined ? {} : { folder: resolve(venv) }), progress: say, signal })
    const backend = await django(python, once, signal)
    stops.unshift(backend.stop)
    const mcp = await startMcp(backend, once ? undefined : preferredPort)
    stops.unshift(mcp.stop)
    signal.throwIfAborted()

    const call = { tool: 'get_opportunities', arguments: { status: 'active', limit: 3 } }
    const server = { url: `${mcp.url}/mcp`, token: mcp.token, signal }
    const answer = await callTool({ ...server, ...call })
    const names = await toolNames(server)
    say(`\n${addresses({ djangoUrl: backend.url, djangoPid: backend.pid, djangoLog: once ? undefined : logFile, mcpUrl: mcp.url })}`)
    say(`\n${snippets(mcp.url, mcp.token)}`)
    say(`\nA client has just called ${call.tool} with ${JSON.stringify(call.arguments)} and got:\n\n${opportunityTable(answer)}`)
    say(`\n${toolLists(names)}`)
    if (once) return
    say('\nEverything runs until Ctrl-C.')
    await untilTheEnd(backend, signal)
  } finally {
    if (signal.aborted) say('\nStopping ...')
    for (const stop of stops) await stop()
  }
}

// Whoever reads the output may be gone, which is no reason not to stop what was started.
process.stdout.on('error', () => {})

const signal = interruption()
try {
  const options = optionsFrom(process.argv.slice(2))
  if (options.help) say(help.trimEnd())
  else await demo(options, signal)
} catch (error) {
  // Whatever fails because the demo was asked to end is no failure.
  if (!signal.aborted) {
    const known = error instanceof DemoFailure || error instanceof ConfigError
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${known ? message : `The demo cannot go on: ${message}`}\n`)
    process.exitCode = 1
  }
}
