import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { DocumentError, parseDocument, versionOf } from '../../../plugins/openapi/document.ts'
import { generate } from '../../../plugins/openapi/generate.ts'

const minimal = 'openapi: 3.0.3\npaths: {}\n'

test('YAML and JSON give the same document', async (t) => {
  const yaml = parseDocument('\uFEFFopenapi: 3.1.0\npaths:\n  /a/:\n    get: { summary: 2020-01-01, x: yes }\n')
  t.same(yaml, parseDocument('{"openapi":"3.1.0","paths":{"/a/":{"get":{"summary":"2020-01-01","x":"yes"}}}}'))
  t.same(parseDocument('{openapi: 3.1.0}'), { openapi: '3.1.0' })
  t.same(parseDocument('base: &b { a: 1 }\nopenapi: 3.1.0\nother: { <<: *b, c: 2 }').other, { a: 1, c: 2 })
})

test('what is no document is refused with a sentence about it', async (t) => {
  const refused = (text: string, message: RegExp): void => { t.throws(() => parseDocument(text), { name: 'DocumentError', message }) }
  refused('', /is empty/)
  refused(' \n', /is empty/)
  refused('<!doctype html><html>', /page of HTML.*credentials/)
  refused('openapi: [', /neither JSON nor YAML.*at line 1/)
  refused('{"openapi": ', /neither JSON nor YAML/)
  refused('a: !unknown b', /neither JSON nor YAML/)
  refused('just a text', /no object/)
  refused('- a\n- b', /no object/)
  refused('title: x', /neither "openapi" nor "swagger"/)
  refused('openapi: 4.0.0', /4\.0\.0/)
  refused('swagger: "1.2"', /1\.2/)
})

test('the text of a document that cannot be read is not repeated', async (t) => {
  try {
    parseDocument('password: hunter2\n\tsecret: [abc')
    t.fail('it was read')
  } catch (error) {
    t.ok(error instanceof DocumentError && !/hunter2|abc/.test(error.message))
  }
})

test('a document is bounded in size, depth and in what its aliases stand for', async (t) => {
  const refused = (text: string, message: RegExp): void => { t.throws(() => parseDocument(text), { name: 'DocumentError', message }) }
  refused('x'.repeat(64 * 1024 * 1024 + 1), /characters/)
  refused(`{"openapi":"3.0.0","a":${'['.repeat(300)}${']'.repeat(300)}}`, /200 levels/)
  refused(`openapi: 3.0.0\na: ${'['.repeat(300)}`, /neither JSON nor YAML/)
  const laughs = ['a0: &a0 [x]', ...Array.from({ length: 30 }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}]`)]
  refused(`openapi: 3.0.0\n${laughs.join('\n')}`, /5000000 values/)
  refused('openapi: 3.0.0\na: &a [*a]', /levels|values|YAML/)
  refused(`openapi: 3.0.0\na: &a 1\nb: [${'*a,'.repeat(10_001)}]`, /alias/)
})

test('names that every object has are names like others', async (t) => {
  const document = parseDocument('{"openapi":"3.0.0","paths":{"/a/":{"get":{"parameters":[{"in":"query","name":"__proto__","schema":{"$ref":"#/components/schemas/constructor"}}]}}},"components":{"schemas":{"__proto__":{"type":"string"}}}}')
  const { tools, warnings } = generate(document)
  t.equal(tools.length, 1)
  t.same(Object.keys(tools[0]?.inputSchema.properties ?? {}), ['proto'])
  t.match(warnings.join('\n'), /leads to nothing/)
  t.equal(Object.getPrototypeOf(document), Object.prototype)
})

test('versions are told apart', async (t) => {
  t.equal(versionOf({ swagger: '2.0' }), '2')
  t.equal(versionOf({ swagger: 2 }), '2')
  t.equal(versionOf({ openapi: '3.0.3' }), '3.0')
  t.equal(versionOf({ openapi: '3.1.1' }), '3.1')
  t.equal(versionOf({ openapi: '3.2.0' }), '3.1')
  t.equal(versionOf(parseDocument(minimal)), '3.0')
})

test('the largest given document is read and made into tools', async (t) => {
  const text = readFileSync(new URL('../../fixtures/openapi/given/kobo-v2.yaml', import.meta.url), 'utf8')
  const start = performance.now()
  const document = parseDocument(text)
  const parsed = performance.now()
  const before = process.memoryUsage().heapUsed
  const { tools, skipped } = generate(document, { methods: ['all'] })
  t.comment(`kobo: read in ${Math.round(parsed - start)} ms, ${tools.length} tools in ${Math.round(performance.now() - parsed)} ms and ${Math.round((process.memoryUsage().heapUsed - before) / 1e6)} MB of heap`)
  t.equal(tools.length, 277)
  t.same(skipped, [])
})
