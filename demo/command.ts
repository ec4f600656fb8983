import { spawn } from 'node:child_process'
import { never } from './interruption.ts'

export interface Finished {
  /** Exit code; null where a signal ended the command. */
  code: number | null
  /** What it wrote to both streams, in the order in which it arrived. */
  output: string
}

/**
 * Runs a command to its end and shows nothing of it.
 * @throws what `signal` was aborted with, once the command has ended, or the system's error where it cannot be run
 */
export async function runCommand (command: string, args: readonly string[], { signal = never }: { signal?: AbortSignal } = {}): Promise<Finished> {
  signal.throwIfAborted()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => { output += text })
  }
  const end = (): void => { child.kill() }
  signal.addEventListener('abort', end, { once: true })
  try {
    // 'close' comes after the command's own children have let go of its output too.
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal.throwIfAborted()
    return { code, output }
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** The last lines of a text, without empty ones. */
export function lastLines (text: string, count = 15): string {
  return text.split(/\r?\n/).filter((line) => line.trim() !== '').slice(-count).join('\n')
}
