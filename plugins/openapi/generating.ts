import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Generated } from './generate.ts'
import type { Selection } from './select.ts'

/** The text of a document, and the texts of what says more about it. */
export interface Texts {
  document: string
  overlay: string | undefined
  lock: string | undefined
}

export interface GeneratingOptions extends Selection {
  outputSchemas: boolean
}

/** A thread that makes much and keeps little would be given tens of megabytes for it, of which the process keeps a part. */
const maxYoungGenerationSizeMb = 4

const script = new URL(`worker${extname(import.meta.url)}`, import.meta.url)

function isGenerated (message: unknown): message is Generated {
  return typeof message === 'object' && message !== null && 'tools' in message && 'skipped' in message && 'warnings' in message
}

/**
 * Makes tools from a document in a thread of its own. A large one takes seconds of computing, in which no call would be
 * answered, and more memory than the process needs ever after.
 * @throws {Error} for a document, an overlay or a lock file that cannot be used
 */
export async function generateAside (texts: Texts, options: GeneratingOptions, signal: AbortSignal): Promise<Generated> {
  signal.throwIfAborted()
  const worker = new Worker(script, { workerData: { ...texts, ...options }, execArgv: [], resourceLimits: { maxYoungGenerationSizeMb } })
  const end = (): void => { void worker.terminate() }
  signal.addEventListener('abort', end, { once: true })
  try {
    const ended = once(worker, 'exit').then(() => [])
    const [message] = await Promise.race([once(worker, 'message'), ended])
    if (!isGenerated(message)) throw new Error('the thread that reads the document has ended without a word')
    return message
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}
