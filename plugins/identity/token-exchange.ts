import type { FastifyBaseLogger } from 'fastify'
import type { Got } from 'got'
import { z } from 'zod'
import { text, type OptionsShape } from '../../checks/options.ts'
import { isHeaderText } from '../../checks/tokens.ts'
import { isEndpoint } from '../../checks/urls.ts'
import { CallError } from '../../errors.ts'
import { clientCredentials } from '../auth/client-credentials.ts'
import type { Answer } from '../django/answer.ts'
import { exchange, ExchangeFailed } from '../django/exchange.ts'
import type { IdentityPrincipal } from './principal.ts'

export interface ExchangeOptions {
  type: 'exchange'
  /** Token endpoint of the authorization server that issues the tokens of our callers: they are sent there. */
  url: string
  /** With what this service authenticates there. */
  clientId: string
  clientSecret: string
  /** What Django is called there (RFC 8693 §2.1). */
  audience: string
}

const url = 'an http or https URL'

export const exchangeOptions = z.strictObject({
  type: z.literal('exchange'),
  url: z.string(url).refine(isEndpoint, url),
  clientId: text(),
  clientSecret: text(),
  audience: text()
} satisfies OptionsShape<ExchangeOptions>)

/** Milliseconds that the authorization server may take: a call waits for it. */
const timeout = 5_000
/** Bytes of its answer. */
const maxBytes = 65_536
/** Seconds before its end from which a token is not used any more: requests take a while, and clocks differ. */
const margin = 30
/** Tokens that are kept at most. */
const capacity = 10_000

const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

/** RFC 8693 §2.2.1. What is neither a bearer token nor fit for a header cannot be used. */
const successSchema = z.object({
  access_token: z.string().max(16_384).refine(isHeaderText),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().positive().optional()
})

const failureSchema = z.object({ error: z.string().regex(/^[\w.-]{1,64}$/) })

/** Codes by which a server says that this user's token does not do (RFC 8693 §2.2.2, RFC 6749 §5.2). All others are about us. */
const aboutTheUser: ReadonlySet<string> = new Set(['invalid_request', 'invalid_grant', 'invalid_target', 'access_denied'])

interface Kept {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

function jsonIn ({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function unavailable (reason: string, cause?: unknown): CallError {
  return new CallError('unavailable', 'The user could not be introduced to the API: the authorization server is of no help at the moment.', { cause: new Error(reason, { cause }) })
}

/**
 * Exchanges tokens of callers for tokens that Django takes (RFC 8693). A token is kept until shortly before it ends,
 * for all tokens of the same user, client and scopes; calls that wait for the same one ask once.
 */
export class TokenExchange {
  readonly #options: Omit<ExchangeOptions, 'type'>
  readonly #http: Got
  readonly #log: FastifyBaseLogger
  readonly #authorization: string
  readonly #kept = new Map<string, Kept>()
  readonly #underWay = new Map<string, Promise<string>>()

  constructor (options: Omit<ExchangeOptions, 'type'>, http: Got, log: FastifyBaseLogger) {
    this.#options = options
    this.#http = http
    this.#log = log
    this.#authorization = clientCredentials(options.clientId, options.clientSecret)
  }

  /**
   * A token for Django.
   * @param given the caller's own token
   * @throws {CallError} `forbidden` where the server does not take the caller's token, `unavailable` where it takes nothing
   */
  async tokenFor (principal: IdentityPrincipal, given: string): Promise<string> {
    const key = keyOf(principal)
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > Date.now()) return kept.token
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return await underWay
    const asked = this.#ask(key, given).finally(() => { this.#underWay.delete(key) })
    this.#underWay.set(key, asked)
    return await asked
  }

  /** Forgets a token that Django did not take, unless there is another one by now. */
  forget (principal: IdentityPrincipal, token: string): void {
    const key = keyOf(principal)
    if (this.#kept.get(key)?.token === token) this.#kept.delete(key)
  }

  async #ask (key: string, given: string): Promise<string> {
    const answer = await this.#send(given)
    if (answer.status !== 200) throw this.#refusal(answer)
    const checked = successSchema.safeParse(jsonIn(answer))
    if (!checked.success) throw unavailable(`the token endpoint answers in another form: ${z.prettifyError(checked.error)}`)
    const { access_token: token, expires_in: seconds = 0 } = checked.data
    this.#keep(key, { token, until: Date.now() + (seconds - margin) * 1000 })
    return token
  }

  async #send (given: string): Promise<Answer> {
    const { url, audience } = this.#options
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: given,
      subject_token_type: accessToken,
      requested_token_type: accessToken,
      audience
    }).toString()
    const headers = { authorization: this.#authorization, accept: 'application/json', 'accept-encoding': 'identity', 'content-type': 'application/x-www-form-urlencoded' }
    try {
      // Without the signal of a call: others wait for the same token.
      return await exchange(this.#http, url, { method: 'POST', headers, body, signal: undefined, timeout, maxBytes })
    } catch (error) {
      throw error instanceof ExchangeFailed ? unavailable('the token endpoint gives no answer that can be read', error.error.cause) : error
    }
  }

  #refusal (answer: Answer): CallError {
    const code = answer.status >= 400 && answer.status < 500 ? failureSchema.safeParse(jsonIn(answer)).data?.error : undefined
    // The description may be about the token, so only the code is passed on.
    const reason = `the token endpoint answers ${answer.status}${code === undefined ? '' : ` (${code})`}`
    if (code !== undefined && aboutTheUser.has(code)) {
      return new CallError('forbidden', 'The authorization server does not let this server call the API for the user.', { cause: new Error(reason) })
    }
    this.#log.error({ status: answer.status, code }, 'the authorization server does not exchange tokens for this service')
    return unavailable(reason)
  }

  #keep (key: string, kept: Kept): void {
    if (kept.until <= Date.now()) return
    this.#kept.delete(key)
    if (this.#kept.size >= capacity) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.set(key, kept)
  }
}

/** Tells tokens apart: another user, client or set of scopes has another one. */
function keyOf ({ issuer, subject, clientId, scopes }: IdentityPrincipal): string {
  return JSON.stringify([issuer, subject, clientId, [...scopes].toSorted()])
}
