import { createServer } from 'node:http'
import t from 'tap'
import { compileInput, compileOutput } from '../../../plugins/catalog/arguments.ts'
import { linearPattern } from '../../../plugins/catalog/patterns.ts'

/** Patterns that send an engine with backtracking astray, each with a text that shows it. */
const catastrophic: Array<[pattern: string, text: string]> = [
  ['^(a+)+$', `${'a'.repeat(50_000)}!`],
  ['^(a|a)*$', `${'a'.repeat(50_000)}!`],
  ['^(a|aa)+$', `${'a'.repeat(50_000)}!`],
  ['(.*)*x', 'a'.repeat(20_000)],
  ['^(\\w+\\s?)*$', `${'word '.repeat(10_000)}!`],
  ['^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$', 'a'.repeat(20_000)]
]

t.test('[attack 51] patterns that would run for ever end, as inputs and as outputs', async (t) => {
  for (const [pattern, text] of catastrophic) {
    const schema = { type: 'object' as const, properties: { a: { type: 'string', pattern } } }
    for (const when of ['now', 'when called'] as const) {
      t.throws(() => compileInput(schema, when).check({ a: text }), /not valid/, pattern)
      t.throws(() => compileOutput(schema, when).check({ a: text }), Error, pattern)
    }
  }
})

t.test('[attack 51] what no engine matches in bounded time stops the start, and is passed over where others wrote it', async (t) => {
  for (const pattern of ['^(?=.*[a-z]).+$', '(?!x)', '(?<=a)b', '(a)\\1', '(', 'a{0,2000}']) {
    const schema = { type: 'object' as const, properties: { a: { type: 'string', pattern, maxLength: 3 } } }
    t.throws(() => compileInput(schema), /cannot be matched in bounded time/, pattern)
    const { check } = compileInput(schema, 'when called')
    t.strictSame(check({ a: 'x' }), { a: 'x' }, 'the API checks it')
    t.throws(() => check({ a: 'long' }), /not valid/, 'what else the schema says holds')
  }
})

t.test('patterns mean what they mean in JSON Schema', async (t) => {
  for (const [pattern, good, bad] of [
    ['^[-a-zA-Z0-9_]+$', 'a-slug_1', 'a slug'],
    ['b', 'abc', 'ac'],
    ['^-?\\d{0,10}(?:\\.\\d{0,2})?$', '-12.34', '1.234'],
    ['^\\d{4}-\\d{2}-\\d{2}$', '2026-11-24', '2026-1-2'],
    ['^[^\\u0000-\\u001f]*$', 'text', 'a\u0001'],
    ['^\\/api\\/', '/api/x', 'api'],
    ['^(?:de|en)$', 'de', 'den'],
    ['^\\p{L}+$', 'Müller', '1'],
    ['^(?<year>\\d+)$', '1', 'x'],
    ['^a\\sb$', 'a\u00a0b', 'ab'],
    ['^[\\s,]+$', ',\u000b\u2028', 'a'],
    ['^\\S+$', 'a', 'a\u3000b'],
    ['^\\\\s$', '\\s', ' ']
  ] as const) {
    t.ok(linearPattern(pattern).test(good), pattern)
    t.notOk(linearPattern(pattern).test(bad), pattern)
  }
})

t.test('[attack 50] a schema that points to another server, to nothing or to itself fetches nothing and is bounded', async (t) => {
  let asked = 0
  const server = createServer((_request, response) => { asked += 1; response.end('{}') }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => { server.once('listening', resolve) })
  const address = server.address()
  const port = address === null || typeof address === 'string' ? 0 : address.port
  for (const $ref of [`http://127.0.0.1:${port}/schema.json`, 'file:///etc/passwd', '#/$defs/nothing', 'other.json']) {
    t.throws(() => compileInput({ type: 'object', properties: { a: { $ref } } }), /resolve/, $ref)
  }
  t.equal(asked, 0)

  const cyclic = compileInput({ type: 'object', properties: { a: { $ref: '#/$defs/node' } }, $defs: { node: { type: 'object', properties: { child: { $ref: '#/$defs/node' } }, additionalProperties: false } } })
  t.strictSame(cyclic.check({ a: { child: { child: {} } } }), { a: { child: { child: {} } } })
  t.throws(() => cyclic.check({ a: { child: { other: 1 } } }), /not valid/)
})
