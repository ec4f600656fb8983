import type { Test } from 'tap'

/** Makes the clock stand still until it is moved; gives what moves it. Timers run on. */
export function stopClock (t: Test): (seconds: number) => void {
  let now = Date.now()
  t.intercept(Date, 'now', { value: () => now })
  return (seconds) => { now += seconds * 1000 }
}
