import { Figure, percentile, table } from './figures.ts'
import { load } from './load.ts'
import type { BenchOptions } from './options.ts'
import type { Server } from './process.ts'

/** A server and what it is asked. */
export interface Variant {
  name: string
  server: Server
  request: Buffer
  /** Name of the variant that it is compared with. */
  against?: string
}

interface Round {
  cpu: number
  rate: number
  p50: number
  p99: number
}

/** Seconds of load before the first round: what runs often is compiled by then. */
const warmUp = 3

async function measure ({ server, request }: Variant, { connections, seconds }: BenchOptions): Promise<Round> {
  const before = await server.usage()
  const outcome = await load(server.port, [request], connections, { seconds })
  const after = await server.usage()
  return {
    cpu: (after.cpu - before.cpu) / outcome.calls,
    rate: outcome.calls / outcome.seconds,
    p50: percentile(outcome.latencies, 0.5),
    p99: percentile(outcome.latencies, 0.99)
  }
}

function row (variant: Variant, results: ReadonlyMap<string, readonly Round[]>): string[] {
  const own = results.get(variant.name) ?? []
  const other = variant.against === undefined ? undefined : results.get(variant.against)
  const figure = (pick: (round: Round) => number): Figure => new Figure(own.map(pick))
  // Round by round, so that what disturbs one round disturbs both sides of a ratio.
  const ratio = (pick: (round: Round, base: Round) => number): string => other === undefined ? '' : new Figure(own.flatMap((round, index) => {
    const base = other[index]
    return base === undefined ? [] : [pick(round, base)]
  })).show(2)
  return [
    variant.name,
    figure(({ cpu }) => cpu).show(0),
    figure(({ rate }) => rate).show(0),
    figure(({ p50 }) => p50).show(2),
    figure(({ p99 }) => p99).show(2),
    ratio((round, base) => round.cpu / base.cpu),
    ratio((round, base) => base.cpu / round.cpu),
    ratio((round, base) => round.rate / base.rate)
  ]
}

/** Measures variants in turn, round after round, and gives the table. */
export async function compare (variants: readonly Variant[], options: BenchOptions): Promise<string> {
  const results = new Map<string, Round[]>(variants.map(({ name }) => [name, []]))
  for (const { server, request } of variants) await load(server.port, [request], options.connections, { seconds: warmUp })
  for (let round = 0; round < options.rounds; round += 1) {
    // Each round begins with another variant, so that none always runs in the wake of the same one.
    for (let turn = 0; turn < variants.length; turn += 1) {
      const variant = variants[(round + turn) % variants.length]
      if (variant !== undefined) results.get(variant.name)?.push(await measure(variant, options))
    }
  }
  return table([
    ['', 'CPU µs/call', 'calls/s', 'p50 ms', 'p99 ms', 'CPU ×', '1 / CPU ×', 'calls/s ×'],
    ...variants.map((variant) => row(variant, results))
  ])
}
