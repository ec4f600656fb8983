import { readFileSync, writeFileSync } from 'node:fs'
import { formatLock, LockError, parseLock, type Lock } from '../plugins/catalog/lock.ts'
import { UsageError } from './usage.ts'

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * The lock in a file; undefined where there is no file.
 * @throws {LockError} for a file that is none
 * @throws {UsageError} for one that cannot be read
 */
export function lockAt (file: string | undefined): Lock | undefined {
  try {
    return file === undefined ? undefined : parseLock(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    if (error instanceof LockError) throw error
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`)
  }
}

/**
 * Writes a lock where it differs from the one before, so that files which are watched change only when they have to.
 * @throws {UsageError} for a file that cannot be written
 */
export function keepLock (file: string, lock: Lock, previous: Lock | undefined): void {
  const text = formatLock(lock)
  if (previous !== undefined && formatLock(previous) === text) return
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${messageOf(error)}`)
  }
}
