import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { correlationIdFrom } from '../plugins/correlation.ts'
import { OverlayError, parseOverlay } from '../plugins/openapi/overlay.ts'
import { decodedHeader, standardHeaderProblem } from '../routes/mcp/headers.ts'
import { pageOf } from '../routes/mcp/pages.ts'
import { ProtocolError } from '../routes/mcp/protocol-error.ts'
import { SealedState } from '../routes/mcp/sealed-state.ts'
import { MemoryUses } from '../routes/mcp/uses.ts'
import { buildApp, fromNow, mcpHeaders, overHttp, secret, sign } from './helper.ts'

const binary = fc.string({ unit: 'binary' })
const grapheme = fc.string({ unit: 'grapheme' })

// The token verifier

const audience = 'http://localhost:8080/mcp'
const now = fromNow(0)
const odd = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom<unknown>('', null, [], {}, 0, -1, 1.5, 1e308, '__proto__'))
const seconds = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: now - 1000, max: now }) }, { weight: 1, arbitrary: fc.integer({ min: now, max: now + 90_000 }) }, { weight: 1, arbitrary: odd })

/** Claims that are sound more often than not, and the reading of them that the documentation promises. */
const usual = fc.record({
  sub: fc.oneof({ weight: 5, arbitrary: fc.constantFrom('user-1', 'ü') }, { weight: 1, arbitrary: odd }),
  exp: fc.oneof({ weight: 3, arbitrary: fc.constant(now + 600) }, { weight: 1, arbitrary: seconds }),
  iat: seconds,
  nbf: seconds,
  aud: fc.oneof({ weight: 4, arbitrary: fc.constantFrom<unknown>(audience, [audience], ['other', audience]) }, { weight: 1, arbitrary: odd }),
  scope: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('read', 'write', 'read write', 'a read b') }, { weight: 1, arbitrary: odd }),
  token_type: fc.oneof({ weight: 3, arbitrary: fc.constant<unknown>('access') }, { weight: 1, arbitrary: odd }),
  extra: odd
}, { requiredKeys: ['sub', 'exp', 'scope'] })

/** What marks a token as another kind. */
const marks = fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.record({ nonce: odd, cnf: odd }, { requiredKeys: [] }) })

const claims = fc.tuple(usual, marks).map(([own, mark]) => Object.assign(own, mark))

type Claims = typeof claims extends fc.Arbitrary<infer Value> ? Value : never

function isSecond (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

/** Whether a token with these claims may list tools: at `at`, with the leeway that clocks get. */
function mayRead (claims: Claims, at: number): boolean {
  const { sub, exp, scope } = claims
  if (typeof sub !== 'string' || sub.trim() === '' || /\p{Cc}/u.test(sub) || sub.length > 255 || !isSecond(exp) || exp <= at) return false
  const iat: unknown = 'iat' in claims ? claims.iat : at
  const nbf: unknown = 'nbf' in claims ? claims.nbf : at
  if (!isSecond(iat) || !isSecond(nbf) || iat > at + 5 || nbf > at + 5 || exp - iat > 86_400) return false
  if ('nonce' in claims || 'cnf' in claims || ('token_type' in claims && claims.token_type !== 'access')) return false
  if ('aud' in claims) {
    const { aud } = claims
    const list: unknown[] = Array.isArray(aud) ? aud : [aud]
    if (list.length === 0 || !list.every((value) => typeof value === 'string' && value !== '' && value.length <= 255) || !list.includes(audience)) return false
  }
  return typeof scope === 'string' && scope.split(' ').some((name) => name === 'read' || name === 'write')
}

t.test('[requirement 4] [requirement 11] [requirement 12] [requirement 14] [authorization 10] [authorization 29] [authorization 30] [authorization 24] [authorization 25] a token is accepted where its claims are sound, and in no other case; none causes a 5xx', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1_000_000, JWT_AUDIENCE: audience })
  const status = async (bearer: string): Promise<number> => (await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(bearer), payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })).statusCode
  let accepted = 0
  await fc.assert(fc.asyncProperty(claims, async (claims) => {
    const before = fromNow(0)
    const given = await status(sign({ aud: audience, ...claims }))
    // A second may pass between the two readings of the clock.
    const expected = [before, fromNow(0)].map((at) => mayRead({ aud: audience, ...claims }, at))
    if (given === 200) accepted += 1
    if (given >= 500) throw new Error(`status ${given}`)
    if (!expected.includes(given === 200)) throw new Error(`status ${given}, expected ${expected.join(' or ')}`)
  }), { numRuns: 1500 })
  t.ok(accepted > 50, 'some are sound')
})

t.test('[attack 23] [attack 29] [requirement 4] whatever the header says, it is 200, 400, 401 or 403, and only a token that is signed gets 200', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1_000_000 })
  const good = sign({ sub: 'user-1', scope: 'read', exp: fromNow(6000) })
  const part = fc.oneof(fc.constantFrom('Bearer', 'bearer', 'Basic', ' ', '  ', '\t', ',', '.', '=', good, good.slice(0, -1), `${good}=`, ...good.split('.')), fc.string({ unit: fc.constantFrom(...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))) }))
  const changed = fc.record({ at: fc.nat({ max: good.length - 1 }), to: fc.constantFrom(...'ABCabc019-_.=+/ '.split('')) }).map(({ at, to }) => `Bearer ${good.slice(0, at)}${to}${good.slice(at + 1)}`)
  await fc.assert(fc.asyncProperty(fc.oneof(fc.array(part, { maxLength: 5 }).map((parts) => parts.join('')), changed), async (authorization) => {
    const { statusCode } = await overHttp(app, { method: 'POST', url: '/mcp', headers: { ...mcpHeaders(), authorization }, payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })
    if (![200, 400, 401, 403].includes(statusCode)) throw new Error(`status ${statusCode}`)
    if (statusCode === 200 && authorization.trim().toLowerCase() !== `bearer ${good}`.toLowerCase()) throw new Error(`200 to ${authorization}`)
    if (statusCode === 200 && !authorization.includes(good)) throw new Error(`200 to ${authorization}`)
  }), { numRuns: 1000 })
  t.pass('no counterexample')
})

t.test('[attack 10] [attack 11] what JSON can write twice or under odd names grants nothing more', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: 1_000_000 })
  await fc.assert(fc.asyncProperty(fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', '', 'Scope', 'scope ', 'SCOPE'), fc.constantFrom('"read"', '["read"]', '{"scope":"read"}'), async (name, value) => {
    const bearer = sign(`{"sub":"user-1","exp":${fromNow(600)},${JSON.stringify(name)}:${value}}`)
    const { statusCode } = await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(bearer), payload: { jsonrpc: '2.0', id: 1, method: 'ping' } })
    if (statusCode !== 403 && statusCode !== 401) throw new Error(`status ${statusCode}`)
  }))
  t.pass('no counterexample')
})

// Headers that repeat a body

function encoded (text: string): string {
  return `=?base64?${Buffer.from(text).toString('base64')}?=`
}

t.test('[attack 33] [requirement 30] a header is read as what it says, or as nothing', async (t) => {
  const texts = fc.oneof(grapheme, binary.map((text) => text.toWellFormed()), grapheme.map((text) => `\ufeff${text}`))
  fc.assert(fc.property(texts, (text) => decodedHeader(encoded(text)) === text))
  fc.assert(fc.property(fc.oneof(binary, fc.array(fc.constantFrom('=?base64?', '?=', 'YQ==', 'YQ', '=', 'é', ' ', '\n', '/w==')).map((parts) => parts.join(''))), (value) => {
    const read = decodedHeader(value)
    // What is not wrapped is itself; of what is wrapped there is one writing only.
    return read === undefined || read === value || encoded(read) === value
  }), { numRuns: 5000 })
  fc.assert(fc.property(grapheme, grapheme, (header, name) => {
    const problem = standardHeaderProblem({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': encoded(header) }, 'tools/call', { name })
    return (problem === undefined) === (header === name)
  }))
  t.pass('no counterexample')
})

// Cursors

function page (keys: readonly string[], cursor: string | undefined) {
  return pageOf(keys, (key) => key, cursor, 'id')
}

t.test('[attack 38] a cursor leads through every entry once, and one that was made up leads nowhere else', async (t) => {
  fc.assert(fc.property(fc.uniqueArray(binary, { maxLength: 50 }), fc.integer({ min: 0, max: 60 }), (names, factor) => {
    const keys = names.flatMap((name) => Array.from({ length: factor }, (_, index) => `${name}${index}`))
    const sorted = [...new Set(keys)].toSorted((left, right) => left < right ? -1 : 1)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { page: entries, nextCursor } = page(sorted, cursor)
      seen.push(...entries)
      if (nextCursor !== undefined && entries.length === 0) throw new Error('an empty page that goes on')
      cursor = nextCursor
    } while (cursor !== undefined)
    return JSON.stringify(seen) === JSON.stringify(sorted)
  }), { numRuns: 100 })
  const keys = ['a', 'b', 'c']
  fc.assert(fc.property(fc.oneof(binary, fc.json().map((json) => Buffer.from(json).toString('base64url')), fc.string().map((after) => Buffer.from(JSON.stringify({ after })).toString('base64url'))), (cursor) => {
    try {
      return page(keys, cursor).page.every((key) => keys.includes(key))
    } catch (error) {
      return error instanceof ProtocolError && error.code === -32602
    }
  }), { numRuns: 5000 })
  t.pass('no counterexample')
})

// State that travels through clients

const binding = fc.record({ principal: grapheme, method: fc.constantFrom('tools/call', 'prompts/get'), target: grapheme, arguments: fc.jsonValue() })

t.test('[attack 38] [requirement 33] a state opens once, for the call that it was sealed for, and never when it was changed', async (t) => {
  const sealed = new SealedState(secret, new MemoryUses())
  const normal = (value: unknown): string => JSON.stringify(value)
  await fc.assert(fc.asyncProperty(fc.jsonValue(), binding, binding, async (payload, own, other) => {
    const again: unknown = JSON.parse(JSON.stringify(own.arguments))
    const state = sealed.seal(payload, own)
    if (normal(own) !== normal(other) && await sealed.open(state, other) !== undefined) throw new Error('opened for another call')
    const opened = await sealed.open(state, { ...own, arguments: again })
    if (normal(opened) !== normal(payload)) throw new Error(`${normal(opened)} is not ${normal(payload)}`)
    if (await sealed.open(state, own) !== undefined) throw new Error('opened twice')
  }), { numRuns: 1000 })
  await fc.assert(fc.asyncProperty(binding, fc.nat(), fc.constantFrom(...'ABab01-_.=+/ \u0000é'.split('')), async (own, at, character) => {
    const state = sealed.seal({ answers: {} }, own)
    const index = at % state.length
    const changed = `${state.slice(0, index)}${character}${state.slice(index + 1)}`
    return changed === state || await sealed.open(changed, own) === undefined
  }), { numRuns: 5000 })
  const otherSecret = new SealedState('another secret of at least 32 characters', new MemoryUses())
  await fc.assert(fc.asyncProperty(fc.oneof(binary, fc.tuple(fc.base64String(), fc.base64String()).map((parts) => parts.join('.'))), binding, async (state, own) => await sealed.open(state, own) === undefined && await sealed.open(otherSecret.seal(state, own), own) === undefined))
  t.pass('no counterexample')
})

t.test('[attack 38] the key of a state is none that signs anything else', async (t) => {
  const own = { principal: 'a', method: 'tools/call', target: 'b', arguments: {} }
  const [body = '', mac] = new SealedState(secret, new MemoryUses()).seal({}, own).split('.')
  t.not(createHmac('sha256', secret).update(body).digest('base64url'), mac)
})

// Correlation ids

t.test('[attack 47] [attack 76] [requirement 36] a correlation id is short and plain, and the client\'s own where that one is', async (t) => {
  fc.assert(fc.property(fc.oneof(binary, fc.array(binary), fc.stringMatching(/^[\w.-]{0,70}$/), fc.constant(undefined)), (value) => {
    const id = correlationIdFrom(value)
    if (!/^[\w.-]{1,64}$/.test(id) || id.includes('\n')) throw new Error(id)
    return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) && !value.includes('\n') ? id === value : id !== value
  }), { numRuns: 5000 })
  t.pass('no counterexample')
})

// Overlays

/** A member of this name is left out on purpose, however deep it is. */
function hasNoPrototype (value: unknown): boolean {
  return !JSON.stringify(value).includes('"__proto__"')
}

t.test('[attack 50] an overlay is read or refused by name, whatever it is', async (t) => {
  const yaml = fc.oneof(binary, fc.json(), fc.array(fc.constantFrom('tools:', '\n', '  ', 'get_x', ': ', '- ', '&a ', '*a', '<<: ', '{', '}', '[', ']', '!!js/function ', '!!binary ', '"', "'", '|', '>', '#', '---', '__proto__', 'hide: true', 'description: x')).map((parts) => parts.join('')))
  fc.assert(fc.property(yaml, (source) => {
    try {
      return typeof parseOverlay(source).tools === 'object' && !('hide' in {})
    } catch (error) {
      if (!(error instanceof OverlayError)) throw error
      return error.problems.length > 0
    }
  }), { numRuns: 5000 })
  const entry = fc.record({ hide: fc.boolean(), title: fc.string({ minLength: 1 }), description: fc.string({ minLength: 1, maxLength: 100 }), synonyms: fc.array(fc.string({ minLength: 1 })), defaults: fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()).filter(hasNoPrototype) }, { requiredKeys: [] })
  fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[A-Z]{3} \/[a-z/]{0,20}$/), entry), (tools) => {
    // JSON is YAML.
    return JSON.stringify(parseOverlay(JSON.stringify({ tools })).tools) === JSON.stringify(tools)
  }), { numRuns: 500 })
  t.pass('no counterexample')
})
