import type { IncomingHttpHeaders } from 'node:http'
import { isRecord } from '../../checks/records.ts'
import type { ParameterHeader } from '../../plugins/catalog/parameter-headers.ts'

/*
 * Headers that repeat parts of a body, so that proxies can route without reading it (basic/transports/streamable-http,
 * revision 2026-07-28). What they say must be what the body says, or a proxy would have decided about another call
 * than the one that is made.
 */

/** Body fields that `Mcp-Name` repeats, by method. */
const namedBy: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId']
])

const wrapped = /^=\?base64\?(.*)\?=$/s
const canonicalBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const decimal = /^-?\d+(\.\d+)?$/
// A byte order mark is a part of the text like any other character.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A header's value, from which the HTTP parser has taken the white space around it; text that headers cannot carry
 * comes as `=?base64?…?=`. Undefined where that is not valid.
 */
export function decodedHeader (value: string): string | undefined {
  const encoded = wrapped.exec(value)?.[1]
  if (encoded === undefined) return value
  if (!canonicalBase64.test(encoded)) return undefined
  try {
    return utf8.decode(Buffer.from(encoded, 'base64'))
  } catch {
    return undefined
  }
}

function single (value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** What is wrong with the headers that every request of the revision carries, or undefined. */
export function standardHeaderProblem (headers: IncomingHttpHeaders, method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  if (headers['mcp-protocol-version'] === undefined) return 'The MCP-Protocol-Version header is missing'
  if (headers['mcp-method'] === undefined) return 'The Mcp-Method header is missing'
  return nameProblem(headers, method, params)
}

function nameProblem (headers: IncomingHttpHeaders, method: string, params: Readonly<Record<string, unknown>>): string | undefined {
  const field = namedBy.get(method)
  const expected = field === undefined ? undefined : params[field]
  if (typeof expected !== 'string') return undefined
  const header = single(headers['mcp-name'])
  if (header === undefined) return 'The Mcp-Name header is missing'
  const name = decodedHeader(header)
  if (name === undefined) return 'The Mcp-Name header is not encoded correctly'
  return name === expected ? undefined : `The Mcp-Name header and params.${String(field)} differ`
}

/**
 * What headers say otherwise than the body of a request of an older revision, which need not have any; undefined where
 * they agree. A proxy that goes by them does not look at the revision, or a client could choose one to get around it.
 */
export function contradiction (headers: IncomingHttpHeaders, method: string, params: Readonly<Record<string, unknown>>, wanted: readonly ParameterHeader[]): string | undefined {
  const named = headers['mcp-method']
  if (named !== undefined && named !== method) return 'The Mcp-Method header and the method differ'
  return (headers['mcp-name'] === undefined ? undefined : nameProblem(headers, method, params)) ??
    parameterHeaderProblem(headers, wanted.filter(({ name }) => headers[`mcp-param-${name.toLowerCase()}`] !== undefined), params.arguments)
}

/** What is wrong with the `Mcp-Param-*` headers that a tool asks for, or undefined. */
export function parameterHeaderProblem (headers: IncomingHttpHeaders, wanted: readonly ParameterHeader[], args: unknown): string | undefined {
  for (const { path, name, numeric } of wanted) {
    const value = path.reduce<unknown>((node, key) => isRecord(node) ? node[key] : undefined, args)
    // Nothing to repeat; a value of another type is refused with the arguments.
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue
    const header = single(headers[`mcp-param-${name.toLowerCase()}`])
    if (header === undefined) return `The Mcp-Param-${name} header is missing`
    const decoded = decodedHeader(header)
    if (decoded === undefined) return `The Mcp-Param-${name} header is not encoded correctly`
    const equal = numeric && typeof value === 'number' && decimal.test(decoded) ? Number(decoded) === value : decoded === String(value)
    if (!equal) return `The Mcp-Param-${name} header and the argument ${path.join('.')} differ`
  }
  return undefined
}
