import { createHash } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { readText, SourceError, type DocumentSource, type Fetched } from './source.ts'

/** What a look at the document came to. */
export const lookResults = ['replaced', 'unchanged', 'broken', 'unreachable'] as const
export type LookResult = typeof lookResults[number]

/** State of the document in use, in words that may be shown to anyone. */
export interface SchemaHealth {
  /** Whether the last look at the document went well. */
  healthy: boolean
  /** Seconds since the document that is in use was last found to be the current one. */
  ageSeconds: number
  reason?: string
}

export interface KeeperOptions {
  source: DocumentSource
  /** File that every good document is saved to, and that is read where the source fails at the start. */
  copy: string | undefined
  /** Texts that tools are made of beside the document; a change of one makes an unchanged document count as new. */
  beside: () => Promise<readonly string[]>
  /**
   * Takes a document into use, whole, with what is beside it.
   * @throws {Error} for one that cannot be used; then the one before stays
   */
  use: (text: string, beside: readonly string[], signal: AbortSignal) => Promise<void>
  log: FastifyBaseLogger
  /** Milliseconds that the start waits for a source that cannot be reached. */
  patience: number
  /** Milliseconds between two looks; undefined for none. */
  interval: number | undefined
  /** Told of every look after the first document. */
  onLook: (result: LookResult) => void
}

/** Milliseconds between two attempts at the start. */
const pauseAtStart = 500
/** Milliseconds after which a look that failed is repeated, whatever the interval. */
const pauseAfterFailure = 60_000

const reasons = { unreachable: 'The schema cannot be read', broken: 'The schema is not valid' } as const

type Failure = keyof typeof reasons

/**
 * Keeps the document in use: gets the first one, looks for newer ones, and holds on to the last good one while there
 * is none. Only one look is under way at a time.
 */
export class DocumentKeeper {
  readonly #options: KeeperOptions
  readonly #ending = new AbortController()
  #document: string | undefined
  #beside: string | undefined
  #etag: string | undefined
  #goodAt = 0
  #failure: Failure | undefined
  #looking: Promise<LookResult> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (options: KeeperOptions) {
    this.#options = options
  }

  /**
   * Takes the first document into use, from the copy where the source has none that is good.
   * @throws {Error} where there is none
   */
  async start (): Promise<void> {
    try {
      await this.#first()
    } catch (error) {
      const { copy, log } = this.#options
      if (copy === undefined) throw error
      log.error({ reason: messageOf(error), copy }, 'the schema cannot be used, the saved copy is taken')
      try {
        await this.#takeCopy(copy)
      } catch (failure) {
        throw new Error(`${messageOf(error)}; nor can the saved copy be used: ${messageOf(failure)}`, { cause: failure })
      }
      this.#failure = failureOf(error)
    }
    this.#schedule()
  }

  /** Ends looking; a look under way is broken off. */
  stop (): void {
    this.#ending.abort()
    clearTimeout(this.#timer)
  }

  /** Looks for a newer document; whoever asks meanwhile waits for the same look. */
  reload (): Promise<LookResult> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      this.#schedule()
    })
    return this.#looking
  }

  health (): SchemaHealth {
    const ageSeconds = Math.round((Date.now() - this.#goodAt) / 100) / 10
    return this.#failure === undefined ? { healthy: true, ageSeconds } : { healthy: false, ageSeconds, reason: reasons[this.#failure] }
  }

  /** The first document, from a source that may still be starting itself. */
  async #first (): Promise<void> {
    const { source, log, patience } = this.#options
    const deadline = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(patience)])
    for (;;) {
      try {
        const fetched = await source.fetch(undefined, deadline)
        if (fetched === 'unchanged') throw new SourceError(`${source.name}: there is no document`, false)
        await this.#take(fetched, await this.#options.beside())
        return
      } catch (error) {
        if (!(error instanceof SourceError) || !error.transient || deadline.aborted) throw error
        log.warn({ reason: error.message }, 'the schema cannot be read yet')
        await sleep(pauseAtStart, undefined, { signal: deadline }).catch(() => { throw error })
      }
    }
  }

  async #takeCopy (copy: string): Promise<void> {
    await this.#use({ text: await readText(copy), etag: undefined }, await this.#options.beside())
    this.#goodAt = (await stat(copy)).mtimeMs
  }

  async #look (): Promise<LookResult> {
    const { log, onLook, source } = this.#options
    let result: LookResult
    try {
      result = await this.#lookNow()
      if (this.#failure !== undefined) log.info('the schema is good again')
      this.#failure = undefined
    } catch (error) {
      // A look that the end cut short saw nothing.
      if (this.#ending.signal.aborted) return 'unchanged'
      result = this.#failure = failureOf(error)
      log.error({ reason: messageOf(error), schema: source.name }, 'the schema cannot be used, the last good one stays')
    }
    onLook(result)
    return result
  }

  async #lookNow (): Promise<LookResult> {
    const beside = await this.#options.beside()
    const fetched = await this.#options.source.fetch(digestOf(beside) === this.#beside ? this.#etag : undefined, this.#ending.signal)
    const unchanged = fetched === 'unchanged' || (digestOf([fetched.text]) === this.#document && digestOf(beside) === this.#beside)
    if (!unchanged) await this.#take(fetched, beside)
    this.#goodAt = Date.now()
    return unchanged ? 'unchanged' : 'replaced'
  }

  async #take (fetched: Fetched, beside: readonly string[]): Promise<void> {
    await this.#use(fetched, beside)
    await this.#save(fetched.text)
  }

  async #use ({ text, etag }: Fetched, beside: readonly string[]): Promise<void> {
    await this.#options.use(text, beside, this.#ending.signal)
    this.#document = digestOf([text])
    this.#beside = digestOf(beside)
    this.#etag = etag
    this.#goodAt = Date.now()
  }

  /** Saves a good document whole or not at all; a copy that cannot be written is no reason to stop. */
  async #save (text: string): Promise<void> {
    const { copy, log } = this.#options
    if (copy === undefined) return
    const written = `${copy}.${process.pid}.new`
    try {
      await writeFile(written, text)
      await rename(written, copy)
    } catch (error) {
      await rm(written, { force: true }).catch(() => undefined)
      log.warn({ err: error, copy }, 'the copy of the schema cannot be written')
    }
  }

  #schedule (): void {
    const { interval } = this.#options
    clearTimeout(this.#timer)
    if (this.#ending.signal.aborted) return
    const pause = this.#failure === undefined ? interval : Math.min(interval ?? pauseAfterFailure, pauseAfterFailure)
    if (pause === undefined) return
    // Up to a fifth less, so that replicas spread.
    this.#timer = setTimeout(() => { void this.reload() }, pause * (1 - Math.random() / 5))
    this.#timer.unref()
  }
}

function failureOf (error: unknown): Failure {
  return error instanceof SourceError ? 'unreachable' : 'broken'
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function digestOf (texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64')
}
