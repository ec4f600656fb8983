import { createHash } from 'node:crypto'
import type { Principal } from './principal.ts'

/** Tokens that are not accepted although they would be valid. */
export interface DenyList {
  /** Refuses the token with this `jti` until `expiresAt`, in seconds since the epoch; for ever without it. */
  revokeId: (tokenId: string, expiresAt?: number) => void
  /** Refuses exactly this token until `expiresAt`. Only its SHA-256 digest is kept. */
  revokeToken: (token: string, expiresAt?: number) => void
  /** Whether a token is refused. */
  isRevoked: (token: string, principal: Principal) => boolean
}

function digest (token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** How often, in milliseconds, entries of tokens that have expired anyway are forgotten. */
const purgeInterval = 60_000

/** A deny-list in this process's memory: it ends with the process and is not shared between replicas. */
export function createMemoryDenyList (tokenIds: readonly string[] = []): DenyList {
  const entries = new Map<string, number>()
  let purgeAt = 0

  function add (entry: string, expiresAt: number): void {
    const now = Date.now()
    if (now >= purgeAt) {
      purgeAt = now + purgeInterval
      for (const [old, end] of entries) if (end * 1000 <= now) entries.delete(old)
    }
    entries.set(entry, expiresAt)
  }

  for (const tokenId of tokenIds) add(`jti:${tokenId}`, Infinity)

  return {
    revokeId: (tokenId, expiresAt = Infinity) => { add(`jti:${tokenId}`, expiresAt) },
    revokeToken: (token, expiresAt = Infinity) => { add(`sha256:${digest(token)}`, expiresAt) },
    isRevoked: (token, { tokenId }) => entries.size > 0 && (
      (tokenId !== undefined && entries.has(`jti:${tokenId}`)) || entries.has(`sha256:${digest(token)}`)
    )
  }
}
