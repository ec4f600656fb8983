import { hash } from 'node:crypto'
import type { TokenVerifier, Verified } from './verifier.ts'

/** Tokens that are remembered at most. */
const defaultCapacity = 10_000

/**
 * A verifier that remembers whom a token it has verified belongs to, as long as it may. Only good tokens are
 * remembered, by their SHA-256 digest: a bad one costs its verification every time, but one that is being verified
 * already is waited for. Whether a token has been revoked is not remembered and has to be asked each time.
 */
export function remembering (verifier: TokenVerifier, capacity = defaultCapacity): TokenVerifier {
  const known = new Map<string, Verified>()
  const underWay = new Map<string, Promise<Verified>>()

  function remember (digest: string, result: Verified): Verified {
    if (known.size >= capacity) {
      const [oldest] = known.keys()
      if (oldest !== undefined) known.delete(oldest)
    }
    known.set(digest, result)
    return result
  }

  return {
    async verify (token) {
      const digest = hash('sha256', token, 'base64url')
      const found = known.get(digest)
      if (found !== undefined) {
        if (found.until * 1000 > Date.now()) return found
        known.delete(digest)
      }
      const waiting = underWay.get(digest)
      if (waiting !== undefined) return await waiting
      const result = verifier.verify(token).then((verified) => remember(digest, verified)).finally(() => { underWay.delete(digest) })
      underWay.set(digest, result)
      return await result
    }
  }
}
