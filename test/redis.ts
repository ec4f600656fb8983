import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { freePort } from '../demo/free-port.ts'

/** Why tests with a real Redis are skipped, or false where they are not. */
export const withoutRedis: string | false = spawnSync('redis-server', ['--version']).error === undefined ? false : 'redis-server is not installed'

async function answers (port: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    if (open) return
    await sleep(50)
  }
  throw new Error('Redis does not listen')
}

/** A Redis of the test's own that keeps nothing on disk, ended after the test. It can be killed and started again. */
export async function startRedis (t: Test, password?: string) {
  const port = await freePort()
  let child: ChildProcess | undefined
  async function start (): Promise<void> {
    child = spawn('redis-server', [
      '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
      ...(password === undefined ? [] : ['--requirepass', password])
    ], { stdio: 'ignore' })
    await answers(port)
  }
  async function kill (): Promise<void> {
    const ending = child
    child = undefined
    if (ending === undefined) return
    const exited = once(ending, 'exit')
    ending.kill('SIGKILL')
    await exited
  }
  t.teardown(kill)
  await start()
  return { url: `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`, start, kill }
}
