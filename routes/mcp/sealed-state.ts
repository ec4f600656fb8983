import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** What a state is valid for: the same caller making the same call. */
export interface Binding {
  /** Key of the principal. */
  principal: string
  method: string
  /** The tool, prompt or resource. */
  target: string
  arguments: unknown
}

const envelope = z.strictObject({
  /** Milliseconds since the epoch at which it ends. */
  e: z.number(),
  /** Makes every state a different one, so that its use can be remembered. */
  n: z.string(),
  p: z.unknown()
})

/** Seconds that a person has to answer. */
const lifetime = 600

/** Remembers what must not be used twice. */
export interface Uses {
  /** Whether this is the first use of `nonce`, which nobody uses after `endsAt`, in milliseconds since the epoch. */
  readonly isFirst: (nonce: string, endsAt: number) => Promise<boolean>
}

/** JSON in which equal objects are equal texts, whatever the order of their keys. */
function canonical (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value).filter(([, entry]) => entry !== undefined).toSorted(([left], [right]) => left < right ? -1 : 1)
      .map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/**
 * State that travels through the client and comes back: sealed with HMAC-SHA-256, bound to the call, short-lived and
 * good for one use (basic/patterns/mrtr, "Server Requirements").
 */
export class SealedState {
  readonly #key: Buffer
  readonly #uses: Uses

  /** @param secret a secret that all replicas share; the key is derived from it (RFC 5869) */
  constructor (secret: string, uses: Uses) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, 'django-mcp-server', 'request-state', 32))
    this.#uses = uses
  }

  seal (payload: unknown, binding: Binding): string {
    const body = Buffer.from(JSON.stringify({ e: Date.now() + lifetime * 1000, n: randomBytes(12).toString('base64url'), p: payload })).toString('base64url')
    return `${body}.${this.#mac(body, binding)}`
  }

  /** What was sealed, or undefined for a state that is forged, expired, used or another call's. */
  async open (state: string, binding: Binding): Promise<unknown> {
    const [body, mac, ...rest] = state.split('.')
    if (body === undefined || mac === undefined || rest.length > 0) return undefined
    const expected = Buffer.from(this.#mac(body, binding))
    const given = Buffer.from(mac)
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined
    const { e: endsAt, n: nonce, p: payload } = envelope.parse(JSON.parse(Buffer.from(body, 'base64url').toString()))
    return endsAt > Date.now() && await this.#uses.isFirst(nonce, endsAt) ? payload : undefined
  }

  #mac (body: string, { principal, method, target, arguments: args }: Binding): string {
    const bound = createHash('sha256').update(canonical([principal, method, target, args])).digest('base64url')
    return createHmac('sha256', this.#key).update(`${body}.${bound}`).digest('base64url')
  }
}
