import type { ToolAnnotations } from '../../catalog/definition.ts'
import type { Operation } from '../operation.ts'
import { snake } from './names.ts'

/** Words for what cannot be taken back, or reaches many things at once. */
const dangerous = /(?:^|_)(?:delete|destroy|purge|wipe|erase|remove|revoke|merge|bulk)(?:_|$)/

/** Whether an operation that changes data may lose some for good. Names say it; the method alone does not. */
function isDangerous ({ method, operationId = '', path }: Operation): boolean {
  if (method === 'GET') return false
  return method === 'DELETE' || dangerous.test(snake(operationId)) || dangerous.test(snake(path.replaceAll(/\{[^}]*\}/g, '')))
}

/** Hints for clients, by the method (server/tools, "ToolAnnotations"; RFC 9110 §9.2). */
export function annotationsFor (operation: Operation): ToolAnnotations {
  const { method } = operation
  if (method === 'GET') return { readOnlyHint: true, idempotentHint: true, openWorldHint: false }
  return {
    readOnlyHint: false,
    // What is changed has lost what it was.
    destructiveHint: method !== 'POST' || isDangerous(operation),
    idempotentHint: method === 'PUT' || method === 'DELETE',
    openWorldHint: false
  }
}

/** The question that a user answers before the request is sent, for what cannot be taken back. */
export function confirmFor (operation: Operation, description: string): string | undefined {
  if (!isDangerous(operation)) return undefined
  const [sentence = description] = /^.*?[.!?…](?= |$)/.exec(description) ?? []
  return `${sentence} Go ahead?`
}

/**
 * Scopes of the caller's: `read` or `write`, and those that the document asks for, unless it lets everybody in. Of
 * several alternatives the first that names some counts.
 */
export function scopesFor ({ method, security }: Operation): string[] {
  return [...new Set([method === 'GET' ? 'read' : 'write', ...security.anonymous ? [] : security.scopes[0] ?? []])]
}
