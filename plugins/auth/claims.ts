import { z } from 'zod'
import { TokenRefused } from './errors.ts'
import { withIncluded, type Principal } from './principal.ts'

export interface ClaimRules {
  /** The `iss` that a token must have. Without it any or none is accepted: the key alone says who issued. */
  issuer?: string | undefined
  /** Values of which `aud` must have one. */
  audience: readonly string[]
  /** Whether a token without `aud` is refused; where it is not, the key alone says whom it is for. */
  audienceRequired: boolean
  /** Seconds that a token may live at most, from `iat` or, without it, from now to `exp`. */
  maxLifetime: number
}

/** Seconds that clocks may differ for `iat` and `nbf`. `exp` gets none: the issuer chose it with room enough. */
const clockSkew = 5

const seconds = z.int().positive()
const identifier = z.string().min(1).max(255)

/** What a token must not have. */
const absent = z.never().optional()

const claimsSchema = z.object({
  sub: identifier,
  exp: seconds,
  iat: seconds.optional(),
  nbf: seconds.optional(),
  iss: identifier.optional(),
  aud: z.union([identifier, z.array(identifier).min(1)]).optional(),
  jti: identifier.optional(),
  client_id: identifier.optional(),
  azp: identifier.optional(),
  scope: z.unknown().optional(),
  scopes: z.unknown().optional(),
  // What marks tokens that are no access tokens, or none for a bearer.
  token_type: z.literal('access').optional(),
  typ: z.literal(['Bearer', 'bearer']).optional(),
  nonce: absent,
  at_hash: absent,
  cnf: absent
})

const headerSchema = z.object({
  typ: z.string().regex(/^(application\/)?(jwt|at\+jwt)$/i).optional(),
  // Only a name; it is not looked up, and one that looks like a path or a query is no name.
  kid: z.string().regex(/^[\w.:=+-]{1,128}$/).optional(),
  // RFC 8725 §3.10: keys come from the configuration, never from the token.
  jku: absent,
  jwk: absent,
  x5u: absent,
  x5c: absent,
  crit: absent,
  b64: absent
})

const scopeList = z.array(z.string())

/** Scopes in `scope`, a text with spaces between (RFC 8693 §4.2), or else in `scopes`, a list. Any other shape grants none. */
function scopesOf ({ scope, scopes }: { scope?: unknown, scopes?: unknown }): readonly string[] {
  if (scope !== undefined) return typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []
  return scopeList.safeParse(scopes).data ?? []
}

/**
 * Checks what a signature does not: header and claims of a token whose signature is valid (RFC 8725 §3, RFC 9068 §4).
 * @param now seconds since the epoch
 * @throws {TokenRefused}
 */
export function principalFrom (header: unknown, payload: unknown, rules: ClaimRules, now: number): Principal {
  const checkedHeader = headerSchema.safeParse(header)
  if (!checkedHeader.success) throw new TokenRefused('claims', `header: ${z.prettifyError(checkedHeader.error)}`)
  const checked = claimsSchema.safeParse(payload)
  if (!checked.success) throw new TokenRefused('claims', z.prettifyError(checked.error))
  const claims = checked.data

  if (claims.exp <= now) throw new TokenRefused('expired', 'exp is in the past')
  if (claims.iat !== undefined && claims.iat > now + clockSkew) throw new TokenRefused('claims', 'iat is in the future')
  if (claims.nbf !== undefined && claims.nbf > now + clockSkew) throw new TokenRefused('claims', 'nbf is in the future')
  if (claims.exp - (claims.iat ?? now) > rules.maxLifetime) throw new TokenRefused('claims', `lives longer than ${rules.maxLifetime} seconds`)
  if (rules.issuer !== undefined && claims.iss !== rules.issuer) throw new TokenRefused('claims', 'iss is not the configured issuer')

  const audience = claims.aud === undefined ? [] : [claims.aud].flat()
  if (audience.length === 0 ? rules.audienceRequired : !audience.some((value) => rules.audience.includes(value))) {
    throw new TokenRefused('audience', 'aud does not name this service')
  }

  const clientId = claims.client_id ?? claims.azp
  return {
    subject: claims.sub,
    issuer: claims.iss,
    clientId,
    tokenId: claims.jti,
    expiresAt: claims.exp,
    scopes: withIncluded(scopesOf(claims)),
    key: JSON.stringify([claims.iss, claims.sub, clientId])
  }
}
