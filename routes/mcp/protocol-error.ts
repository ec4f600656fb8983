/** Codes of JSON-RPC 2.0 §5.1, and of MCP where it adds some. */
export const errorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** What an HTTP transport refuses, in revisions up to 2025-11-25. */
  serverError: -32000,
  /** Revisions up to 2025-11-25 (server/resources, "Error Handling"). */
  resourceNotFound: -32002,
  /** Headers and body say different things (revision 2026-07-28, like those below). */
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022
} as const

/** Errors that an SDK finds by itself, in words about the client's message. */
const foundBySdk: ReadonlySet<number> = new Set([
  errorCodes.invalidRequest, errorCodes.methodNotFound, errorCodes.invalidParams, errorCodes.missingClientCapability
])

/**
 * Whether an error may be answered with. Any other one is something that a handler threw without catching it, and its
 * text was meant for nobody.
 */
export function isForeseen ({ code, data }: { code: number, data?: unknown }): boolean {
  return foundBySdk.has(code) || (typeof data === 'object' && data !== null && 'correlation_id' in data)
}

/**
 * An answer that is a JSON-RPC error. The SDK sends `code`, `message` and `data` of what a handler throws as they
 * are, so a handler throws nothing else.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: number
  readonly data: Record<string, unknown>

  constructor (code: number, message: string, data: Record<string, unknown>) {
    super(message)
    this.code = code
    this.data = data
  }
}
