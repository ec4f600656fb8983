import { PROTOCOL_VERSION_META_KEY as protocolVersionKey, type JSONRPCRequest } from '@modelcontextprotocol/server'
import { isRecord } from '../../checks/records.ts'

/** Envelopes that are remembered at most, and the length of one that is worth it. */
const capacity = 1000
const maxLength = 2048

type PlainRequest = JSONRPCRequest & { params: { _meta: Record<string, unknown> } }

/** A request with exactly the fields of JSON-RPC 2.0 §4 and an envelope, whatever that holds. */
function isPlainRequest (body: Readonly<Record<string, unknown>>): body is PlainRequest {
  const { jsonrpc, id, method, params } = body
  return jsonrpc === '2.0' && typeof method === 'string' && (typeof id === 'string' || Number.isInteger(id)) &&
    isRecord(params) && isRecord(params._meta) && Object.keys(body).length === 4
}

/** The envelope as text, without what differs from call to call. */
function keyOf ({ progressToken, traceparent, tracestate, ...meta }: Readonly<Record<string, unknown>>): string | undefined {
  if (progressToken !== undefined && typeof progressToken !== 'string' && !Number.isInteger(progressToken)) return undefined
  if ([traceparent, tracestate].some((value) => value !== undefined && typeof value !== 'string')) return undefined
  const key = JSON.stringify(meta)
  return key.length > maxLength ? undefined : key
}

/**
 * Envelopes (`params._meta`, revision 2026-07-28) that the SDK's classification has found valid. A client sends the
 * same one with every request, and looking at it costs more than the rest of the way to a leg.
 */
export class KnownEnvelopes {
  readonly #known = new Set<string>()

  /**
   * The request, where nothing about it needs the classification: its envelope is known to be valid and its headers
   * name the same revision and method. Undefined otherwise.
   */
  plainRequest (body: Readonly<Record<string, unknown>>, version: string | undefined, method: string | undefined): PlainRequest | undefined {
    if (this.#known.size === 0 || !isPlainRequest(body) || body.method !== method || body.params._meta[protocolVersionKey] !== version) return undefined
    // The one method that the classification looks at by its name.
    if (method === 'initialize') return undefined
    const key = keyOf(body.params._meta)
    return key !== undefined && this.#known.has(key) ? body : undefined
  }

  /** Remembers the envelope of a request that was found valid. */
  add (body: Readonly<Record<string, unknown>>): void {
    const key = isPlainRequest(body) ? keyOf(body.params._meta) : undefined
    if (key === undefined) return
    if (this.#known.size >= capacity) this.#known.clear()
    this.#known.add(key)
  }
}
