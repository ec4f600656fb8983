import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answer, type Answer, type Question } from './child.ts'

/** The last core is the measured server's; load and Django share the first. */
export const cores = { load: 0, server: availableParallelism() - 1 }

/** Whether processes can be held on a core of their own here. */
export const pinned = cores.server > 0 && spawnSync('taskset', ['-V']).status === 0

/** Holds this process, which makes the load, on its core. */
export function pinLoad (): void {
  if (pinned) spawnSync('taskset', ['-acp', String(cores.load), String(process.pid)])
}

/** A server in a process of its own. */
export class Server {
  readonly #child: ChildProcess
  readonly port: number
  readonly first: Answer

  constructor (child: ChildProcess, first: Answer) {
    this.#child = child
    this.first = first
    this.port = first.port ?? 0
  }

  /** CPU time and memory so far. */
  usage (): Promise<Answer> {
    return this.#ask({ ask: 'usage' })
  }

  /** Runs something and writes where the server's CPU time went meanwhile to a file. */
  async profile (path: string, during: () => Promise<unknown>): Promise<void> {
    await this.#ask({ ask: 'startProfile' })
    await during()
    await this.#ask({ ask: 'stopProfile', path })
  }

  async stop (): Promise<void> {
    if (!this.#child.connected) return
    this.#child.send({ ask: 'stop' })
    await once(this.#child, 'exit')
  }

  async #ask (question: Question): Promise<Answer> {
    this.#child.send(question)
    return await nextAnswer(this.#child)
  }
}

async function nextAnswer (child: ChildProcess): Promise<Answer> {
  const gone = new AbortController()
  const exited = once(child, 'exit', { signal: gone.signal }).then(([code]) => { throw new Error(`a server ended by itself (${String(code)})`) })
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: gone.signal }), exited])
    return answer.parse(message)
  } finally {
    gone.abort()
    exited.catch(() => undefined)
  }
}

/** Starts one of `servers/`. Its standard output goes to a file, as a log of production goes somewhere too. */
export async function start (name: string, settings: object, log = '/dev/null'): Promise<Server> {
  const core = name === 'django' ? cores.load : cores.server
  const output = openSync(log, 'w')
  const path = fileURLToPath(new URL(`servers/${name}${extname(import.meta.url)}`, import.meta.url))
  const child = fork(path, [JSON.stringify(settings)], {
    ...(pinned ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] } : {}),
    // Options of Node apply to the measured servers too: what they are worth is a question of its own.
    env: { PATH: process.env.PATH, NODE_ENV: 'production', NODE_NO_WARNINGS: '1', NODE_OPTIONS: process.env.NODE_OPTIONS ?? '' },
    stdio: ['ignore', output, 'inherit', 'ipc']
  })
  closeSync(output)
  return new Server(child, await nextAnswer(child))
}
