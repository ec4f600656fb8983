import { test } from 'tap'
import { readOperations } from '../../../plugins/openapi/operations.ts'
import type { Operation } from '../../../plugins/openapi/operation.ts'
import type { Raw } from '../../../plugins/openapi/read/records.ts'
import { documentWith, fixture } from './documents.ts'

function read (document: unknown) {
  const { operations, skipped, warnings } = readOperations(document)
  return { byKey: (key: string) => operations.find((operation) => operation.key === key), operations, skipped, warnings }
}

function only (operation: Raw, rest: Raw = {}): Operation {
  const [first] = read(documentWith({ '/a/': { get: operation } }, rest)).operations
  if (first === undefined) throw new Error('there is no operation')
  return first
}

test('an operation that comes twice, as get and as GET, is one: the first', async (t) => {
  const operation = (description: string) => ({ description, responses: {} })
  const { operations, skipped } = read({ openapi: '3.0.3', info: { title: 't', version: '1' }, paths: { '/books/': { get: operation('Lists books.'), GET: operation('Something else.') } } })
  t.strictSame(operations.map(({ key, description }) => [key, description]), [['GET /books/', 'Lists books.']])
  t.match(skipped, [{ operation: 'GET /books/', reason: /there already/ }])
})

test('every operation is read or skipped, and a mistake in one costs no other', async (t) => {
  const { operations, skipped, warnings } = read(fixture('synthetic/broken.yaml'))
  const keys = new Set([...operations.map(({ key }) => key), ...skipped.map(({ operation }) => operation)])
  t.ok(keys.has('GET /sound/') && operations.some(({ key }) => key === 'GET /sound/'))
  t.match(skipped.find(({ operation }) => operation === 'GET /unbalanced/{id/'), { reason: /braces/ })
  t.match(skipped.find(({ operation }) => operation === 'GET /operations/'), { reason: /not an object/ })
  t.match(skipped.find(({ operation }) => operation === 'HEAD /operations/'), { reason: /HEAD/ })
  t.match(skipped.find(({ operation }) => operation === '/null-item/'), { reason: /object/ })
  t.match(warnings.join('\n'), /variable id of a path is taken for text/)
})

test('paths are kept byte for byte, and those that no request can be made to are skipped', async (t) => {
  const paths = ['/a', '/a/', '/a.b;c/{id}.{ext}', '/ä/', '/%2e/', 'a/', '/a b/', '/a?b=c', '/a#b', '/../a', '/a/./b', '/a/{', '/a/{}/', '/a\u200B/', '/a\\b']
  const { operations, skipped } = read(documentWith(Object.fromEntries(paths.map((path) => [path, { get: {} }]))))
  t.same(operations.map(({ path }) => path), paths.slice(0, 5))
  t.same(skipped.map(({ operation }) => operation), paths.slice(5).map((path) => `GET ${path}`))
})

test('what the document says of its hosts is ignored, and a path among it is told to the operator', async (t) => {
  for (const [servers, expected] of [
    [[{ url: 'https://api.example.com/v2/' }], /below \/v2\. Requests go where DJANGO_BASE_URL says/],
    [[{ url: '/api' }], /below \/api\./],
    [[{ url: 'http://localhost:8000' }], undefined],
    [[{ url: 'http://localhost:8000/' }], undefined],
    [[{ url: 'https://a/v1' }, { url: 'https://b/v2' }], undefined],
    ['nonsense', undefined]
  ] as const) {
    const { operations, warnings } = read(documentWith({ '/a/': { get: {} } }, { servers }))
    t.equal(operations[0]?.path, '/a/')
    if (expected === undefined) t.same(warnings, [])
    else t.match(warnings[0], expected)
    t.notMatch(warnings.join(), /example|localhost/)
  }
})

test('parameters have the style that the specification gives them', async (t) => {
  const { parameters } = only({ parameters: [
    { in: 'query', name: 'list', schema: { type: 'array', items: { type: 'string' } } },
    { in: 'query', name: 'csv', explode: false, schema: { type: 'array', items: { type: 'string' } } },
    { in: 'query', name: 'deep', style: 'deepObject', schema: { type: 'object' } },
    { in: 'query', name: 'odd', style: 'spiral', schema: { type: 'string' } },
    { in: 'header', name: 'h', schema: { type: 'string' } },
    { in: 'query', name: 'content', content: { 'application/json': { schema: { type: 'object' } } } },
    { in: 'query', name: 'reserved', allowReserved: true }
  ] })
  t.match(Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter])), {
    list: { style: 'form', explode: true },
    csv: { style: 'form', explode: false },
    deep: { style: 'deepObject', explode: false },
    odd: { style: 'form', explode: true },
    h: { style: 'simple', explode: false },
    content: { mediaType: 'application/json', schema: { type: 'object' } },
    reserved: { allowReserved: true, schema: { type: 'string' } }
  })
})

test('a 2.0 document is read as 3.x is: base path, forms, lists and files', async (t) => {
  const document = {
    swagger: '2.0',
    host: 'internal:8000',
    basePath: '/api/v1/',
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: { oauth: { type: 'oauth2' }, basic: { type: 'http' } },
    paths: {
      '/books/': {
        get: {
          parameters: ['csv', 'multi', 'ssv', 'tsv', 'pipes', undefined].map((collectionFormat, index) => ({ in: 'query', name: `l${index}`, type: 'array', items: { type: 'string' }, collectionFormat })),
          responses: { 200: { schema: { type: 'array', items: { $ref: '#/definitions/Book' } } } },
          security: [{ oauth: ['books:read'] }, { basic: [] }]
        },
        post: { parameters: [{ in: 'body', name: 'data', required: true, schema: { $ref: '#/definitions/Book' } }] },
        put: { parameters: [{ $ref: '#/parameters/Cover' }, { in: 'formData', name: 'tags', type: 'array', items: { type: 'string' }, collectionFormat: 'multi' }] },
        patch: { consumes: ['text/csv', 'application/x-www-form-urlencoded'], parameters: [{ in: 'formData', name: 'title', type: 'string', required: true, description: 'A `title`' }] }
      }
    },
    parameters: { Cover: { in: 'formData', name: 'cover', type: 'file' } },
    definitions: { Book: { type: 'object', properties: { title: { type: 'string', 'x-nullable': true } } } }
  }
  const { byKey, warnings } = read(document)
  t.same(warnings, [])
  for (const [basePath, key] of [['api/v1', 'GET /api/v1/books/'], ['/', 'GET /books/'], ['', 'GET /books/']] as const) t.ok(read({ ...document, basePath }).byKey(key), basePath)
  t.same(byKey('GET /api/v1/books/')?.parameters.map(({ style, explode }) => [style, explode]), [
    ['form', false], ['form', true], ['spaceDelimited', false], ['tabDelimited', false], ['pipeDelimited', false], ['form', false]
  ])
  t.same(byKey('GET /api/v1/books/')?.security, { anonymous: false, scopes: [['books:read']] })
  t.same(byKey('GET /api/v1/books/')?.responses[0]?.content.get('application/json'), { type: 'array', items: { $ref: '#/$defs/Book' } })
  t.same([...byKey('POST /api/v1/books/')?.body?.content ?? []], [['application/json', { schema: { $ref: '#/$defs/Book' }, encoding: {} }]])
  t.same(byKey('POST /api/v1/books/')?.definitions.Book, { type: 'object', properties: { title: { type: ['string', 'null'] } } })
  t.same([...byKey('PUT /api/v1/books/')?.body?.content ?? []], [['multipart/form-data', {
    schema: { type: 'object', properties: { cover: { type: 'string', format: 'binary' }, tags: { type: 'array', items: { type: 'string' } } } },
    encoding: { tags: { style: 'form', explode: true } }
  }]])
  t.same([...byKey('PATCH /api/v1/books/')?.body?.content ?? []], [['application/x-www-form-urlencoded', {
    schema: { type: 'object', properties: { title: { type: 'string', description: 'A title' } }, required: ['title'] }, encoding: {}
  }]])
})

test('what is needed to call an operation is its own, or the document\'s', async (t) => {
  const rest = { security: [{ token: [] }], components: { securitySchemes: { token: { type: 'http' }, oauth: { type: 'oauth2' }, oidc: { type: 'openIdConnect' } } } }
  t.same(only({}, rest).security, { anonymous: false, scopes: [] })
  t.same(only({ security: [] }, rest).security, { anonymous: true, scopes: [] })
  t.same(only({ security: [{ token: [] }, {}] }, rest).security, { anonymous: true, scopes: [] })
  t.same(only({ security: [{ oauth: ['a', 'b'], token: ['role'] }, { oidc: ['c'] }, { oauth: ['not a scope"'] }] }, rest).security, { anonymous: false, scopes: [['a', 'b'], ['c']] })
  t.same(only({ security: [{ unknown: ['x'] }] }, rest).security, { anonymous: false, scopes: [] })
  t.same(only({ security: [{ oauth: ['a', 'no scope'] }, { oidc: ['c'] }] }, rest).security, { anonymous: false, scopes: [['c']] }, 'not with less than it asks for')
  const { operations, skipped } = read({ openapi: '3.0.3', info: {}, paths: { '/x/': { get: { security: [{ oauth: ['admin\r\n'] }, { oauth: ['a', 'no scope'] }], responses: {} } } }, ...rest })
  t.same(operations, [])
  t.match(skipped, [{ operation: 'GET /x/', reason: /security names nothing that is a scope/ }])
})

test('bodies and responses are followed to where they are', async (t) => {
  const components = {
    requestBodies: { Book: { required: true, description: 'A **book**', content: { 'application/json': { schema: { type: 'object' } }, nonsense: {} } } },
    responses: { Book: { description: 'It', content: { 'application/vnd.books+json; version=2': { schema: { type: 'object' } } } } }
  }
  const operation = only({ requestBody: { $ref: '#/components/requestBodies/Book' }, responses: { 200: { $ref: '#/components/responses/Book' }, '4XX': { description: null }, default: { $ref: '#/nowhere' }, odd: {} } }, { components })
  t.match(operation.body, { required: true, description: 'A book' })
  t.same([...operation.body?.content.keys() ?? []], ['application/json'])
  t.same(operation.responses.map(({ status, content }) => [status, [...content.keys()]]), [['200', ['application/vnd.books+json; version=2']], ['4XX', []]])
})

test('references that lead in a circle or away cost their operation or themselves', async (t) => {
  const { operations, skipped, warnings } = read(documentWith({
    '/away/': { $ref: 'https://example.com/paths.yaml' },
    '/circle/': { post: { requestBody: { $ref: '#/components/requestBodies/A' } }, get: { parameters: [{ $ref: '#/components/parameters/A' }, { $ref: 'file:///etc/passwd' }] } },
    '/same/': { $ref: '#/paths/~1other~1' },
    '/other/': { get: { operationId: 'other' } }
  }, { components: { requestBodies: { A: { $ref: '#/components/requestBodies/B' }, B: { $ref: '#/components/requestBodies/A' } }, parameters: { A: { $ref: '#/components/parameters/A' } } } }))
  t.same(operations.map(({ key }) => key), ['GET /circle/', 'GET /same/', 'GET /other/'])
  t.match(skipped, [{ operation: '/away/', reason: /leads out of the document/ }, { operation: 'POST /circle/', reason: /circle/ }])
  t.match(warnings.join('\n'), /references lead in a circle.*\n.*leads out of the document/)
})

test('texts are those that a model may read', async (t) => {
  const operation = only({ operationId: 'a\u200Blist', summary: '<b>List</b>', description: '# All\n\nof http://internal:8000/api/', tags: ['A\u202E', ''], deprecated: true })
  t.match(operation, { operationId: 'alist', summary: 'List', description: 'All. of /api/', tags: ['A'], deprecated: true })
})

test('the request that a docstring begins with is not told', async (t) => {
  const { byKey } = read({ openapi: '3.0.3', paths: {
    '/a/': { get: { description: 'GET /a/?x=1\n\nLists what there is.' }, post: { description: 'POST things here.' } },
    '/b/': { post: { description: 'POST /b/ -- approves it.' } }
  } })
  t.equal(byKey('POST /b/')?.description, 'approves it.')
  t.equal(byKey('GET /a/')?.description, 'Lists what there is.')
  t.equal(byKey('POST /a/')?.description, 'POST things here.')
})

test('of the docstring of a view set, an operation has the section of its own action', async (t) => {
  const description = 'Books.\n\nlist:\nLists **all** books.\n\ncreate:\nMakes one.\nNote:\nIt is kept.\n\nborrow:\nLends it.'
  const operation = { description }
  const { byKey } = read({ openapi: '3.0.3', paths: {
    '/api/books/': { get: operation, post: operation },
    '/api/books/{id}/': { get: operation, patch: operation },
    '/api/books/{id}/borrow/': { post: operation },
    '/api/books/bulk/': { post: operation },
    '/api/notes/': { get: { description: 'Notes.\n\nExample:\nx' } }
  } })
  t.equal(byKey('GET /api/books/')?.description, 'Lists all books.')
  t.equal(byKey('POST /api/books/')?.description, 'Makes one.')
  t.equal(byKey('GET /api/books/{id}/')?.description, 'Books.', 'where it has none, what is said of all')
  t.equal(byKey('PATCH /api/books/{id}/')?.description, 'Books.')
  t.equal(byKey('POST /api/books/{id}/borrow/')?.description, 'Lends it.')
  t.equal(byKey('POST /api/books/bulk/')?.description, 'Books.')
  t.equal(byKey('GET /api/notes/')?.description, 'Notes. Example: x', 'other texts stay whole')
})
