import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { generate } from '../../../plugins/openapi/generate.ts'
import { parseMethodSelector, parseSelector } from '../../../plugins/openapi/select.ts'
import { estimateTokens, listTokens, shownToModels } from '../../../plugins/openapi/tokens.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { answers, documentWith, fixture, toolFor, toolOf } from './documents.ts'

const shop = documentWith({
  '/books/': { get: { operationId: 'books_list', tags: ['Books'] }, post: { operationId: 'books_create', tags: ['Books'] } },
  '/books/{id}/': { parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'integer' } }], get: { operationId: 'books_retrieve', tags: ['Books'] }, delete: { operationId: 'books_destroy', tags: ['Books'] } },
  '/orders/': { get: { operationId: 'orders_list', tags: ['Old orders'] }, post: { operationId: 'orders_create', tags: ['Old orders'] } }
})

test('without a selection everything that reads is a tool, and the rest is listed with its reason', async (t) => {
  const { tools, skipped } = generate(shop)
  t.same(tools.map(({ name }) => name), ['books_list', 'books_retrieve', 'orders_list'])
  t.same(skipped.map(({ operation }) => operation), ['POST /books/', 'DELETE /books/{id}/', 'POST /orders/'])
  t.match(skipped[0], { reason: 'POST is not among the allowed methods' })
})

test('methods are allowed in general or for a path, a tag or an operation id', async (t) => {
  const selected = (methods: string[], rest = {}): string[] => generate(shop, { methods, ...rest }).tools.map(({ name }) => name)
  t.same(selected(['all']).length, 6)
  t.same(selected(['get', 'post /books/*']), ['books_list', 'books_retrieve', 'orders_list'], 'one * is within a segment')
  t.same(selected(['POST /books/**']), ['books_create'])
  t.same(selected(['all /books/*', 'all /orders']), ['books_destroy', 'books_retrieve', 'orders_create', 'orders_list'])
  t.same(selected(['POST tag:old orders', 'DELETE books_*']), ['books_destroy', 'orders_create'])
  t.same(selected(['all'], { include: ['tag:Books'], exclude: ['POST', '/books/{id}/'] }), ['books_list'])
  t.same(selected(['all'], { include: ['orders_list'] }), ['orders_list'])
})

test('a selector that selects nothing is told, and one that is none is refused', async (t) => {
  const { warnings } = generate(shop, { methods: ['GET', 'DELETE', 'POST /bocks/'], exclude: ['tag:Boks'] })
  t.same(warnings, ['No operation is selected by "POST /bocks/".', 'No operation is selected by "tag:Boks".'])
  for (const text of ['', ' ', 'tag:', 'GET tag:']) t.throws(() => parseSelector(text), { name: 'SelectorError', message: /expected a method, a path/ })
  for (const text of ['/books/', 'tag:Books', 'FETCH']) t.throws(() => parseMethodSelector(text), { name: 'SelectorError', message: /expected a method or "all"/ })
})

test('annotations, scopes and the question to the user follow from the method and from dangerous names', async (t) => {
  const of = (method: string, path = '/a/', operation = {}) => {
    const { annotations, scopes, confirm } = toolFor(operation, { method, path })
    return [annotations.readOnlyHint, annotations.destructiveHint, annotations.idempotentHint, scopes.join(), confirm !== undefined]
  }
  t.same(of('get'), [true, undefined, true, 'read', false])
  t.same(of('post'), [false, false, false, 'write', false])
  t.same(of('put'), [false, true, true, 'write', false])
  t.same(of('patch'), [false, true, false, 'write', false])
  t.same(of('delete'), [false, true, true, 'write', true])
  t.same(of('post', '/a/bulk/'), [false, true, false, 'write', true])
  t.same(of('post', '/a/', { operationId: 'purgeEverything' }), [false, true, false, 'write', true])
  t.same(of('get', '/a/bulk/'), [true, undefined, true, 'read', false])
  t.equal(toolFor({ description: 'Deletes a book. For good.' }, { method: 'delete' }).confirm, 'Deletes a book. Go ahead?')
  const scoped = { ...documentWith({ '/a/': { get: { security: [{ oauth: ['books'] }, { oauth: ['all'] }] } } }), components: { securitySchemes: { oauth: { type: 'oauth2' } } } }
  t.same(toolOf('GET /a/', scoped).scopes, ['read', 'books'])
  const open = { ...scoped, paths: { '/a/': { get: { security: [{ oauth: ['books'] }, {}] } } } }
  t.same(toolOf('GET /a/', open).scopes, ['read'], 'what anybody may call needs no scope of the document')
})

test('an operation without words gets a sentence of verb, thing, owner and filters', async (t) => {
  const sentence = (method: string, path: string, operation = {}): string => toolFor(operation, { method, path }).description
  t.equal(sentence('get', '/api/v1/clients/', { parameters: ['status', 'page', 'search'].map((name) => ({ in: 'query', name })) }), 'List clients. Filters: status.')
  t.equal(sentence('get', '/clients/', { parameters: [{ in: 'query', name: 'age[gte]' }, { in: 'query', name: '$' }] }), 'List clients. Filters: age_gte.')
  t.equal(sentence('get', '/clients/{id}/'), 'Get a client.')
  t.equal(sentence('get', '/clients/{client_id}/addresses/'), 'List addresses of a client.')
  t.equal(sentence('post', '/clients/{client_id}/entries/'), 'Create an entry of a client.')
  t.equal(sentence('post', '/clients/{id}/archive/'), 'Archive a client.')
  t.equal(sentence('put', '/units/{id}/'), 'Replace a unit, with all of its fields.')
  t.equal(sentence('patch', '/news/{id}/'), 'Change the given fields of a new.')
  t.equal(sentence('delete', '/boxes/{id}/'), 'Delete a box.')
  t.equal(sentence('get', '/'), 'Get the API.')
  t.equal(sentence('get', '/a/', { summary: 'GET /a/' }), 'Get the a.')
  t.equal(sentence('get', '/a/', { summary: 'Lists it', deprecated: true }), 'Deprecated. Lists it.')
  t.equal(sentence('get', '/a/', { summary: 'List users', description: 'List users.\n\nAll of them' }), 'List users. All of them.')
})

test('actions and lists without words are told by what they do, not by a noun that is none', async (t) => {
  const sentence = (method: string, path: string, operation = {}): string => toolFor(operation, { method, path }).description
  t.equal(sentence('get', '/users/me/'), 'Get the current user.')
  t.equal(sentence('patch', '/api/v1/me/'), 'Change the given fields of the current user.')
  t.equal(sentence('get', '/orders/summary/'), 'Get the summary of orders.')
  t.equal(sentence('get', '/orders/recent/', answers({ type: 'array', items: {} })), 'List orders (recent).')
  t.equal(sentence('post', '/orders/import/'), 'Import orders.')
  t.equal(sentence('post', '/orders/bulk/'), 'Create several orders at once.')
  t.equal(sentence('put', '/shops/{id}/orders/bulk/'), 'Replace several orders at once of a shop.')
  t.equal(sentence('delete', '/orders/purge/'), 'Purge orders.')
  t.equal(sentence('put', '/shops/{id}/merge/'), 'Merge a shop.')
  t.equal(sentence('get', '/old{format}/{year}/'), 'Get an old.')
  t.equal(sentence('post', '/auth/login/'), 'Login.')
  t.equal(sentence('post', '/users/register/', answers({}, '201')), 'Register.')
  t.equal(sentence('post', '/users/reset_password/'), 'Reset password.')
  t.equal(sentence('post', '/users/{id}/set_password/'), 'Set password of a user.')
  t.equal(sentence('get', '/accounts/summary/'), 'Get the summary of accounts.')
  t.equal(sentence('post', '/token/refresh/'), 'Refresh the token.')
  t.equal(sentence('post', '/token/'), 'Create a token.')
  // Not every team has plurals in its paths.
  t.equal(sentence('get', '/root/{id}/child/', answers({ type: 'array', items: {} })), 'List child entries of a root.')
  t.equal(sentence('post', '/root/{id}/child/', { operationId: 'child_create', ...answers({}, '201') }), 'Create a child of a root.')
  t.equal(sentence('post', '/album/{id}/like/', { operationId: 'album_like_create', ...answers({}) }), 'Like an album.')
})

test('operations that are described with the same words are told apart', async (t) => {
  const docstring = { description: 'API endpoint that allows books to be viewed or edited.' }
  const { tools } = generate(documentWith({
    '/books/': { get: docstring, post: docstring },
    '/app/login/': { post: { summary: 'Log in' } },
    '/browser/login/': { post: { summary: 'Log in' } }
  }), { methods: ['all'] })
  t.same(tools.map(({ description }) => description), [
    'Log in. (app)', 'Create a book. API endpoint that allows books to be viewed or edited.', 'List books. API endpoint that allows books to be viewed or edited.', 'Log in. (browser)'
  ].toSorted((left, right) => tools.findIndex((tool) => tool.description === left) - tools.findIndex((tool) => tool.description === right)))
})

test('the three ways of paging are known by their parameters, by whatever name', async (t) => {
  const { tools } = generate(fixture('synthetic/pagination.yaml'))
  t.same(Object.fromEntries(tools.map(({ name, pagination }) => [name, pagination?.style])), {
    by_cursor_list: 'cursor',
    by_offset_list: 'limit-offset',
    by_other_names_list: 'page',
    by_page_list: 'page',
    by_page_without_schema_list: 'page',
    not_paged_list: undefined
  })
  const parameters = [{ in: 'query', name: 'seite[nr]', description: 'A page number within the paginated result set.' }, { in: 'query', name: 'page_size' }]
  t.same(toolFor({ parameters }).pagination, { style: 'page', arguments: { 'seite[nr]': 'seite_nr', page_size: 'page_size' } })
  t.equal(toolFor({ parameters: [{ in: 'query', name: 'limit' }] }).pagination, undefined)
  t.same(toolFor({ parameters: [{ in: 'query', name: 'limit' }, { in: 'query', name: 'start' }] }).pagination, { style: 'limit-offset', arguments: { limit: 'limit', start: 'start' } })
})

test('a write knows the tool that reads what it makes', async (t) => {
  t.equal(toolOf('POST /books/', shop).readTool, 'books_retrieve')
  t.equal(toolOf('DELETE /books/{id}/', shop).readTool, 'books_retrieve')
  t.equal(toolOf('GET /books/', shop).readTool, undefined)
  t.equal(toolOf('POST /books/', shop, { methods: ['POST'] }).readTool, undefined)
  const action = documentWith({ '/books/{id}': { get: { operationId: 'one' } }, '/books/{id}/publish': { post: {} } })
  t.equal(toolOf('POST /books/{id}/publish', action).readTool, 'one')
})

test('output schemas are off, and take any answer where they are on', async (t) => {
  const operation = answers({
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'integer' }, status: { type: 'string', enum: ['a'], format: 'date', description: 'Where it is' }, secret: { type: 'string', writeOnly: true }, tags: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } } }
  })
  t.equal(toolFor(operation).outputSchema, undefined)
  const { outputSchema } = toolOf('GET /a/', documentWith({ '/a/': { get: operation } }), { outputSchemas: true })
  t.same(outputSchema, {
    type: 'object',
    properties: { id: { description: 'integer' }, status: { description: 'string; Where it is' }, tags: { description: 'array', items: { description: 'object', properties: { name: { description: 'string' } } } } }
  })
  const validate = new Ajv2020({ strict: false }).compile(outputSchema ?? {})
  for (const answer of [{}, { id: null, status: 5, tags: null }, { id: 'x', tags: [null, 'y', { name: {} }], more: 1 }, { tags: {} }]) t.ok(validate(answer), JSON.stringify(answer))
  t.equal(toolOf('GET /a/', documentWith({ '/a/': { get: answers({ type: 'array', items: {} }) } }), { outputSchemas: true }).outputSchema, undefined)
})

test('the operation that gives the document is no tool', async (t) => {
  const { skipped } = generate(documentWith({ '/api/schema/': { get: { responses: { 200: { content: { 'application/vnd.oai.openapi+json': {} } } } } } }))
  t.match(skipped, [{ operation: 'GET /api/schema/', reason: 'it gives the document itself' }])
})

test('no tool names a host, not even where the document does', async (t) => {
  for (const name of ['given/kobo-v2.yaml', 'given/cvat.yml', 'given/objects-api.yaml', 'synthetic/hostile-texts.json']) {
    const { tools } = generate(fixture(name), { methods: ['all'], outputSchemas: true })
    for (const tool of tools) t.notMatch(JSON.stringify([tool.title, tool.description, tool.inputSchema, tool.outputSchema]), /https?:\/\/|localhost|127\.0\.0\.1/, tool.name)
  }
})

test('tokens are estimated to within a few percent of what a tokenizer counts', async (t) => {
  for (const name of ['kobo-v2.yaml', 'cvat.yml', 'objects-api.yaml', 'drf-spectacular-django_filters.yml', 'drf-spectacular-drf_nested_routers.yml']) {
    const { tools } = generate(fixture(`given/${name}`), { methods: ['all'] })
    const counted = tools.reduce((sum, tool) => sum + countTokens(shownToModels(tool)), 0)
    const ratio = listTokens(tools) / counted
    t.comment(`${name}: ${counted} tokens, estimated ${listTokens(tools)}`)
    t.ok(ratio > 0.95 && ratio < 1.05, `${name}: ${ratio}`)
  }
  for (const text of ['', 'a', 'The quick brown fox jumps over the lazy dog.', 'größe und Übermaß', '日本語のテキスト', '{"a":[1,22,333,4444]}', 'SCREAMING_SNAKE_CASE and camelCaseNames']) {
    t.ok(Math.abs(estimateTokens(text) - countTokens(text)) <= Math.max(2, countTokens(text) * 0.35), `${text}: ${estimateTokens(text)} for ${countTokens(text)}`)
  }
  const prose = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const ratio = estimateTokens(prose) / countTokens(prose)
  t.ok(ratio > 0.85 && ratio < 1.15, `prose: ${ratio}`)
})
