/** Who makes a call, as far as the token says. */
export interface Principal {
  /** The token's `sub`. */
  readonly subject: string
  /** The token's `iss`, where it has one. */
  readonly issuer: string | undefined
  /** The OAuth client that the token was issued to, where it says so. */
  readonly clientId: string | undefined
  /** The token's `jti`, where it has one. */
  readonly tokenId: string | undefined
  /** When the token was issued, in seconds since the epoch, where it says so. */
  readonly issuedAt: number | undefined
  /** When the token ends, in seconds since the epoch; undefined for the anonymous principal. */
  readonly expiresAt: number | undefined
  /** Scopes that the token grants, those that a granted one includes among them. */
  readonly scopes: ReadonlySet<string>
  /** Tells principals apart: issuer, subject and client in one text. */
  readonly key: string
}

/** A scope on the left includes those on the right. */
const includedScopes: ReadonlyMap<string, readonly string[]> = new Map([['write', ['read']]])

/** All scopes that a set of granted ones amounts to. Names are compared exactly (RFC 6749 §3.3). */
export function withIncluded (granted: Iterable<string>): ReadonlySet<string> {
  const scopes = new Set(granted)
  for (const scope of scopes) includedScopes.get(scope)?.forEach((included) => scopes.add(included))
  return scopes
}

/**
 * The scopes that an operation needs, in one list to ask for: its own, and of those that every request needs what its
 * own do not include.
 */
export function operationScopes (required: readonly string[], own: readonly string[]): readonly string[] {
  const included = withIncluded(own)
  return [...required.filter((scope) => !included.has(scope)), ...own]
}

/** The caller where authentication is switched off: it may do everything and counts by address. */
export const anonymous: Principal = {
  subject: 'anonymous',
  issuer: undefined,
  clientId: undefined,
  tokenId: undefined,
  issuedAt: undefined,
  expiresAt: undefined,
  scopes: new Set(),
  key: 'anonymous'
}

/** Whether every one of `needed` is granted. */
export function grants (principal: Principal, needed: readonly string[]): boolean {
  return principal === anonymous || needed.every((scope) => principal.scopes.has(scope))
}
