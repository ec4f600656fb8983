/*
 * The Python SDK against the app in front of the demo's Django: python.ts FOLDER, where a virtual environment is made
 * for it.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findPython } from '../../demo/python.ts'
import { startServer } from './server.ts'

const [folder = ''] = process.argv.slice(2)

function beside (name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

async function run (command: string, args: readonly string[], variables: Record<string, string> = {}): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...variables } })
  const [code] = await once(child, 'close')
  assert.equal(code, 0, `${command} ${args.join(' ')}`)
}

const found = await findPython()
const python = join(folder, 'bin', 'python')
await run(found.command, [...found.args, '-m', 'venv', folder])
await run(python, ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--requirement', beside('requirements.txt')])

const server = await startServer()
try {
  await run(python, [beside('python_sdk.py')], {
    MCP_URL: server.url,
    MCP_TOKEN: server.token,
    HOLDING_URL: server.holding.url,
    // One that has no contracts.
    DELETABLE_ID: '432'
  })
} finally {
  await server.stop()
}
