import { hash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { emptyLock, type Lock } from './lock.ts'
import type { Tool } from './tool.ts'

/*
 * Whoever approves a tool approves what it says it does. What it says could change later: with a document that is
 * edited, or with code from elsewhere. So the lock file keeps a digest of the text of each tool.
 */

/** What becomes of tools that nobody has approved: a warning in the log, or they are left out as well. */
export const unapprovedPolicies = ['warn', 'refuse'] as const
export type UnapprovedPolicy = typeof unapprovedPolicies[number]

/** How tools differ from what has been approved, by name. */
export interface Unapproved {
  /** Tools that have no entry. */
  readonly added: readonly string[]
  /** Tools whose text is another than the one of their entry. */
  readonly changed: readonly string[]
}

/** Names that a log line holds at most. */
const maxLogged = 50

export function digestOfText (parts: readonly unknown[]): string {
  return `sha256-${hash('sha256', JSON.stringify(parts), 'base64url')}`
}

/** Entries by key, in an order that does not depend on where they come from. */
export function inOrder<Entry> (entries: ReadonlyArray<readonly [key: string, entry: Entry]>): Record<string, Entry> {
  return Object.fromEntries(entries.toSorted(([left], [right]) => left < right ? -1 : 1))
}

/** What a model and its user go by, of a tool that is written as code: its entry in the list, and what calling it needs. */
export function writtenDigest ({ listing, scopes, asks }: Tool): string {
  return digestOfText([listing, scopes, asks])
}

/** What of these tools, which are written as code, nobody has approved. */
export function unapprovedWritten (tools: readonly Tool[], { written }: Lock): Unapproved {
  const isKnown = ({ name }: Tool): boolean => Object.hasOwn(written, name)
  return {
    added: tools.filter((tool) => !isKnown(tool)).map(({ name }) => name),
    changed: tools.filter((tool) => isKnown(tool) && written[tool.name]?.text !== writtenDigest(tool)).map(({ name }) => name)
  }
}

/** The lock that approves these tools, which are written as code, beside everything that it has approved before. */
export function lockOfWritten (tools: readonly Tool[], previous: Lock = emptyLock): Lock {
  const own = tools.map((tool) => [tool.name, { ...previous.written[tool.name], text: writtenDigest(tool) }] as const)
  return { ...previous, written: inOrder([...Object.entries(previous.written).filter(([name]) => !own.some(([other]) => other === name)), ...own]) }
}

/** The tools that may be there. What nobody has approved is told to the log, whatever becomes of it. */
export function permitted<Item extends { readonly name: string }> (tools: readonly Item[], { added, changed }: Unapproved, policy: UnapprovedPolicy, log: FastifyBaseLogger): readonly Item[] {
  if (added.length + changed.length === 0) return tools
  log.warn({ added: added.slice(0, maxLogged), changed: changed.slice(0, maxLogged) }, policy === 'refuse'
    ? 'tools that are not as the lock file approves them are left out'
    : 'tools are not as the lock file approves them')
  if (policy === 'warn') return tools
  const refused = new Set([...added, ...changed])
  return tools.filter(({ name }) => !refused.has(name))
}
