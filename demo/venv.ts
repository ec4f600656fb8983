import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastLines, runCommand } from './command.ts'
import { DemoFailure } from './failure.ts'
import { withLock } from './lock.ts'
import { findPython, inspect } from './python.ts'

export interface VenvOptions {
  /** Where it is, or will be. */
  folder?: string
  /** Whether it also has what users need to sign in. It is another environment then, so that the plain one stays small. */
  signIn?: boolean
  /** Told when something that takes long begins, and how long it took. */
  progress?: (line: string) => void
  signal?: AbortSignal
}

function pathOf (name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** An environment: where it is unless somebody says otherwise, and the files that name its packages, the one for pip first. */
interface Kind {
  readonly folder: string
  readonly requirements: readonly [string, ...string[]]
}

const plain: Kind = { folder: '.venv', requirements: ['requirements.txt'] }
const withSignIn: Kind = { folder: '.venv-sign-in', requirements: ['requirements-sign-in.txt', 'requirements.txt'] }

/** Written last, so that what has it is complete. */
const stampName = 'demo-stamp'
const lockName = 'demo-lock'

function pythonIn (folder: string): string {
  return process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python')
}

/** What the environment depends on. Packages live in a folder named after Python's minor version, and stay when the micro changes. */
async function stampFor ({ requirements }: Kind, [major, minor]: readonly [number, number, number]): Promise<string> {
  const hash = createHash('sha256')
  for (const name of requirements) hash.update(await readFile(pathOf(name)))
  return `${hash.digest('hex')} ${major}.${minor}\n`
}

async function isReady (kind: Kind, folder: string, signal?: AbortSignal): Promise<boolean> {
  if (!existsSync(join(folder, stampName))) return false
  // Asked every time: an upgrade of the system's Python changes what the environment's name for it leads to.
  const python = await inspect(pythonIn(folder), [], signal)
  return python !== undefined && await readFile(join(folder, stampName), 'utf8') === await stampFor(kind, python.version)
}

/** Removes everything but the lock, the stamp first: another process may be looking. */
async function clear (folder: string): Promise<void> {
  await rm(join(folder, stampName), { force: true })
  for (const name of await readdir(folder)) {
    if (!name.startsWith(lockName)) await rm(join(folder, name), { recursive: true })
  }
}

async function refuseForeign (folder: string): Promise<void> {
  const found = existsSync(folder) ? await readdir(folder) : []
  if (found.length > 0 && !found.includes(lockName) && !found.includes('pyvenv.cfg')) {
    throw new DemoFailure(`${folder} holds something else than a virtual environment: name another folder, or one that is empty.`)
  }
}

/**
 * Makes the demo's virtual environment where it is missing, incomplete or out of date, and gives the path of its
 * Python. May be called by several processes at once. pip's own configuration applies.
 * @throws {DemoFailure} saying what to do
 */
export async function prepareVenv ({ signIn = false, progress, signal, ...options }: VenvOptions = {}): Promise<string> {
  const kind = signIn ? withSignIn : plain
  const { folder = pathOf(kind.folder) } = options
  const [named] = kind.requirements
  const interruptible = signal === undefined ? {} : { signal }

  async function step (title: string, failure: string, command: string, args: readonly string[]): Promise<void> {
    progress?.(`${title} ...`)
    const start = performance.now()
    const { code, output } = await runCommand(command, args, interruptible)
    if (code !== 0) throw new DemoFailure(`${failure} (exit code ${code}). The end of its output:\n${lastLines(output)}`)
    progress?.(`  done in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }

  const python = pythonIn(folder)
  if (await isReady(kind, folder, signal)) return python
  await refuseForeign(folder)
  // Looked for before anything is made, and whoever waits for the lock would need it anyway.
  const found = await findPython(signal)
  const version = found.version.join('.')
  await mkdir(folder, { recursive: true })
  const onWait = (): void => { progress?.(`Waiting for another process that makes ${folder} ...`) }
  return await withLock(join(folder, lockName), async () => {
    if (await isReady(kind, folder, signal)) return python
    await clear(folder)
    await step(`Making a virtual environment in ${folder} with Python ${version}`, 'Python could not make a virtual environment', found.command, [...found.args, '-m', 'venv', folder])
    await step(`Installing what demo/${named} names`, `pip could not install what demo/${named} names`, python, ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--requirement', pathOf(named)])
    await writeFile(join(folder, stampName), await stampFor(kind, found.version))
    return python
  }, { ...interruptible, onWait })
}
