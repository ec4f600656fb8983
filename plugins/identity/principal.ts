import { CallError } from '../../errors.ts'
import { anonymous } from '../auth/principal.ts'

/** A user who has signed in, as far as Django is told. */
export interface IdentityPrincipal {
  readonly subject: string
  /** Whose word it is that this is the subject. */
  readonly issuer?: string | undefined
  /** The OAuth client that the user calls with. */
  readonly clientId?: string | undefined
  readonly scopes: ReadonlySet<string>
}

/**
 * The principal, if Django may hear of it.
 * @param issuer the one whose subjects are users of Django; any where it is undefined
 * @throws {CallError} `forbidden` where nobody has signed in, or at another issuer: what happens then must not happen as somebody else
 */
export function known (principal: IdentityPrincipal | null | undefined, issuer: string | undefined): IdentityPrincipal {
  if (principal === null || principal === undefined || principal === anonymous) throw new CallError('forbidden', 'The API is called for users only, and nobody has signed in.')
  if (issuer !== undefined && principal.issuer !== issuer) throw new CallError('forbidden', 'The API does not know users who signed in where this one did.')
  return principal
}

/** Name of the header that tells Django whom a request is for. `Authorization` keeps the key of this service. */
export const identityHeader = 'x-mcp-assertion'
