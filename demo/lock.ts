import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { never } from './interruption.ts'

/** SQLITE_BUSY: somebody else holds the lock. */
const busy = 5

/** Milliseconds between two attempts. */
const interval = 200

function isTaken (lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return false
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) return true
    throw error
  }
}

/**
 * Does something that only one process at a time may do. The lock is an SQLite transaction on `file`, as in
 * serve.py: it works on every platform and ends with the process that holds it, so none is ever stale.
 */
export async function withLock<Result> (file: string, work: () => Promise<Result>, { signal = never, onWait }: { signal?: AbortSignal, onWait?: () => void } = {}): Promise<Result> {
  const lock = new DatabaseSync(file, { timeout: 0 })
  try {
    if (isTaken(lock)) {
      onWait?.()
      do await sleep(interval, undefined, { signal })
      while (isTaken(lock))
    }
    return await work()
  } finally {
    lock.close()
  }
}
