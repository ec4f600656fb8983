import * as fc from 'fast-check'
import { exchangeWith } from './exchange.ts'
import { problemOf } from './invariants.ts'
import { fuzzRequest, type FuzzRequest } from './requests.ts'

export interface FuzzOptions {
  seed: number
  /** Where in the search of a seed to begin, as a failure has printed it. */
  path?: string | undefined
  /** Seconds after which no further requests are made. */
  seconds: number
  /** Rounds at most. */
  rounds?: number
  /** What is wrong beside the answers, asked after every round. */
  alsoWrong?: () => string | undefined
}

export interface FuzzResult {
  /** Requests that were sent. */
  requests: number
  /** How many answers had which status. */
  statuses: ReadonlyMap<number, number>
  /** What was found, with what repeats it; undefined where nothing was. */
  failure: string | undefined
}

function shown ({ method, path, headers, body }: FuzzRequest): string {
  const text = body.toString('latin1')
  return [`${method} ${path}`, ...headers.map(([name, value]) => `${name}: ${JSON.stringify(value)}`), JSON.stringify(text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length} bytes)` : text)].join('\n  ')
}

/** Sends requests, several at a time, until the time is over or an answer is wrong; what is found is made as small as it can be. */
export async function fuzz (url: string, { seed, path, seconds, rounds = Number.MAX_SAFE_INTEGER, alsoWrong = () => undefined }: FuzzOptions): Promise<FuzzResult> {
  let requests = 0
  const statuses = new Map<number, number>()

  const property = fc.asyncProperty(fc.array(fuzzRequest, { minLength: 1, maxLength: 6 }), async (batch) => {
    await Promise.all(batch.map(async (request) => {
      requests += 1
      const answer = await exchangeWith(url, request).catch((error: unknown) => { throw new Error(`${error instanceof Error ? error.message : String(error)}\n  ${shown(request)}`, { cause: error }) })
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      const problem = problemOf(request, answer)
      if (problem !== undefined) throw new Error(`${problem}\n  ${shown(request)}\n  -> ${answer.status} ${JSON.stringify(answer.headers)}\n  ${answer.body.slice(0, 2000)}`)
    }))
    const problem = alsoWrong()
    if (problem !== undefined) throw new Error(`${problem}\n  ${batch.map(shown).join('\n  ')}`)
  })
  const details = await fc.check(property, {
    seed,
    numRuns: rounds,
    interruptAfterTimeLimit: seconds * 1000,
    ...(path === undefined ? {} : { path })
  })
  const failure = details.failed
    ? `${String(details.errorInstance instanceof Error ? details.errorInstance.message : details.errorInstance)}\nrepeat: npm run fuzz -- --seed ${details.seed} --path ${details.counterexamplePath ?? '0'}`
    : undefined
  return { requests, statuses, failure }
}
