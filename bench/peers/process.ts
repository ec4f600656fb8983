import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cores, pinned } from '../process.ts'
import { Session, type Target } from './session.ts'

/** How a server is started, and how it is called. */
export interface Command {
  command: string
  args: readonly string[]
  environment: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
}

/** Milliseconds in which a server must answer. */
const patience = 60_000
/** Ticks of the kernel's clock in a second, which Linux reports CPU time in. */
const ticks = 100

/** A server of any make in a process of its own, on the core of the measured servers. */
export class PeerProcess {
  readonly #child: ChildProcess
  readonly target: Target
  /** From the start of the process until it has answered `initialize`. */
  readonly startMilliseconds: number

  private constructor (child: ChildProcess, target: Target, startMilliseconds: number) {
    this.#child = child
    this.target = target
    this.startMilliseconds = startMilliseconds
  }

  /** @throws {Error} where it ends by itself or does not answer in time */
  static async start ({ command, args, environment, headers = {} }: Command, port: number, log: string): Promise<PeerProcess> {
    const output = openSync(log, 'w')
    const begin = performance.now()
    const child = spawn(pinned ? 'taskset' : command, pinned ? ['-c', String(cores.server), command, ...args] : args, {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment },
      stdio: ['ignore', output, output]
    })
    closeSync(output)
    const target = { port, headers }
    for (;;) {
      try {
        const session = await Session.open(target)
        const milliseconds = performance.now() - begin
        session.close()
        return new PeerProcess(child, target, milliseconds)
      } catch (error) {
        const ended = child.exitCode !== null || child.signalCode !== null
        if (ended || performance.now() - begin > patience) {
          child.kill('SIGKILL')
          throw new Error(`it does not start: ${readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' ').slice(0, 300)}`, { cause: error })
        }
        await sleep(10)
      }
    }
  }

  /** CPU time in microseconds and resident memory in bytes, as Linux tells them. */
  usage (): { cpu: number, rss: number } {
    const [, afterName = ''] = /\) (.*)/s.exec(readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')) ?? []
    const fields = afterName.split(' ')
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]
    return { cpu: (Number(fields[11]) + Number(fields[12])) / ticks * 1e6, rss: Number(kilobytes) * 1024 }
  }

  async stop (): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const kill = setTimeout(() => { this.#child.kill('SIGKILL') }, 2_000)
    await gone
    clearTimeout(kill)
  }
}
