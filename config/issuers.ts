import type { IssuerOptions } from '../checks/issuers.ts'
import type { Config } from '../config.ts'

/** Variables of a single issuer, which `ISSUERS` takes the place of. */
export const singleIssuer = [
  'JWT_SECRET', 'JWT_SECRET_PREVIOUS', 'JWT_ALGORITHM', 'JWT_ISSUER', 'JWT_JWKS_URL', 'INTROSPECTION_URL', 'INTROSPECTION_CLIENT_ID', 'INTROSPECTION_CLIENT_SECRET', 'TOKEN_PROFILE'
] as const satisfies ReadonlyArray<keyof Config>

/** Whether a token may lack `aud`: only a secret that nobody else has can stand for it, and others have an issuer or a profile. */
export function secretStandsForAudience ({ JWT_AUDIENCE, JWT_ISSUER, TOKEN_PROFILE }: Config): boolean {
  return JWT_AUDIENCE === undefined && JWT_ISSUER === undefined && (TOKEN_PROFILE === undefined || TOKEN_PROFILE === 'generic')
}

/** Issuers whose tokens are accepted, as the auth plugin takes them; null without authentication. */
export function issuersOf (config: Config): readonly IssuerOptions[] | null {
  const { AUTH_ENABLED, ISSUERS, JWT_SECRET, JWT_SECRET_PREVIOUS, JWT_ISSUER, JWT_JWKS_URL, JWT_ALGORITHM, TOKEN_PROFILE: profile } = config
  const { INTROSPECTION_URL, INTROSPECTION_CLIENT_ID: clientId, INTROSPECTION_CLIENT_SECRET: clientSecret } = config
  if (!AUTH_ENABLED) return null
  if (ISSUERS !== undefined) return ISSUERS
  if (JWT_SECRET !== undefined) {
    const secrets: [string, ...string[]] = JWT_SECRET_PREVIOUS === undefined ? [JWT_SECRET] : [JWT_SECRET, JWT_SECRET_PREVIOUS]
    return [{ type: 'secret', secrets, issuer: JWT_ISSUER, audienceRequired: !secretStandsForAudience(config), profile }]
  }
  if (JWT_ISSUER === undefined) throw new Error('no issuer is configured while AUTH_ENABLED is true')
  if (INTROSPECTION_URL !== undefined && clientId !== undefined && clientSecret !== undefined) {
    return [{ type: 'introspection', issuer: JWT_ISSUER, url: INTROSPECTION_URL, clientId, clientSecret, profile }]
  }
  return [{ type: 'jwks', issuer: JWT_ISSUER, jwksUrl: JWT_JWKS_URL, algorithm: JWT_ALGORITHM === 'HS256' ? undefined : JWT_ALGORITHM, profile }]
}
