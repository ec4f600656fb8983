import { TokenRefused } from './errors.ts'
import type { TokenVerifier } from './verifier.ts'

/** Three parts of which the first begins like an object of JSON, with a line break or without. What they consist of is asked later: decoders take padding and the other alphabet as well. */
const webToken = /^e[wy][^.]*\.[^.]*\.[^.]*$/

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
      if (webToken.test(token) && !token.split('.').every(isCanonical)) throw new TokenRefused('malformed', 'its base64url is not canonical')
      return await verifier.verify(token)
    }
  }
}
