import { readFileSync } from 'node:fs'
import { assert, property, shuffledSubarray } from 'fast-check'
import { test } from 'tap'
import { parseDocument } from '../../../plugins/openapi/document.ts'
import { generate } from '../../../plugins/openapi/generate.ts'
import { emptyLock, formatLock, parseLock } from '../../../plugins/catalog/lock.ts'
import { lockOf } from '../../../plugins/openapi/pins.ts'
import { isToolName } from '../../../plugins/openapi/make/names.ts'
import type { Raw } from '../../../plugins/openapi/read/records.ts'

const given = (name: string): Raw => parseDocument(readFileSync(new URL(`../../fixtures/openapi/${name}`, import.meta.url), 'utf8'))

type Paths = Record<string, Record<string, unknown>>

/** A document of operations that answer nothing, by path, method and operation id. */
function documentOf (operations: Record<string, Record<string, string | undefined>>) {
  const paths: Paths = Object.fromEntries(Object.entries(operations).map(([path, methods]) => (
    [path, Object.fromEntries(Object.entries(methods).map(([method, operationId]) => [method, { operationId, responses: {} }]))]
  )))
  return { openapi: '3.0.3', paths }
}

function namesOf (document: unknown, lock = emptyLock): Record<string, string> {
  return Object.fromEntries(generate(document, { methods: ['all'], lock }).tools.map(({ name, operation }) => [operation.key, name]))
}

test('names are the operation ids in lower-case words, without what nearly all of an API begin with', async (t) => {
  t.same(namesOf(documentOf({
    '/a/': { get: 'api_v2_books_list', post: 'Create a book!' },
    '/b/': { get: 'getHTTPBooks', post: 'api_schema' },
    '/c/': { get: 'v1_Größe_Ändern' },
    '/2fa/': { get: '2fa_status', post: undefined }
  })), {
    'GET /a/': 'books_list', 'POST /a/': 'create_a_book', 'GET /b/': 'get_http_books', 'POST /b/': 'api_schema', 'GET /c/': 'grosse_andern',
    'GET /2fa/': 'op_2fa_status', 'POST /2fa/': 'op_2fa_create'
  })
})

test('an operation without a usable id is named after its path and method', async (t) => {
  t.same(namesOf(documentOf({
    '/api/v1/books/': { get: undefined, post: '' },
    '/api/v1/books/{id}/': { get: '名前', put: '***', patch: undefined, delete: undefined },
    '/': { get: undefined }
  })), {
    'GET /api/v1/books/': 'books_list', 'POST /api/v1/books/': 'books_create', 'GET /api/v1/books/{id}/': 'books_retrieve',
    'PUT /api/v1/books/{id}/': 'books_update', 'PATCH /api/v1/books/{id}/': 'books_partial_update', 'DELETE /api/v1/books/{id}/': 'books_destroy',
    'GET /': 'list'
  })
})

test('two operations with one id both lose it', async (t) => {
  t.same(namesOf(documentOf({ '/a/': { get: 'list' }, '/b/': { get: 'List' }, '/c/': { get: 'other' } })), { 'GET /a/': 'a_list', 'GET /b/': 'b_list', 'GET /c/': 'other' })
  const names = namesOf(documentOf({ '/a-b/': { get: 'same' }, '/a_b/': { get: 'same' } }))
  t.match(names, { 'GET /a-b/': /^same_[0-9a-f]{6}$/, 'GET /a_b/': /^same_[0-9a-f]{6}$/ })
  t.not(names['GET /a-b/'], names['GET /a_b/'])
})

test('long names are cut to 48 characters, with shorter words first', async (t) => {
  const { 'GET /a/': first, 'GET /b/': second, 'GET /c/': third } = namesOf(documentOf({
    '/a/': { get: 'organizations_v1_members_permissions_partial_update' },
    '/b/': { get: 'organizations_projects_members_permission_assignments_of_everybody_list' },
    '/c/': { get: 'x'.repeat(200) }
  }))
  t.equal(first, 'organizations_members_permissions_patch')
  t.match(second, /_of_everybody_list_[0-9a-f]{6}$/)
  for (const name of [first, second, third]) t.ok(isToolName(name ?? ''))
})

for (const name of ['given/kobo-v2.yaml', 'given/cvat.yml', 'synthetic/names.yaml']) {
  test(`two runs over ${name} are the same, and neither order nor a further operation renames anything`, async (t) => {
    const document = given(name)
    const { paths } = document
    if (typeof paths !== 'object' || paths === null) return
    const before = namesOf(document)
    t.equal(JSON.stringify(generate(document, { methods: ['all'] }).tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))),
      JSON.stringify(generate(structuredClone(document), { methods: ['all'] }).tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))))
    assert(property(shuffledSubarray(Object.entries(paths), { minLength: Object.keys(paths).length }), (entries) => {
      t.same(namesOf({ ...document, paths: Object.fromEntries(entries) }), before)
    }), { numRuns: 3 })
    const { 'POST /zz-new/': added, ...others } = namesOf({ ...document, paths: { ...paths, '/zz-new/': { post: { operationId: 'zz_new_create', responses: {} } } } })
    t.equal(added, 'zz_new_create')
    t.same(others, before)
  })
}

test('names in the lock outlive edits of the document, also where another operation wants them', async (t) => {
  const first = documentOf({ '/books/': { get: 'books_list' } })
  const { tools } = generate(first)
  const lock = parseLock(formatLock(lockOf(tools)))
  const edited = documentOf({ '/books/': { get: 'library_books_all' }, '/other/': { get: 'books_list' } })
  t.same(namesOf(edited, lock), { 'GET /books/': 'books_list', 'GET /other/': 'other_list' })
  t.match(namesOf(edited), { 'GET /books/': 'library_books_all' })
})

test('the name of an operation that is gone is kept for it', async (t) => {
  const lock = lockOf(generate(documentOf({ '/books/': { get: 'books_list' } })).tools)
  const replaced = documentOf({ '/shelves/': { get: 'books_list' } })
  t.same(namesOf(replaced, lock), { 'GET /shelves/': 'shelves_list' })
  const later = lockOf(generate(replaced, { lock }).tools, lock)
  t.same(Object.keys(later.tools), ['GET /books/', 'GET /shelves/'])
})

test('entries of the lock keep what is not known here', async (t) => {
  const { tools } = generate(documentOf({ '/books/': { get: 'books_list' } }))
  const lock = parseLock('{"version":1,"tools":{"GET /books/":{"name":"all_books","text":"sha256-abc","note":"kept"}}}')
  t.match(lockOf(generate(documentOf({ '/books/': { get: 'books_list' } }), { lock }).tools, lock).tools, { 'GET /books/': { name: 'all_books', text: /^sha256-[\w-]{43}$/, note: 'kept' } })
  t.match(lockOf(tools, lock).tools, { 'GET /books/': { name: 'books_list', text: /^sha256-[\w-]{43}$/, note: 'kept' } })
})

test('what is no lock is refused', async (t) => {
  for (const [text, message] of [
    ['{', /not JSON/],
    ['{"version":2,"tools":{}}', /version: expected 1/],
    ['{"version":1,"tools":{"GET /a/":{"name":"not a name"}}}', /tools\.GET \/a\/\.name: expected a name/],
    ['{"version":1,"tools":{"GET /a/":{"name":"x"},"GET /b/":{"name":"X"}}}', /gives the name X to GET \/a\/ and to GET \/b\//]
  ] as const) t.throws(() => parseLock(text), { name: 'LockError', message })
})
