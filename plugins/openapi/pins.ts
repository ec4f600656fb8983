import { hash } from 'node:crypto'
import type { GeneratedTool } from './generated.ts'
import type { Lock } from './lock.ts'

/*
 * Whoever approves a tool approves what it says it does. A document that changes later could say something else, or
 * bring an operation that nobody has looked at; so the lock file keeps a digest of the text of each tool.
 */

/** What a model and its user go by: words, arguments, hints, and which operation it is. */
export function textDigest ({ name, title, description, inputSchema, outputSchema, annotations, scopes, confirm, operation }: GeneratedTool): string {
  return `sha256-${hash('sha256', JSON.stringify([name, title, description, inputSchema, outputSchema, annotations, scopes, confirm, operation.key]), 'base64url')}`
}

/** How tools differ from what has been approved, by name. */
export interface Unapproved {
  /** Tools whose operation has no entry. */
  readonly added: readonly string[]
  /** Tools whose text is another than the one of their entry. */
  readonly changed: readonly string[]
}

/** What of these tools nobody has approved. An entry without a digest approves the name only, so it says nothing of the text. */
export function unapproved (tools: readonly GeneratedTool[], lock: Lock): Unapproved {
  const added: string[] = []
  const changed: string[] = []
  for (const tool of tools) {
    const entry = lock.tools[tool.operation.key]
    if (entry === undefined) added.push(tool.name)
    else if (entry.text !== undefined && entry.text !== textDigest(tool)) changed.push(tool.name)
  }
  return { added, changed }
}
