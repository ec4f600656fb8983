import type { FastifyBaseLogger } from 'fastify'
import type { Got } from 'got'
import type { ErrorKind } from '../../errors.ts'
import { exchange, ExchangeFailed } from './exchange.ts'

/** What the probe last saw. */
export interface DjangoHealth {
  healthy: boolean
  /** Seconds since the probe looked, null before its first look ended. */
  ageSeconds: number | null
  /** What is wrong, without hosts or secrets. */
  reason?: string
}

export interface ProbeOptions {
  http: Got
  log: FastifyBaseLogger
  url: string
  headers: Readonly<Record<string, string>>
  /** Milliseconds between the end of a look and the next; up to a fifth is taken off at random, so that replicas spread. */
  interval?: number
  /** Milliseconds that Django may take. */
  timeout?: number
}

const defaultInterval = 15_000
const defaultTimeout = 2_000
/** Looks that may be missed before the last one counts for nothing. */
const staleAfter = 3
const maxBytes = 1_048_576

const unreadable: Partial<Record<ErrorKind, string>> = {
  timeout: 'Django did not answer in time',
  bad_response: 'Django gave an answer that cannot be read'
}

function explained (status: number): string | undefined {
  if (status === 200) return undefined
  if (status === 401 || status === 403) return `Django refused the API key (${status})`
  if (status === 404) return 'Django has no such health path (404)'
  if (status >= 300 && status < 400) return `Django redirects the health path (${status})`
  return `Django answered ${status}`
}

/**
 * Looks after Django in the background and remembers what it saw, so that probes of our own endpoints cost Django
 * nothing. Only one look is under way at a time.
 */
export class HealthProbe {
  readonly #options: Required<ProbeOptions>
  #last: { reason: string | undefined, at: number } | undefined
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor (options: ProbeOptions) {
    this.#options = { interval: defaultInterval, timeout: defaultTimeout, ...options }
  }

  /** Begins to look, now and then at intervals. */
  start (): void {
    void this.look()
  }

  /** Ends looking; a look under way is not waited for. */
  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** What was last seen. Waits only for the very first look. */
  async health (): Promise<DjangoHealth> {
    if (this.#last === undefined) await this.look()
    return this.current()
  }

  /** What was last seen, without waiting. */
  current (): DjangoHealth {
    if (this.#last === undefined) return { healthy: false, ageSeconds: null, reason: 'Django has not been looked at yet' }
    const age = Date.now() - this.#last.at
    const stale = age > staleAfter * (this.#options.interval + this.#options.timeout)
    const reason = stale ? 'Django has not been looked at for too long' : this.#last.reason
    return { healthy: reason === undefined, ageSeconds: Math.round(age / 100) / 10, ...(reason === undefined ? {} : { reason }) }
  }

  /** Looks once; whoever asks meanwhile waits for the same look. */
  look (): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      this.#schedule()
    })
    return this.#looking
  }

  #schedule (): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { void this.look() }, this.#options.interval * (1 - Math.random() / 5))
    this.#timer.unref()
  }

  async #look (): Promise<void> {
    const { http, url, headers, timeout, log } = this.#options
    let reason: string | undefined
    try {
      const { status } = await exchange(http, url, { method: 'GET', headers: { ...headers }, body: undefined, signal: undefined, timeout, maxBytes })
      reason = explained(status)
    } catch (error) {
      if (!(error instanceof ExchangeFailed)) throw error
      reason = unreadable[error.error.kind] ?? 'Django cannot be reached'
    }
    // A look that shutdown cut short saw nothing of Django.
    if (this.#stopped) return
    const before = this.#last
    this.#last = { reason, at: Date.now() }
    if (before === undefined || before.reason !== reason) {
      if (reason === undefined) log.info('Django is healthy')
      else log.warn({ reason }, 'Django is not healthy')
    }
  }
}
