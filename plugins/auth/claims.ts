import { z } from 'zod'
import { TokenRefused } from './errors.ts'
import { withIncluded, type Principal } from './principal.ts'
import { identifier, type Profile } from './profiles.ts'

export interface ClaimRules {
  profile: Profile
  /** The `iss` that a token must have. Without it any or none is accepted: the key alone says who issued. */
  issuer: string | undefined
  /** Values of which `aud` must have one, in their canonical form. */
  audience: readonly string[]
  /** Whether a token without `aud` is refused; where it is not, the key alone says whom it is for. */
  audienceRequired: boolean
  /** Seconds that a token may live at most, from `iat` or, without it, from now to `exp`. */
  maxLifetime: number
}

/** Seconds that clocks may differ for `iat` and `nbf`. `exp` gets none: the issuer chose it with room enough. */
const clockSkew = 5

const seconds = z.int().positive()

/** What a token must not have. */
const absent = z.never().optional()

const claimsSchema = z.object({
  exp: seconds,
  iat: seconds.optional(),
  nbf: seconds.optional(),
  iss: identifier.optional(),
  aud: z.union([identifier, z.array(identifier).min(1)]).optional(),
  jti: identifier.optional(),
  // What marks tokens that are no access tokens, or none for a bearer.
  token_type: z.literal('access').optional(),
  token_use: z.literal(['access', 'access_token']).optional(),
  typ: z.literal(['Bearer', 'bearer']).optional(),
  nonce: absent,
  at_hash: absent,
  cnf: absent
})

const headerSchema = z.object({
  typ: z.string().transform((value) => value.toLowerCase().replace(/^application\//, '')).optional(),
  // Only a name; one that looks like a path or a query is none.
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

/** A claim of the token's own; what every object inherits is none. */
function own (claims: object, name: string): unknown {
  return Object.hasOwn(claims, name) ? Reflect.get(claims, name) : undefined
}

/** The scopes of the first claim that is there. A form that is not the claim's grants none. */
function scopesOf (claims: object, { scopes }: Profile): readonly string[] {
  for (const [form, name] of scopes) {
    const value = own(claims, name)
    if (value === undefined) continue
    if (form === 'list') return scopeList.safeParse(value).data ?? []
    // RFC 8693 §4.2
    return typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : []
  }
  return []
}

function clientOf (claims: object, { client }: Profile): string | undefined {
  const value = client.map((name) => own(claims, name)).find((found) => found !== undefined)
  if (value === undefined) return undefined
  const checked = identifier.safeParse(value)
  if (!checked.success) throw new TokenRefused('claims', 'the client is not named as it should be')
  return checked.data
}

/** Scheme and host of a URL in small letters, which they are the same in (RFC 3986 §6.2.2.1); the rest as it is. */
export function canonical (value: string): string {
  return value.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, (origin) => origin.toLowerCase())
}

/**
 * Checks the header of a token before its key is looked up (RFC 8725 §3, RFC 9068 §4).
 * @throws {TokenRefused}
 */
export function checkHeader (header: unknown, { types }: Profile): void {
  const checked = headerSchema.safeParse(header)
  if (!checked.success) throw new TokenRefused('claims', `header: ${z.prettifyError(checked.error)}`)
  if (!types.has(checked.data.typ)) throw new TokenRefused('claims', 'header: typ is not that of an access token')
}

/**
 * Checks what a signature does not: the claims of a token that was signed or vouched for by its issuer
 * (RFC 8725 §3, RFC 9068 §4, RFC 7662 §2.2).
 * @param now seconds since the epoch
 * @throws {TokenRefused}
 */
export function principalFrom (payload: unknown, rules: ClaimRules, now: number): Principal & { readonly expiresAt: number } {
  if (typeof payload !== 'object' || payload === null) throw new TokenRefused('malformed', 'the claims are no object')
  const checked = claimsSchema.safeParse(payload)
  if (!checked.success) throw new TokenRefused('claims', z.prettifyError(checked.error))
  const claims = checked.data
  const { profile } = rules

  if (claims.exp <= now) throw new TokenRefused('expired', 'exp is in the past')
  if (claims.iat !== undefined && claims.iat > now + clockSkew) throw new TokenRefused('claims', 'iat is in the future')
  if (claims.nbf !== undefined && claims.nbf > now + clockSkew) throw new TokenRefused('claims', 'nbf is in the future')
  if (claims.exp - (claims.iat ?? now) > rules.maxLifetime) throw new TokenRefused('claims', `lives longer than ${rules.maxLifetime} seconds`)
  if (rules.issuer !== undefined && claims.iss !== rules.issuer) throw new TokenRefused('claims', 'iss is not the configured issuer')

  const audience = claims.aud === undefined ? [] : [claims.aud].flat().map(canonical)
  if (audience.length === 0 ? rules.audienceRequired : !audience.some((value) => rules.audience.includes(value))) {
    throw new TokenRefused('audience', 'aud does not name this service')
  }

  const marked = profile.marks.safeParse(payload)
  if (!marked.success) throw new TokenRefused('claims', `no access token: ${z.prettifyError(marked.error)}`)
  const named = profile.subjectForm.safeParse(own(payload, profile.subject))
  if (!named.success) throw new TokenRefused('claims', `${profile.subject}: ${z.prettifyError(named.error)}`)

  const clientId = clientOf(payload, profile)
  return {
    subject: named.data,
    issuer: claims.iss,
    clientId,
    tokenId: claims.jti,
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    scopes: withIncluded(scopesOf(payload, profile)),
    key: JSON.stringify([claims.iss, named.data, clientId])
  }
}
