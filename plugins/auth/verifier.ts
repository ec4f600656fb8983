import type { Principal } from './principal.ts'

/** Whose a token is, and until when that may be remembered. */
export interface Verified {
  principal: Principal
  /** Seconds since the epoch; never after the token's own end. */
  until: number
}

/** Turns a token into its principal. */
export interface TokenVerifier {
  /**
   * @throws {TokenRefused} for a token that is not valid here
   * @throws {VerifierUnavailable} where that cannot be said now
   */
  verify: (token: string) => Promise<Verified>
}
