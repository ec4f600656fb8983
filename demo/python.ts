import { z } from 'zod'
import { runCommand } from './command.ts'
import { DemoFailure } from './failure.ts'

/** A Python, and how it is called. */
export interface Python {
  command: string
  args: readonly string[]
  /** Major, minor and micro version. */
  version: readonly [number, number, number]
}

interface Candidate extends Python {
  /** Modules that it lacks and that making a virtual environment takes. */
  missing: readonly string[]
}

const oldest = [3, 10] as const

/** What to try, best first: under the names with a version hides what a system installs beside its own old Python. */
const names: ReadonlyArray<readonly [string, ...string[]]> = [
  ['python3'],
  ['python'],
  ...(process.platform === 'win32' ? [['py', '-3'] as const] : []),
  ...['3.14', '3.13', '3.12', '3.11', '3.10'].map((version) => [`python${version}`] as const)
]

/** Readable by Python 2 as well, which then says how old it is. */
const question = `
import json, sys
missing = []
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print(json.dumps({"version": list(sys.version_info[:3]), "missing": missing}))
`

const answer = z.object({ version: z.tuple([z.int(), z.int(), z.int()]), missing: z.array(z.string()) })

/** What a Python says about itself; undefined where there is none under this name, or it does not run. */
export async function inspect (command: string, args: readonly string[] = [], signal?: AbortSignal): Promise<Candidate | undefined> {
  try {
    const { code, output } = await runCommand(command, [...args, '-c', question], signal === undefined ? {} : { signal })
    return code === 0 ? { command, args, ...answer.parse(JSON.parse(output)) } : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

function isOld ({ version: [major, minor] }: Python): boolean {
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1])
}

function described ({ command, args, version }: Python): string {
  return `${[command, ...args].join(' ')} (${version.join('.')})`
}

/**
 * Finds a Python that can make a virtual environment.
 * @throws {DemoFailure} saying what to install
 */
export async function findPython (signal?: AbortSignal): Promise<Python> {
  const rejected: Candidate[] = []
  for (const [command, ...args] of names) {
    const candidate = await inspect(command, args, signal)
    if (candidate === undefined) continue
    if (!isOld(candidate) && candidate.missing.length === 0) return candidate
    rejected.push(candidate)
  }
  const install = `install Python ${oldest.join('.')} or later, from python.org or with your system's package manager`
  const incomplete = rejected.find((candidate) => !isOld(candidate))
  if (incomplete !== undefined) {
    const [major, minor] = incomplete.version
    throw new DemoFailure(`The demo needs a virtual environment, and ${described(incomplete)} cannot make one without its ${incomplete.missing.join(' and ')} module: on Debian and Ubuntu install the package python${major}.${minor}-venv, elsewhere ${install}.`)
  }
  const old = rejected[0]
  throw new DemoFailure(old === undefined
    ? `The demo needs Python, and none was found on the PATH: ${install}.`
    : `The demo needs a newer Python than ${described(old)}: ${install}.`)
}
