import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Where the peers are installed, and which versions of them. */
export interface Installed {
  python: string
  /** Entry point of the npm package. */
  entry: string
  versions: string[]
}

const npmName = '@ivotoby/openapi-mcp-server'

function run (command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...cwd === undefined ? {} : { cwd } })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim().slice(-500)}`)
  return stdout
}

const manifest = z.object({ version: z.string(), bin: z.record(z.string(), z.string()) })

/** Installs both peers into a folder, where they are not there yet. */
export function install (folder: string): Installed {
  mkdirSync(folder, { recursive: true })
  const python = join(folder, 'venv', 'bin', 'python')
  if (!existsSync(python)) run('python3', ['-m', 'venv', join(folder, 'venv')])
  if (spawnSync(python, ['-c', 'import fastmcp']).status !== 0) run(python, ['-m', 'pip', 'install', '--quiet', 'fastmcp'])
  const installed = join(folder, 'node_modules', npmName)
  if (!existsSync(installed)) {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
    run('npm', ['install', '--no-audit', '--no-fund', npmName], folder)
  }
  const { version, bin } = manifest.parse(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')))
  const fastmcp = run(python, ['-c', 'import sys, importlib.metadata as m; print("fastmcp", m.version("fastmcp"), "on Python", sys.version.split()[0])']).trim()
  return { python, entry: join(installed, Object.values(bin)[0] ?? ''), versions: [fastmcp, `${npmName} ${version} on Node ${process.version}`] }
}
