import { hash } from 'node:crypto'
import type { Principal } from './principal.ts'
import type { TokenVerifier } from './shared-secret.ts'

/** Tokens that are remembered at most. */
const defaultCapacity = 10_000

/**
 * A verifier that remembers whom a token it has verified belongs to, until the token expires. Only good tokens are
 * remembered, by their SHA-256 digest: a bad one costs its verification every time. Whether a token has been revoked
 * is not remembered and has to be asked each time.
 */
export function remembering (verifier: TokenVerifier, capacity = defaultCapacity): TokenVerifier {
  const known = new Map<string, Principal>()

  return {
    async verify (token) {
      const digest = hash('sha256', token, 'base64url')
      const found = known.get(digest)
      if (found !== undefined) {
        if (found.expiresAt !== undefined && found.expiresAt * 1000 > Date.now()) return found
        known.delete(digest)
      }
      const principal = await verifier.verify(token)
      if (known.size >= capacity) {
        const [oldest] = known.keys()
        if (oldest !== undefined) known.delete(oldest)
      }
      known.set(digest, principal)
      return principal
    }
  }
}
