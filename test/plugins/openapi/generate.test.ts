import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parseDocument } from '../../../plugins/openapi/document.ts'
import { generate } from '../../../plugins/openapi/generate.ts'
import { documentWith } from './documents.ts'

const folder = new URL('../../fixtures/openapi/', import.meta.url)
const files = ['given', 'synthetic'].flatMap((kind) => readdirSync(new URL(`${kind}/`, folder)).map((name) => `${kind}/${name}`))

for (const file of files) {
  test(`every operation of ${file} is a tool that clients take, or is listed with a reason`, async (t) => {
    const { tools, skipped } = generate(parseDocument(readFileSync(new URL(file, folder), 'utf8')), { methods: ['all'] })
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false })
    for (const { name, description, inputSchema } of tools) {
      t.match(name, /^[a-zA-Z0-9_-]{1,48}$/)
      t.ok(description.length >= 3 && description.length <= 240, description)
      t.doesNotThrow(() => ajv.compile(inputSchema), name)
    }
    t.equal(new Set(tools.map(({ name }) => name.toLowerCase())).size, tools.length)
    t.equal(new Set(tools.map(({ description }) => description)).size, tools.length)
    t.ok(skipped.every(({ operation, reason }) => operation !== '' && reason !== ''))
  })
}

test('two paths that differ by their last slash do not hide each other', async (t) => {
  const parameters = [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }]
  t.same(generate(documentWith({ '/a/': { get: {} }, '/a/{id}': { get: { parameters } } })).warnings, [])
})

test('only what a variable can be hides what it stands for', async (t) => {
  const warnings = (paths: Record<string, unknown>): readonly string[] => generate(documentWith(paths)).warnings
  const at = (schema: unknown) => ({ get: { parameters: [{ in: 'path', name: 'id', required: true, schema }] } })
  t.match(warnings({ '/a/self/': { get: {} }, '/a/{id}/': at({ type: 'string' }) }), [/GET \/a\/\{id\}\/ does not reach what is called "self"/])
  t.same(warnings({ '/a/self/': { get: {} }, '/a/{id}/': at({ type: 'integer' }) }), [])
  t.match(warnings({ '/a/self/': { get: {} }, '/a/{id}/': at({ type: 'string', format: 'uuid' }) }), [/"self"/], 'formats are not enforced')
  t.match(warnings({ '/a/12/': { get: {} }, '/a/{id}/': at({ type: 'integer' }) }), [/"12"/])
  t.same(warnings({ '/a/': { get: {} }, '/old{id}/': at({ type: 'string' }) }), [], 'a part of a segment is as it is')
  t.match(warnings({ '/old.json/': { get: {} }, '/old{id}/': at({ type: 'string' }) }), [/"old\.json"/])
})
