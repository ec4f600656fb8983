import { readFileSync, writeFileSync } from 'node:fs'
import { formatLock, parseLock, type Lock } from '../plugins/catalog/lock.ts'

/**
 * The lock in a file; undefined where there is no file.
 * @throws {LockError} for a file that is none
 */
export function lockAt (file: string | undefined): Lock | undefined {
  try {
    return file === undefined ? undefined : parseLock(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a lock where it differs from the one before, so that files which are watched change only when they have to. */
export function keepLock (file: string, lock: Lock, previous: Lock | undefined): void {
  const text = formatLock(lock)
  if (previous === undefined || formatLock(previous) !== text) writeFileSync(file, text)
}
