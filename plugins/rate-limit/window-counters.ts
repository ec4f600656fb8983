/** What a counter says to units that somebody wants to use. */
export interface Count {
  /** Whether they fitted. What does not fit is not counted. */
  fits: boolean
  /** Units that are used, with these if they fitted. */
  used: number
  /** Milliseconds until the window ends. */
  ttl: number
}

interface Window {
  used: number
  /** Milliseconds since the epoch at which the window ends. */
  endsAt: number
}

/** How many keys are looked at for one that may be forgotten before one that has nothing left is. */
const evictionSearch = 100

/**
 * Counts units by key in fixed windows of one length. Windows begin with their first unit, so the map's order is the
 * order in which they end. The number of keys is bounded; a key that has nothing left is the last to be forgotten,
 * or a flood of new keys would clear the counter of the one that is being held back.
 */
export class WindowCounters {
  readonly #windows = new Map<string, Window>()
  readonly #capacity: number

  constructor (capacity: number) {
    this.#capacity = capacity
  }

  /** Keys whose window has not ended. */
  get size (): number {
    this.#forgetEnded(Date.now())
    return this.#windows.size
  }

  /** Uses units; `length` is the window's in milliseconds, and `max` what it has. */
  use (key: string, units: number, length: number, max: number): Count {
    const now = Date.now()
    const open = this.#windows.get(key)
    if (open !== undefined && open.endsAt > now) {
      const fits = open.used + units <= max
      if (fits) open.used += units
      return { fits, used: open.used, ttl: open.endsAt - now }
    }
    this.#windows.delete(key)
    this.#forgetEnded(now)
    const fits = units <= max
    if (fits) {
      if (this.#windows.size >= this.#capacity) this.#forgetOne(max)
      this.#windows.set(key, { used: units, endsAt: now + length })
    }
    return { fits, used: fits ? units : 0, ttl: length }
  }

  #forgetEnded (now: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now) return
      this.#windows.delete(key)
    }
  }

  #forgetOne (max: number): void {
    let oldest: string | undefined
    let searched = 0
    for (const [key, { used }] of this.#windows) {
      oldest ??= key
      if (used < max) {
        oldest = key
        break
      }
      searched += 1
      if (searched === evictionSearch) break
    }
    if (oldest !== undefined) this.#windows.delete(oldest)
  }
}
