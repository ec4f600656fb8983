import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Principal } from './principal.ts'

const seconds = z.int('seconds since the epoch').positive('seconds since the epoch')
const name = z.string('a text').min(1, 'a text').max(255, 'a text of at most 255 characters')

/** When the entry is forgotten, in seconds since the epoch; never where it is left out. */
const until = seconds.optional()

/** What is not accepted although it would be valid. */
export const revocationSchema = z.union([
  z.strictObject({ tokenId: name, until }),
  z.strictObject({ tokenDigest: z.string().regex(/^[\w-]{43}$/), until }),
  z.strictObject({ subject: name, issuer: name.optional(), issuedBefore: seconds, until })
], 'a tokenId, a tokenDigest, or a subject with issuedBefore')

/**
 * One entry of a deny-list: a token by its `jti`, a token by its SHA-256 digest in base64url, or all tokens of a
 * subject that were issued up to a time. A token that does not say when it was issued counts as issued before. Without
 * an issuer the subject is meant wherever it signed in: who revokes in a hurry must not miss it.
 */
export type Revocation = z.output<typeof revocationSchema>

/** Tokens that are not accepted although they would be valid. Every method fails where the list cannot be reached. */
export interface DenyList {
  /** Whether replicas have it in common. */
  readonly shared: boolean
  revoke: (revocation: Revocation) => Promise<void>
  /** Takes an entry back; `until` and `issuedBefore` do not matter. Gives whether there was one. */
  restore: (revocation: Revocation) => Promise<boolean>
  /** Whether a token is refused. Asked with every request, so what is in memory answers at once. */
  isRevoked: (token: string, principal: Principal) => boolean | Promise<boolean>
}

/** What stands for a token on the list: the token itself is kept nowhere. */
export function digestOf (token: string): string {
  return hash('sha256', token, 'base64url')
}

/** Name of an entry. What is in it may be anybody's name, and is not to be read from a store that others look into. */
function keyOf (kind: 'jti' | 'token' | 'subject', ...parts: ReadonlyArray<string | null>): string {
  return kind === 'token' ? `token:${parts.join('')}` : `${kind}:${digestOf(JSON.stringify(parts))}`
}

export function keyOfRevocation (revocation: Revocation): string {
  if ('tokenId' in revocation) return keyOf('jti', revocation.tokenId)
  if ('tokenDigest' in revocation) return keyOf('token', revocation.tokenDigest)
  return keyOf('subject', revocation.issuer ?? null, revocation.subject)
}

/** Names of the entries that would refuse a token: `always` whatever they say, `subjects` if they are late enough. */
export function keysOf (token: string, { tokenId, issuer, subject }: Principal): { always: string[], subjects: string[] } {
  const byToken = keyOf('token', digestOf(token))
  const ofAnyIssuer = keyOf('subject', null, subject)
  return {
    always: tokenId === undefined ? [byToken] : [byToken, keyOf('jti', tokenId)],
    subjects: issuer === undefined ? [ofAnyIssuer] : [ofAnyIssuer, keyOf('subject', issuer, subject)]
  }
}

/** Whether a token was issued up to a time. */
export function wasIssuedBefore ({ issuedAt }: Principal, before: number): boolean {
  return issuedAt === undefined || issuedAt <= before
}

/** How often, in milliseconds, entries that have ended are forgotten. */
const purgeInterval = 60_000

/** A deny-list in this process's memory: it ends with the process and is not shared between replicas. */
export class MemoryDenyList implements DenyList {
  readonly shared = false
  readonly #entries = new Map<string, { until: number, issuedBefore: number }>()
  #purgeAt = 0

  constructor (tokenIds: readonly string[] = []) {
    for (const tokenId of tokenIds) this.#add({ tokenId })
  }

  async revoke (revocation: Revocation): Promise<void> {
    this.#add(revocation)
  }

  async restore (revocation: Revocation): Promise<boolean> {
    return this.#entries.delete(keyOfRevocation(revocation))
  }

  isRevoked (token: string, principal: Principal): boolean {
    if (this.#entries.size === 0) return false
    const { always, subjects } = keysOf(token, principal)
    if (always.some((key) => this.#entry(key) !== undefined)) return true
    return subjects.some((key) => {
      const entry = this.#entry(key)
      return entry !== undefined && wasIssuedBefore(principal, entry.issuedBefore)
    })
  }

  #add (revocation: Revocation): void {
    const now = Date.now()
    if (now >= this.#purgeAt) {
      this.#purgeAt = now + purgeInterval
      for (const key of this.#entries.keys()) this.#entry(key)
    }
    const key = keyOfRevocation(revocation)
    const issuedBefore = 'issuedBefore' in revocation ? revocation.issuedBefore : Infinity
    const known = this.#entry(key)
    // What was refused stays so, and for as long: only taking it back lets tokens in again.
    this.#entries.set(key, { until: Math.max(revocation.until ?? Infinity, known?.until ?? 0), issuedBefore: Math.max(issuedBefore, known?.issuedBefore ?? 0) })
  }

  /** An entry that has not ended. */
  #entry (key: string): { until: number, issuedBefore: number } | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.until * 1000 > Date.now()) return entry
    this.#entries.delete(key)
    return undefined
  }
}
