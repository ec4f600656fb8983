import { z } from 'zod'
import type { GeneratedTool } from './generated.ts'
import { textDigest } from './pins.ts'

/*
 * The lock file keeps the names of tools, and digests of their texts: prompts, approvals and configurations of clients know tools by name, and a
 * document that is edited must not give a name that is known to another operation. It is JSON, for version control:
 * one entry for each operation, also for those that are gone, so that their names are not given to others.
 */

/** What is kept of a tool. Entries may hold more than is known here, which is kept as well. */
const entry = z.looseObject({
  name: z.string().regex(/^[\w-]{1,64}$/, 'expected a name of letters, digits, "_" and "-"'),
  /** Digest of the text that has been approved. */
  text: z.string().optional()
})

const shape = z.strictObject({ version: z.literal(1, 'expected 1'), tools: z.record(z.string(), entry) })

export type Lock = z.output<typeof shape>

export const emptyLock: Lock = { version: 1, tools: {} }

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
  if (!checked.success) throw new LockError(`The lock file is not valid: ${checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}.`)
  const owners = new Map<string, string>()
  for (const [key, { name }] of Object.entries(checked.data.tools)) {
    const other = owners.get(name.toLowerCase())
    if (other !== undefined) throw new LockError(`The lock file gives the name ${name} to ${other} and to ${key}.`)
    owners.set(name.toLowerCase(), key)
  }
  return checked.data
}

/** The lock after these tools have been made, whose texts it approves: entries of other operations stay as they are. */
export function lockOf (tools: readonly GeneratedTool[], previous: Lock = emptyLock): Lock {
  const given = new Set(tools.map(({ name }) => name.toLowerCase()))
  const keys = new Set(tools.map(({ operation }) => operation.key))
  // A name that the overlay has given to another operation is that one's now.
  const others = Object.entries(previous.tools).filter(([key, { name }]) => !keys.has(key) && !given.has(name.toLowerCase()))
  const own = tools.map((tool) => [tool.operation.key, Object.assign({}, previous.tools[tool.operation.key], { name: tool.name, text: textDigest(tool) })] as const)
  return { version: 1, tools: Object.fromEntries([...others, ...own].toSorted(([left], [right]) => left < right ? -1 : 1)) }
}

/** A lock as the text of its file: the same lock always gives the same text. */
export function formatLock (lock: Lock): string {
  return `${JSON.stringify(lock, null, 2)}\n`
}
