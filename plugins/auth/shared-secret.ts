import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { checkHeader, principalFrom, type ClaimRules } from './claims.ts'
import { TokenRefused, type AuthFailure } from './errors.ts'
import type { TokenVerifier } from './verifier.ts'

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
export async function sharedSecretVerifier (app: FastifyInstance, secrets: readonly string[], rules: ClaimRules): Promise<TokenVerifier> {
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
      checkHeader(header, rules.profile)
      const principal = principalFrom(payload, rules, Math.floor(Date.now() / 1000))
      return { principal, until: principal.expiresAt }
    }
  }
}
