import { parseArgs } from 'node:util'

/** What is measured. */
export type Question = 'calls' | 'list' | 'generated' | 'memory' | 'start' | 'profile'

export interface BenchOptions {
  question: Question
  /** Tools in the catalog. */
  tools: number
  rounds: number
  /** Seconds that each variant is measured in each round. */
  seconds: number
  connections: number
}

export const usage = `npm run bench -- [options]

  (none)             tools/call through to Django in both eras, beside a bare route that makes the same request
  --tools <n>        with n tools in the catalog, beside the same with one tool
  --list             tools/list of 277 tools (or --tools <n>), beside a bare route that sends the same bytes
  --generated        tools/call of a tool made from an OpenAPI document, beside the one written by hand
  --memory           resident memory before, during and after 100,000 calls
  --start            time until the server listens, without and with the schema of 277 operations, beside a bare Fastify
  --profile          where the CPU time of a call goes, in both eras

  --rounds <n>       rounds, 5 by default
  --seconds <n>      seconds of each variant in each round, 4 by default
  --connections <n>  keep-alive connections that call at the same time, 16 by default
`

/** Tools of a large API: as many operations as the largest schema that the design is measured by. */
const largeCatalog = 277

function positive (name: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: expected a whole number of at least 1, not ${value}`)
  return number
}

/**
 * Options of the command line; undefined where help is asked for.
 * @throws {Error} for what is no option
 */
export function parseOptions (args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      tools: { type: 'string' },
      list: { type: 'boolean', default: false },
      generated: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      start: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      connections: { type: 'string', default: '16' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return undefined
  const asked = (['list', 'generated', 'memory', 'start', 'profile'] as const).filter((name) => values[name])
  if (asked.length > 1) throw new Error(`one question at a time, not ${asked.map((name) => `--${name}`).join(' and ')}`)
  const question = asked[0] ?? 'calls'
  return {
    question,
    tools: values.tools === undefined ? (question === 'list' ? largeCatalog : 1) : positive('tools', values.tools),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    connections: positive('connections', values.connections)
  }
}
