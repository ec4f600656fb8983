import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Figure, table } from './figures.ts'
import { load, once } from './load.ts'
import { orbit } from './peers/document.ts'
import { parseOptions, usage, type BenchOptions } from './options.ts'
import { pinLoad, pinned, start, type Server } from './process.ts'
import { summarize } from './profile.ts'
import { callRequest, eras, listRequest, secret, type Era } from './requests.ts'
import { compare, type Variant } from './rounds.ts'

/* How fast, how large: each question beside its floor, in the same run. Nothing is asserted, everything is printed. */

function print (text: string): void {
  process.stdout.write(`${text}\n`)
}

/** What a run needs, and what has to be gone after it. */
class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'mcp-bench-'))
  readonly #servers: Server[] = []

  async server (name: string, settings: object, log?: string): Promise<Server> {
    const server = await start(name, settings, log)
    this.#servers.push(server)
    return server
  }

  async django (): Promise<string> {
    return `http://127.0.0.1:${(await this.server('django', {})).port}`
  }

  /** The app, everything on, its log in a file. */
  async app (django: string, tools: number, schema?: string): Promise<Server> {
    return await this.server('app', { django, tools, secret, schema }, join(this.folder, `${this.#servers.length}.log`))
  }

  async end (): Promise<void> {
    for (const server of this.#servers) await server.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const callAnswer = z.object({ result: z.object({ isError: z.boolean().optional(), structuredContent: z.object({ count: z.literal(10) }) }) })
const listAnswer = z.object({ result: z.object({ tools: z.array(z.unknown()) }) })

/** Bytes of the answer to a call, which must be a result. */
async function answerBytes (server: Server, era: Era): Promise<number> {
  const body = await once(server.port, callRequest(era))
  callAnswer.parse(JSON.parse(body.toString('utf8')))
  return body.length
}

function byEra<Value> (make: (era: Era) => Promise<Value>): Promise<Array<[Era, Value]>> {
  return Promise.all(eras.map(async (era): Promise<[Era, Value]> => [era, await make(era)]))
}

async function calls (bench: Bench, options: BenchOptions): Promise<string> {
  const django = await bench.django()
  const apps = await byEra(() => bench.app(django, options.tools))
  const sizes = await Promise.all(apps.map(([era, server]) => answerBytes(server, era)))
  const variants: Variant[] = apps.map(([era, server]) => ({ name: `${era}, ${options.tools} ${options.tools === 1 ? 'tool' : 'tools'}`, server, request: callRequest(era), against: options.tools === 1 ? 'bare route' : `${era}, 1 tool` }))
  if (options.tools === 1) {
    const bytes = Math.max(...sizes)
    const request = callRequest('2025-11-25')
    variants.unshift(
      { name: 'bare route', server: await bench.server('bare', { django, bytes }), request },
      { name: 'the same, our exchange', server: await bench.server('bare', { django, bytes, own: true }), request, against: 'bare route' }
    )
  } else {
    for (const [era, server] of await byEra(() => bench.app(django, 1))) variants.push({ name: `${era}, 1 tool`, server, request: callRequest(era) })
  }
  return `tools/call, answers of ${sizes.join(' and ')} bytes\n${await compare(variants, options)}`
}

async function list (bench: Bench, options: BenchOptions): Promise<string> {
  const django = await bench.django()
  const variants: Variant[] = []
  const sizes: number[] = []
  for (const [era, server] of await byEra(() => bench.app(django, options.tools))) {
    const body = await once(server.port, listRequest(era))
    const { tools } = listAnswer.parse(JSON.parse(body.toString('utf8'))).result
    if (tools.length !== options.tools) throw new Error(`expected ${options.tools} tools, not ${tools.length}`)
    const file = join(bench.folder, `${era}.json`)
    writeFileSync(file, body)
    sizes.push(body.length)
    const name = `same bytes as ${era}`
    variants.push({ name, server: await bench.server('bytes', { file }), request: listRequest(era) }, { name: era, server, request: listRequest(era), against: name })
  }
  return `tools/list of ${options.tools} tools, answers of ${sizes.join(' and ')} bytes\n${await compare(variants, options)}`
}

function megabytes (bytes: number): string {
  return (bytes / 1_048_576).toFixed(0)
}

/** Calls after which memory is looked at. */
const memorySteps = [0, 20_000, 40_000, 60_000, 80_000, 100_000]

async function memoryOf (server: Server, requests: readonly Buffer[], connections: number): Promise<string[][]> {
  const rows: string[][] = []
  let done = 0
  let cpu = 0
  for (const step of memorySteps) {
    const calls = step - done
    if (calls > 0) await load(server.port, requests, connections, { calls })
    done = step
    const now = await server.usage()
    rows.push([String(step), megabytes(now.rss), megabytes(now.heapTotal), megabytes(now.heapUsed), calls === 0 ? '' : ((now.cpu - cpu) / calls).toFixed(0)])
    cpu = now.cpu
  }
  return rows
}

async function memory (bench: Bench, { tools, connections }: BenchOptions): Promise<string> {
  const django = await bench.django()
  const app = await bench.app(django, tools)
  const bytes = Math.max(...await Promise.all(eras.map((era) => answerBytes(app, era))))
  const head = ['calls', 'RSS MB', 'heap MB', 'of it used', 'CPU µs/call']
  // Every other connection speaks the other era.
  const ours = await memoryOf(app, eras.map((era) => callRequest(era)), connections)
  await app.stop()
  const bare = await memoryOf(await bench.server('bare', { django, bytes }), [callRequest('2025-11-25')], connections)
  return `the app, both eras in turn\n${table([head, ...ours])}\n\nthe bare route\n${table([head, ...bare])}`
}

/** The largest of the documents that the design is measured by. */
const kobo = fileURLToPath(new URL('../../test/fixtures/openapi/given/kobo-v2.yaml', import.meta.url))

async function startTimes (bench: Bench, { tools, rounds }: BenchOptions): Promise<string> {
  const django = await bench.django()
  const starts: Record<string, () => Promise<Server>> = {
    'bare Fastify': () => bench.server('bytes', {}),
    'the app': () => bench.app(django, tools),
    'the app, 277 operations': () => bench.app(django, tools, kobo)
  }
  const results = new Map(Object.keys(starts).map((name) => [name, new Array<{ milliseconds: number, cpu: number, rss: number }>()]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, begin] of Object.entries(starts)) {
      const from = performance.now()
      const server = await begin()
      results.get(name)?.push({ milliseconds: performance.now() - from, cpu: server.first.cpu / 1000, rss: server.first.rss / 1_048_576 })
      await server.stop()
    }
  }
  const bare = results.get('bare Fastify') ?? []
  return `from the start of the process until it listens\n${table([
    ['', 'ms', 'more than bare', 'CPU ms', 'RSS MB'],
    ...[...results].map(([name, measured]) => [
      name,
      new Figure(measured.map(({ milliseconds }) => milliseconds)).show(0),
      new Figure(measured.map(({ milliseconds }, round) => milliseconds - (bare[round]?.milliseconds ?? NaN))).show(0),
      new Figure(measured.map(({ cpu }) => cpu)).show(0),
      new Figure(measured.map(({ rss }) => rss)).show(0)
    ])
  ])}`
}

async function generated (bench: Bench, options: BenchOptions): Promise<string> {
  const django = await bench.django()
  const schema = join(bench.folder, 'orbit.json')
  writeFileSync(schema, JSON.stringify(orbit))
  const variants: Variant[] = []
  for (const era of eras) {
    const server = await bench.app(django, options.tools, schema)
    const name = `${era}, by hand`
    variants.push({ name, server, request: callRequest(era) }, { name: `${era}, generated`, server, request: callRequest(era, 'opportunities_list'), against: name })
  }
  return `tools/call, the same list from Django\n${await compare(variants, options)}`
}

async function profile (bench: Bench, { tools, seconds, connections }: BenchOptions): Promise<string> {
  const django = await bench.django()
  const parts: string[] = []
  const apps = await byEra(() => bench.app(django, tools))
  const bytes = Math.max(...await Promise.all(apps.map(([era, server]) => answerBytes(server, era))))
  for (const [name, server, era] of [['bare', await bench.server('bare', { django, bytes }), '2025-11-25'], ...apps.map(([era, server]) => [era, server, era] as const)] as const) {
    const requests = [callRequest(era)]
    await load(server.port, requests, connections, { seconds })
    const before = await server.usage()
    const { calls } = await load(server.port, requests, connections, { seconds })
    const after = await server.usage()
    // Outside the folder of the run: it is there to be opened in a browser's developer tools.
    const path = join(tmpdir(), `mcp-bench-${name}.cpuprofile`)
    await server.profile(path, () => load(server.port, requests, connections, { seconds: seconds * 2 }))
    parts.push(`${name}: ${path}\n${summarize(path, calls, (after.cpu - before.cpu) / calls)}`)
    await server.stop()
  }
  return parts.join('\n\n')
}

const questions = { calls, list, generated, memory, start: startTimes, profile }

const manifest = z.object({ version: z.string() })

function versionOf (name: string): string {
  return `${name} ${manifest.parse(JSON.parse(readFileSync(join('node_modules', name, 'package.json'), 'utf8'))).version}`
}

function describeMachine (): string {
  const processor = cpus()[0]?.model ?? 'unknown processor'
  const packages = ['fastify', 'got', '@modelcontextprotocol/sdk', '@modelcontextprotocol/server', 'zod', 'pino'].map(versionOf).join(', ')
  return `${processor}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB, ${process.platform}; Node ${process.version}; ${packages}\n` +
    (pinned ? 'The server has the last core, load and Django share the first.' : 'Nothing is held on a core: taskset is missing, or there is one core only.')
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) {
    print(usage)
  } else {
    pinLoad()
    const bench = new Bench()
    try {
      print(`${describeMachine()}\n${options.rounds} rounds in turn of ${options.seconds} s each, ${options.connections} connections; medians (least–most).${process.env.NODE_OPTIONS === undefined ? '' : `\nNODE_OPTIONS=${process.env.NODE_OPTIONS}`}\n`)
      print(await questions[options.question](bench, options))
    } finally {
      await bench.end()
    }
  }
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
