import { z } from 'zod'
import type { FuzzAnswer } from './exchange.ts'
import type { FuzzRequest } from './requests.ts'

const answerShape = z.union([
  z.strictObject({ jsonrpc: z.literal('2.0'), id: z.unknown(), result: z.looseObject({}) }),
  z.strictObject({ jsonrpc: z.literal('2.0'), id: z.unknown(), error: z.looseObject({ code: z.int(), message: z.string().min(1) }) })
])
/** What is answered before a message is read, or where there is none. */
const plainShape = z.looseObject({ error: z.string(), message: z.string() })

const requestShape = z.looseObject({ jsonrpc: z.literal('2.0'), id: z.union([z.string(), z.int()]), method: z.string() })

/** What no answer may show: traces, folders, secrets of the run. */
const inside = /node_modules|\.ts:\d+|at (?:async )?[\w.<>]+ \(|file:\/\/\/|Zx9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg0|testkey\.|hunter2|ECONNREFUSED|127\.0\.0\.1:\d/

/** Statuses that come without a message of the protocol. */
const beforeTheProtocol = new Set([401, 403, 404, 405, 417, 429, 431, 503])

function eventsOf (body: string): unknown[] {
  return body.split('\n').filter((line) => line.startsWith('data: ')).map((line): unknown => JSON.parse(line.slice('data: '.length)))
}

function isStream ({ headers }: FuzzAnswer): boolean {
  return String(headers['content-type']).startsWith('text/event-stream')
}

/** Ids as JSON has them: what was sent may not have been well formed. */
function sameId (given: unknown, sent: unknown): boolean {
  return JSON.stringify(given) === JSON.stringify(sent)
}

/** What is wrong with an answer, or undefined. */
export function problemOf (request: FuzzRequest, answer: FuzzAnswer): string | undefined {
  const { status, body, headers } = answer
  if (status >= 500 && status !== 503) return `status ${status}`
  if (status < 200) return `status ${status}`
  if (inside.test(body) || inside.test(JSON.stringify(headers))) return 'the answer shows the inside'
  if (request.path === '/mcp' && headers['x-correlation-id'] === undefined && status !== 400 && status !== 431 && status !== 417) return 'no correlation id'
  if (headers['x-evil'] !== undefined) return 'a header was injected'
  if (request.method !== 'POST' || !/^\/mcp\/?(?:\?|$)/.test(request.path)) return undefined
  // The last is Node's own, to an Expect that it does not know.
  if (status === 202 || status === 204 || status === 417) return body === '' ? undefined : 'a body where there is none'

  let messages: unknown[]
  try {
    messages = isStream(answer) ? eventsOf(body) : [JSON.parse(body)]
  } catch {
    return 'the answer is not JSON'
  }
  const sent = requestShape.safeParse(request.message)
  if (isStream(answer) && messages.length === 0) return undefined
  const last = messages.at(-1)
  const plain = plainShape.safeParse(last).success && status >= 400
  const parsed = answerShape.safeParse(last)
  if (!parsed.success && !plain && !(isStream(answer) && body.includes('notifications/'))) return 'neither an answer of the protocol nor a plain error'
  if (plain && !parsed.success && !beforeTheProtocol.has(status) && status !== 400) return `a plain error with status ${status}`
  if (!parsed.success) return undefined
  if (sent.success && status < 400 && !sameId(parsed.data.id, sent.data.id)) return `the answer has the id ${JSON.stringify(parsed.data.id)}`
  if (sent.success && status >= 400 && parsed.data.id !== null && !sameId(parsed.data.id, sent.data.id)) return `the refusal has the id ${JSON.stringify(parsed.data.id)}`
  // One that could be read is named in its refusal, unless it was refused before that.
  if (sent.success && status === 400 && parsed.data.id === null && 'error' in parsed.data && ![-32700, -32600].includes(parsed.data.error.code)) return 'a refusal without the id'
  return undefined
}
