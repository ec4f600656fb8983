import { TokenRefused } from './errors.ts'
import type { TokenVerifier } from './verifier.ts'
import { webTokenParts } from './web-token.ts'

/** Whether a text is what encoding its bytes gives: the last character can hold bits that decoders pass over (RFC 4648 §3.5). */
function isCanonical (part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

/**
 * Lets JSON Web Tokens pass only as they were written. One signature can be spelled in several ways, and a token that
 * is revoked by its digest would come back under another one.
 */
export function oneSpelling (verifier: TokenVerifier): TokenVerifier {
  return {
    async verify (token) {
      if (webTokenParts(token)?.every(isCanonical) === false) throw new TokenRefused('malformed', 'its base64url is not canonical')
      return await verifier.verify(token)
    }
  }
}
