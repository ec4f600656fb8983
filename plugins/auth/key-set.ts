import { compactVerify, createRemoteJWKSet, customFetch, decodeProtectedHeader, type FlattenedJWSInput, type JWSHeaderParameters, type RemoteJWKSet } from 'jose'
import { z } from 'zod'
import type { KeySetAlgorithm } from '../../checks/issuers.ts'
import type { Ask } from './asking.ts'
import { checkHeader, principalFrom, type ClaimRules } from './claims.ts'
import { TokenRefused, VerifierUnavailable } from './errors.ts'
import type { TokenVerifier } from './verifier.ts'

/** Milliseconds after which keys are fetched again. A key that was removed is accepted no longer than this. */
const freshFor = 600_000
/** Milliseconds for which they are used on while fetching them again fails. */
const keptFor = 3_600_000
/** Milliseconds between two fetches for keys that are not there, and between two attempts that fail. */
const cooldown = 30_000

const keySetShape = z.object({ keys: z.array(z.record(z.string(), z.unknown())) })

/** The keys that an issuer publishes at one URL (RFC 7517 §5), fetched when they are needed and seldom. */
class KeySet {
  readonly #remote: RemoteJWKSet
  readonly #ask: Ask
  #fetchedAt = -Infinity
  #retryAt = -Infinity

  constructor (url: string, ask: Ask) {
    this.#ask = ask
    this.#remote = createRemoteJWKSet(new URL(url), {
      cooldownDuration: cooldown,
      cacheMaxAge: keptFor,
      [customFetch]: (fetched) => this.#fetch(fetched)
    })
  }

  /**
   * The key for a token.
   * @throws {VerifierUnavailable} where there are no keys, or none that are young enough
   * @throws {Error} of jose's where none of them fits
   */
  async key (header: JWSHeaderParameters | undefined, token: FlattenedJWSInput | undefined) {
    if (Date.now() >= this.#fetchedAt + freshFor) {
      await this.#remote.reload().catch((error: unknown) => {
        if (!this.#remote.fresh) throw error
      })
    }
    return await this.#remote(header, token)
  }

  /**
   * Until when it may be remembered what these keys have verified, in milliseconds since the epoch: no longer than the
   * keys are used without a new look at them, or a removed one would live on in what is remembered.
   */
  get trustedUntil (): number {
    const freshUntil = this.#fetchedAt + freshFor
    return freshUntil > Date.now() ? freshUntil : Math.min(Date.now() + cooldown, this.#fetchedAt + keptFor)
  }

  async #fetch (url: string): Promise<Response> {
    if (Date.now() < this.#retryAt) throw new VerifierUnavailable(`${url} failed a moment ago`)
    try {
      const keySet = keySetShape.parse(await this.#ask(url))
      this.#fetchedAt = Date.now()
      return Response.json(keySet)
    } catch (error) {
      this.#retryAt = Date.now() + cooldown
      throw error instanceof VerifierUnavailable ? error : new VerifierUnavailable(`${url} is no key set`, error)
    }
  }
}

export interface KeySetVerifierOptions {
  algorithm: KeySetAlgorithm
  ask: Ask
  /** Gives the URL of the key set; it does not change. */
  locate: () => Promise<string>
  rules: ClaimRules
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function claimsIn (payload: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(payload))
  } catch (cause) {
    throw new TokenRefused('malformed', 'the claims are no JSON', cause)
  }
}

/** Verifies tokens that are signed with a key that their issuer publishes. */
export function keySetVerifier ({ algorithm, ask, locate, rules }: KeySetVerifierOptions): TokenVerifier {
  let keySet: KeySet | undefined

  async function keys (): Promise<KeySet> {
    if (keySet !== undefined) return keySet
    const url = await locate()
    keySet ??= new KeySet(url, ask)
    return keySet
  }

  /** Looked at before a key is: no header makes us fetch anything that we would not use. */
  function headerOf (token: string): void {
    let header: unknown
    try {
      header = decodeProtectedHeader(token)
    } catch (cause) {
      throw new TokenRefused('malformed', 'no JSON Web Token', cause)
    }
    checkHeader(header, rules.profile)
  }

  async function signed (token: string): Promise<Uint8Array> {
    try {
      const { payload } = await compactVerify(token, async (header, input) => await (await keys()).key(header, input), { algorithms: [algorithm] })
      return payload
    } catch (error) {
      if (error instanceof VerifierUnavailable) throw error
      throw new TokenRefused('signature', 'not signed with a key of the issuer', error)
    }
  }

  return {
    async verify (token) {
      headerOf(token)
      const payload = claimsIn(await signed(token))
      const principal = principalFrom(payload, rules, Math.floor(Date.now() / 1000))
      return { principal, until: Math.min(principal.expiresAt, (await keys()).trustedUntil / 1000) }
    }
  }
}
