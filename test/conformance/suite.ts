import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'

/*
 * The conformance suite of the protocol, which is a command and no library: it is run, and what it wrote is read.
 */

const folder = dirname(fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/package.json')))

/** Milliseconds after which a run is given up; it takes a few seconds. */
const timeout = 240_000

const requirements = z.object({ server: z.array(z.string()) })

const checks = z.array(z.object({
  id: z.string(),
  status: z.enum(['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO']),
  errorMessage: z.string().optional()
}))

/** What scenarios have looked at, one thing each. */
export type Checks = z.output<typeof checks>

/** Version of the suite. */
export async function suiteVersion (): Promise<string> {
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))).version
}

/** The scenarios that a server of a revision has to pass, in the suite's own order. */
export async function requiredScenarios (revision: string): Promise<string[]> {
  return requirements.parse(parse(await readFile(join(folder, 'requirements', `${revision}.yaml`), 'utf8'))).server
}

/** Runs the command and gives what it printed. That it fails says only that some scenario did. */
async function command (args: string[], cwd: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let printed = ''
    const child = spawn(process.execPath, [join(folder, 'dist/index.js'), ...args], { cwd, timeout, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { printed += text })
    child.once('error', reject)
    child.once('close', (_code, signal) => {
      if (signal === null) resolve(printed)
      else reject(new Error(`The suite was ended by ${signal}:\n${printed}`))
    })
  })
}

/** Folders that results are in: `server-`, the scenario, and the time. */
const resultFolder = /^server-(?<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/

/**
 * Runs every scenario that a revision has for servers. Scenarios that could not be run have no result.
 * @throws {Error} where there are no results at all
 */
export async function runSuite (url: string, revision: string): Promise<Map<string, Checks>> {
  const output = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    const printed = await command(['server', '--url', url, '--requirements', revision, '--output-dir', output], output)
    const results = new Map<string, Checks>()
    for (const name of await readdir(output)) {
      const scenario = resultFolder.exec(name)?.groups?.scenario
      if (scenario !== undefined) results.set(scenario, checks.parse(JSON.parse(await readFile(join(output, name, 'checks.json'), 'utf8'))))
    }
    if (results.size === 0) throw new Error(`The suite has given no results:\n${printed}`)
    return results
  } finally {
    await rm(output, { recursive: true })
  }
}
