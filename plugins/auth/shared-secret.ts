import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { flag, list, text, whole, type OptionsShape } from '../../checks/options.ts'
import { principalFrom, type ClaimRules } from './claims.ts'
import { TokenRefused, type AuthFailure } from './errors.ts'
import type { Principal } from './principal.ts'

/** Turns a token into its principal, or throws `TokenRefused`. */
export interface TokenVerifier {
  verify: (token: string) => Promise<Principal>
}

export interface SharedSecretOptions extends Pick<ClaimRules, 'issuer' | 'audience'> {
  /** Secrets of 32 bytes or more that a token may be signed with: the current one, and during a rotation the one before. */
  secrets: readonly [string, ...string[]]
  /** Whether a token without `aud` is refused, as it is unless this is false: then the key alone says whom it is for. */
  audienceRequired?: boolean | undefined
  /** Seconds that a token may live at most, from `iat` or, without it, from now to `exp`; a day where it is left out. */
  maxLifetime?: number | undefined
}

const minSecretBytes = 32
const secretExpected = `a secret of at least ${minSecretBytes} bytes`
const secret = z.string(secretExpected).refine((value) => Buffer.byteLength(value) >= minSecretBytes, secretExpected)

/** A secret must not be shorter than the digest (RFC 7518 §3.2). What is not said is as strict as it can be. */
export const sharedSecretOptions = z.strictObject({
  secrets: z.tuple([secret], secret, 'a list of secrets with at least one').readonly(),
  issuer: text().optional(),
  audience: list(text(), 'a list of audiences'),
  audienceRequired: flag().default(true),
  maxLifetime: whole(1, 'seconds').default(86_400)
} satisfies OptionsShape<SharedSecretOptions>, 'how tokens are verified, or null for no authentication').refine(
  ({ audience, audienceRequired }) => !audienceRequired || audience.length > 0,
  { path: ['audience'], error: 'at least one audience while audienceRequired is true' }
)

const completeToken = z.object({ header: z.unknown(), payload: z.unknown() })

type Check = (token: string) => unknown

/** A check of signature and algorithm. The JWT plugin stays in a scope of its own, so that the app keeps its names. */
async function signatureCheck (app: FastifyInstance, secret: string): Promise<Check> {
  let check: Check | undefined
  await app.register(async (scope) => {
    await scope.register(fastifyJwt, {
      secret,
      // Claims are checked by us, all in one place: the defaults accept tokens without exp and of any length of life.
      verify: { algorithms: ['HS256'], complete: true, cache: false, ignoreExpiration: true, ignoreNotBefore: true }
    })
    check = (token) => scope.jwt.verify(token)
  })
  if (check === undefined) throw new Error('@fastify/jwt did not load')
  return check
}

function failureOf (error: unknown): AuthFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /SIGNATURE|ALGORITHM|KEY/.test(code) ? 'signature' : 'malformed'
}

/** Verifies tokens signed with HS256 and a secret that issuer and service share. */
export async function sharedSecretVerifier (app: FastifyInstance, { secrets, ...rules }: z.output<typeof sharedSecretOptions>): Promise<TokenVerifier> {
  const checks: Check[] = []
  // One after the other: Fastify loads plugins in order, and a scope whose turn has not come is not there yet.
  for (const secret of secrets) checks.push(await signatureCheck(app, secret))

  function signed (token: string): unknown {
    let refused: unknown
    for (const check of checks) {
      try {
        return check(token)
      } catch (error) {
        refused = error
      }
    }
    throw new TokenRefused(failureOf(refused), 'not signed with a secret of this service', refused)
  }

  return {
    async verify (token) {
      const { header, payload } = completeToken.parse(signed(token))
      return principalFrom(header, payload, rules, Math.floor(Date.now() / 1000))
    }
  }
}
