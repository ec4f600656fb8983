import type { FastifyBaseLogger } from 'fastify'
import { z } from 'zod'
import { isEndpoint, isPlainHttp } from '../../checks/urls.ts'
import type { Ask } from './asking.ts'
import { VerifierUnavailable } from './errors.ts'

export interface DiscoveryOptions {
  /** The issuer's URL, exactly as its metadata has it. */
  issuer: string
  ask: Ask
  /** Whether keys may be fetched without TLS. */
  allowHttp: boolean
  log: FastifyBaseLogger
}

/** Milliseconds before the second attempt; doubled with each further one. */
const firstPause = 1_000
const longestPause = 30_000

const metadata = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isEndpoint) })

/** Where metadata of an issuer may be: RFC 8414 §3.1 and §5, OpenID Connect Discovery 1.0 §4. */
export function metadataUrls (issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    ...(path === '' ? [] : [`${origin}${path}/.well-known/openid-configuration`])
  ]
}

/**
 * Finds out where an issuer publishes its keys, once. It begins at the start and goes on until it succeeds, so that an
 * authorization server that is down keeps nobody from starting.
 */
export class Discovery {
  readonly #options: DiscoveryOptions
  #found: string | undefined
  #attempt: Promise<string> | undefined
  #timer: NodeJS.Timeout | undefined
  #pause = firstPause
  #stopped = false
  #complained = false

  constructor (options: DiscoveryOptions) {
    this.#options = options
  }

  /**
   * Where the keys are. Waits for an attempt that is under way, and not for the next one.
   * @throws {VerifierUnavailable} while that is not known
   */
  async keys (): Promise<string> {
    if (this.#found !== undefined) return this.#found
    if (this.#attempt === undefined) throw new VerifierUnavailable(`the metadata of ${this.#options.issuer} has not been found yet`)
    return await this.#attempt
  }

  /** Begins, or goes on after a pause. */
  start (): void {
    if (this.#stopped) return
    this.#attempt = this.#look()
    void this.#end(this.#attempt)
  }

  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #end (attempt: Promise<string>): Promise<void> {
    const { log, issuer } = this.#options
    try {
      this.#found = await attempt
      log.info({ issuer, jwks_url: this.#found }, 'the keys of the issuer are found')
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail (error: unknown): void {
    this.#attempt = undefined
    const { log, issuer } = this.#options
    if (!this.#complained) log.error({ issuer, reason: error instanceof Error ? error.message : String(error) }, 'the metadata of the issuer cannot be used; trying again')
    this.#complained = true
    this.#timer = setTimeout(() => { this.start() }, this.#pause)
    this.#timer.unref()
    this.#pause = Math.min(this.#pause * 2, longestPause)
  }

  async #look (): Promise<string> {
    const reasons: string[] = []
    for (const url of metadataUrls(this.#options.issuer)) {
      try {
        return this.#jwksUrl(url, await this.#options.ask(url))
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error))
      }
    }
    throw new VerifierUnavailable(reasons.join('; '))
  }

  #jwksUrl (url: string, document: unknown): string {
    const { issuer, allowHttp } = this.#options
    const checked = metadata.safeParse(document)
    if (!checked.success) throw new Error(`${url} is no metadata with issuer and jwks_uri`)
    // RFC 8414 §3.3: otherwise one issuer could speak for another.
    if (checked.data.issuer !== issuer) throw new Error(`${url} is the metadata of another issuer`)
    if (!allowHttp && isPlainHttp(checked.data.jwks_uri)) throw new Error(`${url} names a jwks_uri without TLS`)
    return checked.data.jwks_uri
  }
}
