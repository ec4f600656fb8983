interface Window {
  count: number
  /** Milliseconds since the epoch at which the window ends. */
  endsAt: number
}

/** How many keys are looked at for one that may be forgotten before one that is over its limit is. */
const evictionSearch = 100

/**
 * Counts events by key in fixed windows of one length. Windows begin with their first event, so the map's order is
 * the order in which they end. The number of keys is bounded; a key over its limit is the last to be forgotten,
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

  /** Counts one event; `length` is the window's in milliseconds, and more than `max` events count as over. */
  increment (key: string, length: number, max: number): { current: number, ttl: number } {
    const now = Date.now()
    const open = this.#windows.get(key)
    if (open !== undefined && open.endsAt > now) {
      open.count += 1
      return { current: open.count, ttl: open.endsAt - now }
    }
    this.#windows.delete(key)
    this.#forgetEnded(now)
    if (this.#windows.size >= this.#capacity) this.#forgetOne(max)
    this.#windows.set(key, { count: 1, endsAt: now + length })
    return { current: 1, ttl: length }
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
    for (const [key, { count }] of this.#windows) {
      oldest ??= key
      if (count < max) {
        oldest = key
        break
      }
      searched += 1
      if (searched === evictionSearch) break
    }
    if (oldest !== undefined) this.#windows.delete(oldest)
  }
}
