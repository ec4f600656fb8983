import { z } from 'zod'

/*
 * The lock file keeps digests of the texts of tools, which somebody has approved, and the names of those that a document
 * gives: prompts, approvals and configurations of clients know tools by name, and a document that is edited must not
 * give a name that is known to another operation. It is JSON, for version control: one entry for each operation and for
 * each tool that is written as code, also for those that are gone, so that one that comes back is compared.
 */

/** What is kept of an operation. Entries may hold more than is known here, which is kept as well. */
const entry = z.looseObject({
  name: z.string().regex(/^[\w-]{1,64}$/, 'expected a name of letters, digits, "_" and "-"'),
  /** Digest of the text that has been approved. */
  text: z.string().optional()
})

/** What is kept of a tool that is written as code. */
const writtenEntry = z.looseObject({ text: z.string() })

const shape = z.strictObject({
  version: z.literal(1, 'expected 1'),
  /** By method and path of the operation. */
  tools: z.record(z.string(), entry),
  /** By name. */
  written: z.record(z.string(), writtenEntry).default({})
})

export type Lock = z.output<typeof shape>

export const emptyLock: Lock = { version: 1, tools: {}, written: {} }

/** Why a text is no lock file. */
export class LockError extends Error {
  override readonly name = 'LockError'
}

/**
 * Reads a lock file.
 * @throws {LockError} for what is none, or gives one name to two operations
 */
export function parseLock (text: string): Lock {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new LockError('The lock file is not JSON.')
  }
  const checked = shape.safeParse(value)
  if (!checked.success) throw new LockError(`The lock file is not valid: ${checked.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')}.`)
  const owners = new Map<string, string>()
  for (const [key, { name }] of Object.entries(checked.data.tools)) {
    const other = owners.get(name.toLowerCase())
    if (other !== undefined) throw new LockError(`The lock file gives the name ${name} to ${other} and to ${key}.`)
    owners.set(name.toLowerCase(), key)
  }
  return checked.data
}

/** A lock as the text of its file: the same lock always gives the same text. */
export function formatLock (lock: Lock): string {
  return `${JSON.stringify(lock, null, 2)}\n`
}
