import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Arguments of Node with which operators start the service. */
export const programs: Readonly<Record<string, readonly string[]>> = {
  'node server.ts': [join(root, 'server.ts')],
  'fastify start -o app.ts': [join(root, 'node_modules/fastify-cli/cli.js'), 'start', '-o', join(root, 'app.ts')]
}

async function opens (port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => { resolve(false) })
  })
}

export interface Run {
  code: number | null
  stdout: string
  stderr: string
  /** How often a connection was tried while it ran. */
  tries: number
  opened: boolean
}

/**
 * Runs a program with nothing but these variables until it ends, trying all the time to connect to its port. One that
 * listens is ended.
 */
export async function run (t: Test, args: readonly string[], variables: Readonly<Record<string, string>>, port: number): Promise<Run> {
  // A folder of its own, so that no .env of a developer takes part.
  const child = spawn(process.execPath, args, { cwd: t.testdirName, env: { PATH: process.env.PATH, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => { child.kill('SIGKILL') })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { stdout += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
  const end = new Promise<number | null>((resolve) => { child.once('close', resolve) })
  let tries = 0
  let opened = false
  while (child.exitCode === null && child.signalCode === null && !opened) {
    opened = await opens(port)
    tries += 1
    await sleep(5)
  }
  child.kill('SIGTERM')
  return { code: await end, stdout, stderr, tries, opened }
}
