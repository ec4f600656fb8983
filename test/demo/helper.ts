import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const script = fileURLToPath(new URL('../../demo/run.ts', import.meta.url))

/** The demo in a process of its own. */
export interface DemoProcess {
  pid: number
  /** Everything that it has written so far, to both streams. */
  output: () => string
  /** Waits for what matches, and gives the match. */
  until: (pattern: RegExp) => Promise<RegExpExecArray>
  signal: (name: NodeJS.Signals) => void
  /** Its exit code, null where a signal ended it. */
  exited: Promise<number | null>
}

/** Starts `node demo/run.ts` as `npm run demo` does, and ends it after the test if it has not ended by then. */
export function runDemo (t: Test, args: readonly string[], variables: Record<string, string> = {}): DemoProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], { env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => { output += text })
  }
  const exited = once(child, 'close').then(([code]) => typeof code === 'number' ? code : null)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async until (pattern) {
      while (child.exitCode === null) {
        const match = pattern.exec(output)
        if (match !== null) return match
        await sleep(50)
      }
      throw new Error(`ended before it wrote ${pattern}:\n${output}`)
    },
    signal: (name) => { child.kill(name) },
    exited
  }
}

/** Whether a process runs. */
export function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Path of the Python on this machine itself, not of a shim that needs the PATH. */
export function realPython (): string {
  return execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()
}

/** A folder, to be the whole PATH, whose `python3` runs this statement before what it is asked to run with `-c`. */
export function folderWithPython (t: Test, statement: string): string {
  const folder = t.testdir()
  const file = join(folder, 'python3')
  writeFileSync(file, `#!/bin/sh\nexec '${realPython()}' -c 'import sys; ${statement}; exec(sys.argv[1])' "$2"\n`)
  chmodSync(file, 0o755)
  return folder
}
