import { lstat, mkdir, readdir, rmdir, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { whyNotEmptied } from '../checks/folders.ts'
import { checkOptions, OptionsError, duration, text, type OptionsShape } from '../checks/options.ts'
import { quoted } from '../checks/quoted.ts'
import { namedLogger } from './logging/named-logger.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Removes old temporary files now. */
    cleanTmp: () => Promise<CleanupResult>
  }
}

export interface TmpCleanupOptions {
  /** The folder, which nothing else may use; it is made if it does not exist. */
  directory: string
  /** Hours after which a file counts as old. */
  maxAgeHours?: number
  /** Hours between two cleanups. */
  intervalHours?: number
}

export interface CleanupResult {
  /** Files, links and folders that were removed. */
  removed: number
  /** Size of the removed files in bytes. */
  bytes: number
  /** Paths that could not be removed, and why. */
  failed: ReadonlyArray<{ path: string, reason: string }>
}

const hour = 3_600_000

const ageExpected = 'a number of hours above 0'

const optionsSchema = z.strictObject({
  directory: text('the path of a folder'),
  maxAgeHours: z.number(ageExpected).positive(ageExpected).default(24),
  intervalHours: duration('hours').default(6)
} satisfies OptionsShape<TmpCleanupOptions>)

function reasonOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/**
 * Removes what was last changed before `before` (milliseconds since the epoch) from a folder, and the folders in
 * it that are old and empty then. A symbolic link is removed itself and never followed. What cannot be removed
 * is reported and does not keep the rest from being removed.
 */
export async function removeOlderThan (directory: string, before: number): Promise<CleanupResult> {
  let removed = 0
  let bytes = 0
  const failed: Array<{ path: string, reason: string }> = []

  async function clean (folder: string): Promise<void> {
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      try {
        const stat = await lstat(path)
        if (stat.isDirectory()) {
          await clean(path)
          // Looked at before its content was removed, which makes a folder young.
          if (stat.mtimeMs >= before || (await readdir(path)).length > 0) continue
          await rmdir(path)
        } else {
          // A socket is as old as whoever listens on it.
          if (stat.mtimeMs >= before || stat.isSocket()) continue
          await unlink(path)
          bytes += stat.size
        }
        removed += 1
      } catch (error) {
        failed.push({ path, reason: reasonOf(error) })
      }
    }
  }

  await clean(directory)
  return { removed, bytes, failed }
}

/** Another user of the machine could have put a link there, to have us empty the folder it points to. */
async function refuseLink (directory: string): Promise<void> {
  if (!(await lstat(directory)).isDirectory()) throw new Error('it is a symbolic link or a file')
}

/** Keeps the folder for temporary files from growing: old ones are removed now and then. */
const tmpCleanup: FastifyPluginAsync<TmpCleanupOptions> = async (app, options) => {
  const { maxAgeHours, intervalHours, ...given } = checkOptions('tmp-cleanup', optionsSchema, options)
  // Without a slash at its end, behind which a symbolic link would be followed.
  const directory = resolve(given.directory)
  const log = namedLogger(app.log, 'tmp-cleanup')
  const why = whyNotEmptied(directory)
  if (why !== undefined) throw new OptionsError('tmp-cleanup', [{ option: 'directory', message: `expected a folder of its own, got ${quoted(given.directory)}; ${why}` }])
  let running: Promise<CleanupResult> | undefined

  async function cleanTmp (): Promise<CleanupResult> {
    await refuseLink(directory)
    const result = await removeOlderThan(directory, Date.now() - maxAgeHours * hour)
    if (result.removed > 0) log.info({ directory, removed: result.removed, bytes: result.bytes }, 'removed old temporary files')
    if (result.failed.length > 0) log.warn({ directory, failed: result.failed.slice(0, 10), failures: result.failed.length }, 'some old temporary files could not be removed')
    return result
  }

  function cleanOnce (): Promise<CleanupResult> {
    running ??= cleanTmp().finally(() => { running = undefined })
    return running
  }

  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await refuseLink(directory)
  } catch (error) {
    throw new Error(`The folder for temporary files, ${directory}, cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }

  app.decorate('cleanTmp', cleanOnce)
  const timer = setInterval(() => {
    cleanOnce().catch((error: unknown) => { log.error({ err: error, directory }, 'cleaning up temporary files failed') })
  }, intervalHours * hour)
  timer.unref()
  app.addHook('onClose', async () => {
    clearInterval(timer)
    await running?.catch(() => undefined)
  })
}

export default fp(tmpCleanup, { name: 'tmp-cleanup', fastify: '5.x' })
