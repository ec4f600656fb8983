import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { z } from 'zod'
import { freePort } from '../demo/free-port.ts'
import { signToken } from '../demo/token.ts'
import { Figure, percentile, table } from './figures.ts'
import { orbit } from './peers/document.ts'
import { install, type Installed } from './peers/install.ts'
import { PeerProcess, type Command } from './peers/process.ts'
import { Session } from './peers/session.ts'
import { pinLoad, pinned, start } from './process.ts'
import { secret } from './requests.ts'

/*
 * This app beside two other servers that make tools from an OpenAPI document: the same document, the same Django stub,
 * the same client, in turn. The others are run as their documentation shows it; this one with everything on that
 * production has: tokens, limits, metrics and logs, which they have not.
 */

const usage = `npm run bench:peers -- [options]

  --rounds <n>       rounds, 3 by default
  --seconds <n>      seconds of each server in each round, 4 by default
  --connections <n>  clients that call at the same time, 16 by default
`

const audience = 'http://localhost:8080/mcp'
const given = fileURLToPath(new URL('../../test/fixtures/openapi/given', import.meta.url))
/** The largest of the documents that all servers read: one of them refuses kobo's. */
const large = join(given, 'cvat.yml')
const key = 'bench.0123456789abcdef'

function print (text: string): void {
  process.stdout.write(`${text}\n`)
}

/** How each server is started in front of an API, by its name. */
function commands ({ python, entry }: Installed, django: string, document: string, port: number, everything = false): Record<string, Command> {
  return {
    'this app': {
      command: process.execPath,
      args: [fileURLToPath(new URL('../server.js', import.meta.url))],
      environment: {
        NODE_ENV: 'production', DJANGO_BASE_URL: django, DJANGO_API_KEY: key, DJANGO_SCHEMA: document, JWT_SECRET: secret, JWT_AUDIENCE: audience,
        MCP_HOST: '127.0.0.1', PORT: String(port), RATE_LIMIT_REQUESTS: '1000000000', TMP_DIR: '/tmp/mcp_server_bench',
        ...everything ? { OPENAPI_METHODS: 'all', TOOL_TOKEN_BUDGET: '1000000000' } : {}
      },
      headers: { authorization: `Bearer ${signToken({ secret, subject: 'bench', audience, scope: 'read write', lifetime: 86_400 })}` }
    },
    FastMCP: {
      command: python,
      args: [fileURLToPath(new URL('../../bench/peers/fastmcp_server.py', import.meta.url)), document, django, String(port)],
      environment: {}
    },
    'openapi-mcp-server': {
      command: process.execPath,
      args: [entry, '--api-base-url', django, '--openapi-spec', document, '--headers', `Authorization:Api-Key ${key}`, '--transport', 'http', '--port', String(port)],
      environment: {}
    }
  }
}

const names = ['this app', 'FastMCP', 'openapi-mcp-server'] as const

const toolPage = z.object({ tools: z.array(z.looseObject({ name: z.string(), description: z.string().optional(), inputSchema: z.unknown() })), nextCursor: z.string().optional() })

async function listOf (peer: PeerProcess): Promise<z.output<typeof toolPage>['tools']> {
  const session = await Session.open(peer.target)
  const tools: z.output<typeof toolPage>['tools'] = []
  let cursor: string | undefined
  do {
    const page = toolPage.parse(await session.call('tools/list', cursor === undefined ? {} : { cursor }))
    tools.push(...page.tools)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  session.close()
  return tools
}

interface Round { rate: number, p99: number, cpu: number, rss: number }

class Bench {
  readonly #installed: Installed
  readonly #django: string
  readonly folder = mkdtempSync(join(tmpdir(), 'mcp-peers-'))

  constructor (installed: Installed, django: string) {
    this.#installed = installed
    this.#django = django
  }

  async #start (name: string, document: string, everything = false): Promise<PeerProcess> {
    const port = await freePort()
    const command = commands(this.#installed, this.#django, document, port, everything)[name]
    if (command === undefined) throw new Error(`there is no ${name}`)
    return await PeerProcess.start(command, port, join(this.folder, `${name}.log`))
  }

  /** Runs a server for as long as `use` takes. */
  async with<Result> (name: string, document: string, use: (peer: PeerProcess) => Result | Promise<Result>, everything = false): Promise<Result> {
    const peer = await this.#start(name, document, everything)
    try {
      return await use(peer)
    } finally {
      await peer.stop()
    }
  }
}

/** Keeps sessions busy with calls of the only tool there is. */
async function measure (peer: PeerProcess, connections: number, seconds: number): Promise<Round> {
  const [tool] = await listOf(peer)
  const sessions = await Promise.all(Array.from({ length: connections }, () => Session.open(peer.target)))
  const call = async (session: Session): Promise<void> => { await session.call('tools/call', { name: tool?.name, arguments: { limit: 10, status: 'active' } }) }
  const run = async (milliseconds: number): Promise<number[]> => {
    const latencies: number[] = []
    const end = performance.now() + milliseconds
    await Promise.all(sessions.map(async (session) => {
      while (performance.now() < end) {
        const begin = performance.now()
        await call(session)
        latencies.push(performance.now() - begin)
      }
    }))
    return latencies.toSorted((left, right) => left - right)
  }
  // What runs often is compiled by then.
  await run(2_000)
  const before = peer.usage()
  const begin = performance.now()
  const latencies = await run(seconds * 1000)
  const elapsed = (performance.now() - begin) / 1000
  const after = peer.usage()
  for (const session of sessions) session.close()
  return { rate: latencies.length / elapsed, p99: percentile(latencies, 0.99), cpu: (after.cpu - before.cpu) / latencies.length, rss: after.rss / 1_048_576 }
}

async function calls (bench: Bench, rounds: number, connections: number, seconds: number): Promise<string> {
  const document = join(bench.folder, 'orbit.json')
  writeFileSync(document, JSON.stringify(orbit))
  const results = new Map<string, Round[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) results.get(name)?.push(await bench.with(name, document, (peer) => measure(peer, connections, seconds)))
  }
  const own = results.get('this app') ?? []
  return table([
    ['', 'calls/s', 'p99 ms', 'CPU µs/call', 'RSS MB', 'calls/s ×', 'CPU ×'],
    ...names.map((name) => {
      const all = results.get(name) ?? []
      const figure = (pick: (round: Round) => number, digits: number): string => new Figure(all.map(pick)).show(digits)
      const ratio = (pick: (round: Round, base: Round) => number): string => new Figure(all.flatMap((round, index) => own[index] === undefined ? [] : [pick(round, own[index])])).show(2)
      return [name, figure(({ rate }) => rate, 0), figure(({ p99 }) => p99, 1), figure(({ cpu }) => cpu, 0), figure(({ rss }) => rss, 0), ratio((round, base) => base.rate / round.rate), ratio((round, base) => round.cpu / base.cpu)]
    })
  ])
}

async function starts (bench: Bench, rounds: number): Promise<string> {
  const rows: string[][] = []
  for (const name of names) {
    const measured: Array<{ milliseconds: number, rss: number }> = []
    for (let round = 0; round < rounds; round += 1) {
      measured.push(await bench.with(name, large, (peer) => ({ milliseconds: peer.startMilliseconds, rss: peer.usage().rss / 1_048_576 })))
    }
    rows.push([name, new Figure(measured.map(({ milliseconds }) => milliseconds)).show(0), new Figure(measured.map(({ rss }) => rss)).show(0)])
  }
  return table([['', 'ms', 'RSS MB'], ...rows])
}

/** Tokens of a list as a model reads it: names, descriptions and input schemas. */
function tokensOf (tools: ReadonlyArray<{ name: string, description?: string | undefined, inputSchema: unknown }>): number {
  return tools.reduce((sum, { name, description, inputSchema }) => sum + encode(JSON.stringify({ name, description, inputSchema })).length, 0)
}

async function tokens (bench: Bench): Promise<string> {
  const shown = async (name: string, document: string, everything = false): Promise<string> => {
    try {
      return await bench.with(name, document, async (peer) => {
        const tools = await listOf(peer)
        return `${tokensOf(tools)} (${tools.length})`
      }, everything)
    } catch (error) {
      process.stderr.write(`${name}, ${basename(document)}: ${error instanceof Error ? error.message : String(error)}\n`)
      return 'fails'
    }
  }
  const rows: string[][] = []
  for (const file of readdirSync(given).toSorted()) {
    const document = join(given, file)
    rows.push([file.replace(/\.ya?ml$/, ''), await shown('this app', document), await shown('this app', document, true), await shown('FastMCP', document), await shown('openapi-mcp-server', document)])
  }
  return table([['', 'this app', 'all, listed', 'FastMCP', 'openapi-mcp-server'], ...rows])
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' }, connections: { type: 'string', default: '16' }, help: { type: 'boolean', default: false } } })
if (values.help) {
  print(usage)
} else {
  const [rounds, seconds, connections] = [Number(values.rounds), Number(values.seconds), Number(values.connections)]
  pinLoad()
  const installed = install(fileURLToPath(new URL('../../.bench/peers', import.meta.url)))
  const django = await start('django', {})
  const bench = new Bench(installed, `http://127.0.0.1:${django.port}`)
  try {
    print([
      `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${process.platform}; ${installed.versions.join('; ')}`,
      pinned ? 'Each server in turn has the last core; load and Django share the first.' : 'Nothing is held on a core: taskset is missing, or there is one core only.',
      'Tokens, limits, metrics and logs are on in this app; the others have none of them but logs, and are run as their documentation shows.'
    ].join('\n'))
    print(`\nCalls of a tool through to Django: ${rounds} rounds of ${seconds} s, ${connections} clients; medians (least–most); × is this app against the other\n${await calls(bench, rounds, connections, seconds)}`)
    print(`\nStart with ${basename(large)}, until the first answer\n${await starts(bench, rounds)}`)
    print(`\nTokens (o200k) of names, descriptions and input schemas in tools/list, and number of tools\n${await tokens(bench)}`)
  } finally {
    await django.stop()
    rmSync(bench.folder, { recursive: true, force: true })
  }
}
