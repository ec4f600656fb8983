import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { DemoFailure } from './failure.ts'
import { never } from './interruption.ts'
import { prepareVenv } from './venv.ts'

export interface DjangoOptions {
  /** The Python to run it with; that of the demo's virtual environment, made where it is missing, by default. */
  python?: string
  /** Whether it runs with what users need to sign in; ignored where `python` is given. */
  signIn?: boolean
  /** The SQLite file: `demo/.data/demo.sqlite3` by default; `temporary` is a fresh one that `stop` removes. */
  database?: string
  /** Variables for Django beside those of this process. */
  environment?: Readonly<Record<string, string>>
  /** Told every line that Django logs. */
  log?: (line: string) => void
  signal?: AbortSignal
}

/** The demo's Django while it runs. */
export interface Django {
  /** Without a trailing slash. */
  readonly url: string
  readonly apiKey: string
  readonly pid: number
  /** Resolves when it has ended, whether it was told to or not. */
  readonly ended: Promise<void>
  /** Ends it and resolves when it is gone. */
  readonly stop: () => Promise<void>
}

const script = fileURLToPath(new URL('serve.py', import.meta.url))

/** Milliseconds in which it has to listen. */
const startTimeout = 60_000
/** Milliseconds until a Django that does not end by itself is killed. */
const stopTimeout = 5_000

const readyLine = z.object({ url: z.url(), api_key: z.string().min(1), pid: z.int().positive() })

/** A place for the database and what has to be done about it in the end. */
async function placeOf (database: string | undefined): Promise<{ variables: Record<string, string>, remove: () => Promise<void> }> {
  if (database !== 'temporary') return { variables: database === undefined ? {} : { DEMO_DATABASE: database }, remove: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'django-mcp-demo-'))
  return {
    variables: { DEMO_DATABASE: join(folder, 'demo.sqlite3'), DEMO_MEDIA: join(folder, 'media') },
    remove: async () => { await rm(folder, { recursive: true, force: true, maxRetries: 3 }) }
  }
}

function spawnDjango (python: string, variables: Readonly<Record<string, string>>) {
  return spawn(python, [script, '--exit-with-parent'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
    // Ctrl-C reaches everyone in the terminal's process group. Django ends when we are done with it, or with us.
    detached: process.platform !== 'win32',
    windowsHide: true
  })
}

/** What the first line of the output says; undefined where there is none in time, or it is no JSON. */
async function readyLineOf (output: Readable, ended: Promise<void>, signal: AbortSignal): Promise<unknown> {
  // Reading goes on after the first line, so that Django never waits for a reader.
  const lines = createInterface(output)
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(startTimeout)])
  try {
    const [line] = await Promise.race([once(lines, 'line', { signal: deadline }), ended.then(() => [])])
    return JSON.parse(String(line))
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/**
 * Starts the demo's Django on a free port of 127.0.0.1. It ends with `stop`, and with this process however that dies.
 * @throws {DemoFailure} with the end of its log where it does not come to listen
 */
export async function startDjango (options: DjangoOptions = {}): Promise<Django> {
  const { log, signal = never } = options
  const python = options.python ?? await prepareVenv({ signIn: options.signIn ?? false, signal })
  const place = await placeOf(options.database)
  const child = spawnDjango(python, { ...place.variables, ...options.environment })

  const tail: string[] = []
  createInterface(child.stderr).on('line', (line) => {
    tail.push(line)
    if (tail.length > 15) tail.shift()
    log?.(line)
  })
  // It may be gone before its stdin is closed.
  child.stdin.on('error', () => {})
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => { tail.push(error.message) })
    child.once('close', () => { resolve() })
  })

  async function stop (): Promise<void> {
    child.stdin.end()
    const kill = setTimeout(() => { child.kill('SIGKILL') }, stopTimeout)
    await ended
    clearTimeout(kill)
    await place.remove()
  }

  try {
    const line = await readyLineOf(child.stdout, ended, signal)
    const ready = readyLine.safeParse(line)
    if (!ready.success) throw new DemoFailure(`The demo's Django did not start. The end of its log:\n${tail.join('\n')}`)
    return { url: ready.data.url, apiKey: ready.data.api_key, pid: ready.data.pid, ended, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
