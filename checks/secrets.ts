import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const key = randomBytes(32)

/** Whether two texts are the same, in a time that tells nothing of either: digests under a key that nobody knows are compared. */
export function sameSecret (given: string, expected: string): boolean {
  return timingSafeEqual(createHmac('sha256', key).update(given).digest(), createHmac('sha256', key).update(expected).digest())
}
