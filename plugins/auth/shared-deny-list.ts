import type { Redis } from 'ioredis'
import { keyOfRevocation, keysOf, wasIssuedBefore, type DenyList, type MemoryDenyList, type Revocation } from './deny-list.ts'
import { VerifierUnavailable } from './errors.ts'
import type { Principal } from './principal.ts'

/** Keeps the later of two times, and of two ends: an earlier one must not let tokens in again. */
const script = `
local before = tonumber(ARGV[1])
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if known > before then before = known end
local left = redis.call('PTTL', KEYS[1])
if ARGV[2] == '' or left == -1 then
  redis.call('SET', KEYS[1], before)
else
  local ends = tonumber(ARGV[2])
  if left > 0 then ends = math.max(ends, math.ceil(redis.call('TIME')[1] + left / 1000)) end
  redis.call('SET', KEYS[1], before, 'EXAT', ends)
end
return 1`

/** Milliseconds that Redis may take, every request waits for it. */
const patience = 1_000

function nameOf (key: string): string {
  return `revoked:${key}`
}

/**
 * A deny-list in Redis, one for all replicas, and with it what each of them refuses by itself. What cannot be asked
 * lets nobody in.
 */
export class SharedDenyList implements DenyList {
  readonly shared = true
  readonly #redis: Redis
  readonly #own: MemoryDenyList

  constructor (redis: Redis, own: MemoryDenyList) {
    this.#redis = redis
    this.#own = own
  }

  async revoke (revocation: Revocation): Promise<void> {
    const before = 'issuedBefore' in revocation ? revocation.issuedBefore : 1
    await this.#reach(() => this.#redis.eval(script, 1, nameOf(keyOfRevocation(revocation)), before, revocation.until ?? ''))
  }

  async restore (revocation: Revocation): Promise<boolean> {
    const own = await this.#own.restore(revocation)
    return await this.#reach(() => this.#redis.del(nameOf(keyOfRevocation(revocation)))) > 0 || own
  }

  async isRevoked (token: string, principal: Principal): Promise<boolean> {
    if (this.#own.isRevoked(token, principal)) return true
    const { always, subjects } = keysOf(token, principal)
    const found = await this.#reach(() => this.#redis.mget([...subjects, ...always].map(nameOf)))
    return found.some((value, index) => value !== null && (index >= subjects.length || wasIssuedBefore(principal, Number(value))))
  }

  async #reach<Answer> (send: () => Promise<Answer>): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => { timer = setTimeout(() => { reject(new Error('Redis takes too long')) }, patience) })
    try {
      return await Promise.race([send(), late])
    } catch (cause) {
      throw new VerifierUnavailable('the deny-list in Redis cannot be reached', cause)
    } finally {
      clearTimeout(timer)
    }
  }
}
