import { signToken } from '../demo/token.ts'

/** The protocol's two eras: with a handshake, and without. */
export const eras = ['2025-11-25', '2026-07-28'] as const
export type Era = typeof eras[number]

export const secret = 'bench-9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg0'

// All calls of a run come from one caller, as those of an agent do.
const bearer = signToken({ secret, subject: 'bench', audience: 'http://localhost:8080/mcp', scope: 'read', lifetime: 86_400 })

function bytesOf (headers: Record<string, string>, body: unknown): Buffer {
  const json = JSON.stringify(body)
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) })
  return Buffer.from(`POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${json}`)
}

/** A request as clients of an era send it, ready for the socket. */
export function mcpRequest (era: Era, method: string, params: Record<string, unknown>): Buffer {
  const headers = {
    accept: 'application/json, text/event-stream',
    'user-agent': 'bench/1',
    authorization: `Bearer ${bearer}`,
    'mcp-protocol-version': era
  }
  if (era === '2025-11-25') return bytesOf(headers, { jsonrpc: '2.0', id: 1, method, params })
  const name = typeof params.name === 'string' ? { 'mcp-name': params.name } : {}
  return bytesOf({ ...headers, 'mcp-method': method, ...name }, {
    jsonrpc: '2.0',
    id: 1,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': era,
        'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': { elicitation: {} }
      }
    }
  })
}

/** The call that is measured. */
export function callRequest (era: Era, name = 'get_opportunities'): Buffer {
  return mcpRequest(era, 'tools/call', { name, arguments: { limit: 10 } })
}

export function listRequest (era: Era): Buffer {
  return mcpRequest(era, 'tools/list', {})
}
