import * as fc from 'fast-check'
import { sign, fromNow } from '../helper.ts'

/*
 * Requests as clients send them, and as they must not: whole messages of both eras in which any part may be missing,
 * of another type, too large or somewhere else, under headers that fit them or do not, in bytes that may be damaged.
 */

/** One HTTP request. Headers are pairs, so that one may come twice. */
export interface FuzzRequest {
  method: string
  path: string
  headers: Array<[string, string]>
  body: Buffer
  /** The message that the body was made from; undefined where the bytes were damaged, so that nothing is known of it. */
  message: unknown
}

const bearers = {
  read: sign({ sub: 'reader', scope: 'read', exp: fromNow(86_000) }),
  write: sign({ sub: 'writer', scope: 'write admin', exp: fromNow(86_000) }),
  nothing: sign({ sub: 'nobody', scope: '', exp: fromNow(86_000) }),
  expired: sign({ sub: 'late', scope: 'read', exp: fromNow(-10) }),
  forged: sign({ sub: 'forger', scope: 'read', exp: fromNow(86_000) }, { key: 'another key that nobody has, 32 bytes' })
}

const oddText = fc.constantFrom('', ' ', '..', '__proto__', 'constructor', 'toString', '\u0000', '\ud800', '\u202e', '\r\nX-Evil: 1', '=?base64?a?=', '=?base64?/w==?=', '{{7*7}}', '%s%n', '\u{1f600}', 'a'.repeat(5000), 'é'.repeat(300))
const text = fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'grapheme' }) }, { weight: 2, arbitrary: oddText }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) })

/** Any JSON, with what breaks careless code among it. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 2, arbitrary: text },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]], { '': '' }) }
)

const id = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(fc.integer(), text) },
  { weight: 1, arbitrary: anything }
)

const names = ['books_list', 'books_create', 'books_retrieve', 'books_destroy', 'get_opportunities', 'nested', 'schema', 'asks', 'job', 'steps', 'fails', 'wipe', 'blocks']
const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: text })
const uri = fc.oneof(fc.constantFrom('client://7', 'client://0', 'client://..', 'note://a', 'note://%zz', 'app://fixed', 'nothing://1'), text.map((part) => `client://${part}`), text)

const args = fc.oneof(
  { weight: 4, arbitrary: fc.record({ status: fc.constantFrom<unknown>('won', 'open', 1), client_id: fc.oneof<fc.Arbitrary<unknown>[]>(fc.integer(), text), limit: fc.integer({ min: -5, max: 200 }), list: fc.array(fc.record({ a: fc.integer(), b: text })), id: text, page: fc.integer(), tags: fc.array(text), title: text, cover: fc.oneof<fc.Arbitrary<unknown>[]>(fc.record({ filename: text, mime_type: text, base64: fc.base64String() }, { requiredKeys: [] }), text), parts: fc.array(anything), 'X-Kind': text, fields: fc.array(text), text, confirmation_token: text, confirmation_answer: fc.constant({}) }, { requiredKeys: [] }) },
  { weight: 2, arbitrary: fc.dictionary(text, anything) },
  { weight: 1, arbitrary: anything }
)

const state = fc.record({ requestState: text, inputResponses: fc.oneof(fc.dictionary(fc.constantFrom('question_1', 'question_2', '__proto__'), fc.constantFrom<unknown>({ action: 'accept', content: {} }, { action: 'decline' }, {}, null)), anything) }, { requiredKeys: [] })
const taskId = fc.oneof(fc.uuid(), text)
const cursor = fc.oneof(text, fc.string().map((after) => Buffer.from(JSON.stringify({ after })).toString('base64url')), anything)
const reference = fc.oneof(fc.constantFrom({ type: 'ref/prompt', name: 'summarize_client' }, { type: 'ref/resource', uri: 'client://{client_id}' }, { type: 'ref/prompt', name: 'nothing' }), anything)

/** Parameters of each method as they should be. */
const paramsOf: Record<string, fc.Arbitrary<Record<string, unknown>>> = {
  initialize: fc.record({ protocolVersion: fc.constantFrom('2024-11-05', '2025-06-18', '2025-11-25', '2026-07-28', 'x'), capabilities: fc.constant({}), clientInfo: fc.constant({ name: 'fuzz', version: '1' }) }),
  ping: fc.constant({}),
  'server/discover': fc.constant({}),
  'tools/list': fc.record({ cursor }, { requiredKeys: [] }),
  'tools/call': fc.tuple(fc.record({ name, arguments: args }, { requiredKeys: ['name'] }), state).map(([call, extra]) => Object.assign(call, extra)),
  'resources/list': fc.record({ cursor }, { requiredKeys: [] }),
  'resources/templates/list': fc.record({ cursor }, { requiredKeys: [] }),
  'resources/read': fc.record({ uri }),
  'prompts/list': fc.record({ cursor }, { requiredKeys: [] }),
  'prompts/get': fc.record({ name: fc.oneof(fc.constantFrom('summarize_client', 'fails_prompt'), text), arguments: fc.dictionary(fc.constantFrom('client', 'other'), text) }, { requiredKeys: ['name'] }),
  'completion/complete': fc.record({ ref: reference, argument: fc.record({ name: fc.constantFrom('client', 'client_id', '__proto__'), value: text }) }),
  'tasks/get': fc.record({ taskId }),
  'tasks/update': fc.record({ taskId, inputResponses: fc.constant({}) }),
  'tasks/cancel': fc.record({ taskId }),
  'subscriptions/listen': fc.record({ notifications: fc.oneof(fc.record({ toolsListChanged: fc.boolean(), taskIds: fc.array(text) }, { requiredKeys: [] }), anything) }),
  'logging/setLevel': fc.record({ level: text }),
  'resources/subscribe': fc.record({ uri }),
  'notifications/initialized': fc.constant({}),
  'notifications/cancelled': fc.record({ requestId: id, reason: text }, { requiredKeys: ['requestId'] })
}

const call: fc.Arbitrary<{ method: string, params: Record<string, unknown> }> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...Object.keys(paramsOf)).chain((method) => (paramsOf[method] ?? fc.constant({})).map((params) => ({ method, params }))) },
  { weight: 1, arbitrary: fc.record({ method: text, params: fc.dictionary(text, anything) }) }
)

const meta = fc.record({
  'io.modelcontextprotocol/protocolVersion': fc.constant('2026-07-28'),
  'io.modelcontextprotocol/clientCapabilities': fc.constantFrom<unknown>({}, { elicitation: {} }, { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }, { elicitation: {}, sampling: {}, roots: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }, null),
  progressToken: fc.oneof<fc.Arbitrary<unknown>[]>(fc.integer(), text, fc.constant(null)),
  traceparent: text
}, { requiredKeys: ['io.modelcontextprotocol/protocolVersion', 'io.modelcontextprotocol/clientCapabilities'] })

type Json = Record<string, unknown>

/** What is done to a part of a message. */
interface Change { outside?: boolean, path: number[], value?: unknown, remove?: boolean, add?: string }
const change: fc.Arbitrary<Change> = fc.record({ outside: fc.constantFrom(true, false, false, false), path: fc.array(fc.nat({ max: 7 }), { maxLength: 4 }), value: anything, remove: fc.boolean(), add: text }, { requiredKeys: ['path'] })

function isJson (value: unknown): value is Json {
  return typeof value === 'object' && value !== null
}

/** The message with one part taken away, added or replaced, wherever the path leads. */
function changed (message: unknown, { outside, path, value, remove, add }: Change): unknown {
  const copy: unknown = structuredClone(message)
  let node = outside !== true && isJson(copy) && isJson(copy.params) ? copy.params : copy
  for (const [depth, step] of path.entries()) {
    if (!isJson(node)) break
    const keys = Object.keys(node)
    const key = keys[step % Math.max(1, keys.length)]
    if (key === undefined) break
    const child: unknown = node[key]
    if (depth < path.length - 1 && isJson(child)) { node = child; continue }
    if (remove === true) delete node[key]
    else if (add !== undefined && isJson(child)) Object.defineProperty(child, add, { value, enumerable: true, configurable: true, writable: true })
    else node[key] = value
    break
  }
  return copy
}

const era = fc.constantFrom('legacy', 'legacy', 'legacy', 'modern', 'modern', 'modern', 'mixed')

/** A message, and the headers that belong to it. */
const message = fc.record({ era, call, id, meta, notification: fc.nat({ max: 9 }), legacyMeta: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.record({ progressToken: fc.oneof<fc.Arbitrary<unknown>[]>(fc.integer(), text) }) }) }).map(({ era, call, id, meta, notification, legacyMeta }) => {
  const { method, params } = call
  const carriesMeta = era !== 'legacy'
  const body: Json = {
    jsonrpc: '2.0',
    ...(notification === 0 || method.startsWith('notifications/') ? {} : { id }),
    method,
    params: carriesMeta ? { ...params, _meta: meta } : legacyMeta === null ? params : { ...params, _meta: legacyMeta }
  }
  const named = [params.name, params.uri, params.taskId].find((value) => typeof value === 'string')
  const headers: Array<[string, string]> = [
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
    ['mcp-protocol-version', era === 'modern' ? '2026-07-28' : '2025-11-25'],
    ...(era === 'modern' ? [['mcp-method', sendable.test(method) ? method : 'unsendable'] satisfies [string, string]] : []),
    ...(era === 'modern' && typeof named === 'string' ? [['mcp-name', encodedName(named)] satisfies [string, string]] : [])
  ]
  return { body, headers }
})

/** What can be sent in a header as it is. */
const sendable = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** A name as a header carries it (basic/transports/streamable-http). */
function encodedName (name: string): string {
  return sendable.test(name) && !name.startsWith('=?') ? name : `=?base64?${Buffer.from(name).toString('base64')}?=`
}

/** Text that Node lets into a header. */
const headerText = fc.string({ unit: fc.constantFrom(...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)), 'é', '\t') })
interface HeaderChange { name: string, value: string, how: 'set' | 'add' | 'remove' }

const headerChange: fc.Arbitrary<HeaderChange> = fc.record({
  name: fc.constantFrom('content-type', 'accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'mcp-param-region', 'content-encoding', 'authorization', 'origin', 'host', 'x-correlation-id', 'x-forwarded-for', 'traceparent', 'last-event-id', 'expect'),
  value: fc.oneof(fc.constantFrom('', 'application/json', 'text/event-stream', 'text/plain', '*/*', '2026-07-28', '2025-03-26', '1999-01-01', 'tools/call', 'gzip', 'null', 'http://localhost', 'localhost', 'evil.example', '=?base64?eA==?=', `Bearer ${bearers.read}`), headerText),
  how: fc.constantFrom('set', 'add', 'remove')
})

/** What is done to the bytes of a body. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('flip' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ kind: fc.constant('replace' as const), bytes: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('', '[]', 'null', '[[', '"', '{"a":1}{}', '\ufeff{}', '['.repeat(70_000), `{"a":${'[0,'.repeat(60)}`, `"${'x'.repeat(800_000)}"`, `[${'0,'.repeat(120_000)}0]`, 'x'.repeat(1_100_000)).map((text) => Buffer.from(text))) }),
  fc.record({ kind: fc.constant('utf16' as const) }),
  fc.record({ kind: fc.constant('batch' as const), count: fc.nat({ max: 3 }) })
)

function damaged (body: Buffer, how: typeof damage extends fc.Arbitrary<infer Damage> ? Damage : never): Buffer {
  const at = 'at' in how ? Math.floor(how.at * body.length) : 0
  if (how.kind === 'cut') return body.subarray(0, at)
  if (how.kind === 'insert') return Buffer.concat([body.subarray(0, at), how.bytes, body.subarray(at)])
  if (how.kind === 'replace') return Buffer.from(how.bytes)
  if (how.kind === 'utf16') return Buffer.from(body.toString(), 'utf16le')
  if (how.kind === 'batch') return Buffer.from(`[${Array.from({ length: how.count }, () => body.toString()).join()}]`)
  const copy = Buffer.from(body)
  if (copy.length > 0) copy[at % copy.length] = how.byte
  return copy
}

/** Requests of every kind; most of them are good or nearly so, since what is refused at once tests little. */
export const fuzzRequest: fc.Arbitrary<FuzzRequest> = fc.record({
  message,
  changes: fc.oneof({ weight: 6, arbitrary: fc.constant<Change[]>([]) }, { weight: 4, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) }),
  headers: fc.oneof({ weight: 8, arbitrary: fc.constant<HeaderChange[]>([]) }, { weight: 2, arbitrary: fc.array(headerChange, { minLength: 1, maxLength: 3 }) }),
  damage: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: damage }),
  bearer: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('read' as const, 'write' as const) }, { weight: 1, arbitrary: fc.constantFrom('nothing' as const, 'expired' as const, 'forged' as const, undefined) }),
  method: fc.oneof({ weight: 30, arbitrary: fc.constant('POST') }, { weight: 1, arbitrary: fc.constantFrom('GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD') }),
  path: fc.oneof({ weight: 30, arbitrary: fc.constant('/mcp') }, { weight: 1, arbitrary: fc.constantFrom('/mcp/', '/mcp?a=b', '/', '/%zz', '/mcp/x', '//mcp', '/.well-known/oauth-protected-resource') })
}).map(({ message, changes, headers, damage, bearer, method, path }) => {
  const body = changes.reduce<unknown>(changed, message.body)
  const bytes = Buffer.from(JSON.stringify(body) ?? '')
  const pairs = new Map<string, string[]>(message.headers.map(([name, value]) => [name, [value]]))
  if (bearer !== undefined) pairs.set('authorization', [`Bearer ${bearers[bearer]}`])
  for (const { name, value, how } of headers) {
    if (how === 'remove') pairs.delete(name)
    else pairs.set(name, how === 'add' ? [...pairs.get(name) ?? [], value] : [value])
  }
  return {
    method,
    path,
    headers: [...pairs].flatMap(([name, values]) => values.map((value): [string, string] => [name, value])),
    body: damage === null ? bytes : damaged(bytes, damage),
    message: damage === null ? body : undefined
  }
})
