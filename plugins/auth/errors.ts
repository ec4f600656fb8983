/** Why a request was not let in, for logs and metrics; a client is told less. */
export type AuthFailure = 'missing' | 'malformed' | 'expired' | 'signature' | 'audience' | 'claims' | 'scope' | 'revoked' | 'inactive' | 'unavailable'

/**
 * Codes of RFC 6750 §3.1; undefined where no credentials came, which is not an error of theirs (§3). The last one is
 * no code of that RFC and not sent in a challenge: nothing is wrong with the credentials.
 */
export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable' | undefined

const statusCodes = { invalid_request: 400, invalid_token: 401, insufficient_scope: 403, temporarily_unavailable: 503 } as const

const messages = {
  invalid_request: 'The Authorization header must be "Bearer" followed by one token.',
  invalid_token: 'The access token is not valid here, or not any more.',
  insufficient_scope: 'The access token does not cover this operation.',
  temporarily_unavailable: 'Access tokens cannot be verified at the moment. The same request may succeed later.'
} as const

/** Refused credentials. `statusCode` makes Fastify answer with it; expired and forged tokens look alike to the client. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  /** The code of RFC 6750, or `unauthorized` where no credentials came. */
  readonly code: string
  readonly statusCode: number
  readonly bearerError: BearerError
  readonly failure: AuthFailure
  /** All scopes that the operation needs. */
  readonly scopes: readonly string[]

  constructor (failure: AuthFailure, bearerError: BearerError, scopes: readonly string[], cause?: unknown) {
    super(bearerError === undefined ? 'An access token is needed.' : messages[bearerError], cause === undefined ? undefined : { cause })
    this.code = bearerError ?? 'unauthorized'
    this.statusCode = bearerError === undefined ? 401 : statusCodes[bearerError]
    this.bearerError = bearerError
    this.failure = failure
    this.scopes = scopes
  }
}

/** A token that a verifier does not accept. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  readonly failure: AuthFailure

  constructor (failure: AuthFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.failure = failure
  }
}

/** Whether a token is good cannot be said: what has to be asked gives no answer. Nobody is let in on that ground. */
export class VerifierUnavailable extends Error {
  override readonly name = 'VerifierUnavailable'

  constructor (message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
  }
}
