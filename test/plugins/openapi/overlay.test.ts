import { test, type Test } from 'tap'
import { generate } from '../../../plugins/openapi/generate.ts'
import { lockOf } from '../../../plugins/openapi/pins.ts'
import { parseOverlay } from '../../../plugins/openapi/overlay.ts'
import type { GeneratedTool } from '../../../plugins/openapi/generated.ts'
import { answers, documentWith, json, toolOf } from './documents.ts'

const shop = documentWith({
  '/books/': {
    get: {
      operationId: 'books_list',
      parameters: [
        { in: 'query', name: 'status', required: true, schema: { type: 'string', enum: ['new', 'old'] } },
        { in: 'query', name: 'limit', schema: { type: 'integer', maximum: 100 } },
        { in: 'query', name: 'p', schema: { type: 'integer' } },
        { in: 'query', name: 'filter[author]', schema: { type: 'string' } }
      ]
    },
    post: { operationId: 'books_create', ...json({ type: 'object', required: ['title'], properties: { title: { type: 'string' }, shop: { type: 'integer' } } }) },
    delete: { operationId: 'books_destroy_all' }
  },
  '/shelves/': { get: { operationId: 'twice' } },
  '/rooms/': { get: { operationId: 'twice' } }
})

function overlaid (entries: string, key = 'GET /books/', options = {}): GeneratedTool {
  return toolOf(key, shop, { overlay: parseOverlay(`tools:\n${entries}`), ...options })
}

function refused (t: Test, entries: string, message: RegExp, options = {}): void {
  t.throws(() => generate(shop, { methods: ['all'], overlay: parseOverlay(`tools:\n${entries}`), ...options }), { name: 'OverlayError', message })
}

test('operations are found by method and path, by operation id and by name', async (t) => {
  for (const name of ['GET /books/', 'books_list']) t.equal(overlaid(`  ${name}: { description: All of them }`).description, 'All of them')
  t.equal(overlaid('  rooms_list: { title: Rooms }', 'GET /rooms/').title, 'Rooms')
})

test('words replace those of the document', async (t) => {
  const tool = overlaid(`
  books_list:
    name: search_books
    title: Search books
    description: Books that are for sale
    synonyms: [novels, titles]
    arguments: { status: Which ones, filter_author: Who wrote it }
    fields: [id, title]
`)
  t.match(tool, {
    name: 'search_books', title: 'Search books', description: 'Books that are for sale', synonyms: ['novels', 'titles'], fields: ['id', 'title'],
    inputSchema: { properties: { status: { description: 'Which ones' }, filter_author: { description: 'Who wrote it' } } }
  })
})

test('a default is sent where the model gives nothing, and makes an argument optional', async (t) => {
  const { inputSchema } = overlaid('  books_list: { defaults: { status: new, limit: 20 } }')
  t.match(inputSchema.properties, { status: { default: 'new' }, limit: { default: 20 } })
  t.equal(inputSchema.required, undefined)
})

test('a fixed argument is sent without the model seeing it', async (t) => {
  const list = overlaid('  books_list: { fixed: { status: old, filter_author: me } }')
  t.same(Object.keys(list.inputSchema.properties ?? {}), ['limit', 'p'])
  t.equal(list.inputSchema.required, undefined)
  t.match(list.fixed, [{ place: { kind: 'parameter', parameter: { name: 'status' } }, value: 'old' }, { place: { parameter: { name: 'filter[author]' } }, value: 'me' }])
  t.notOk(list.bindings.some(({ argument }) => argument === 'status'))
  t.match(overlaid('  books_create: { fixed: { shop: 7 } }', 'POST /books/').fixed, [{ place: { kind: 'property', property: 'shop' }, value: 7 }])
})

test('the question to the user can be asked, changed and left out', async (t) => {
  t.equal(overlaid('  books_create: { confirm: true }', 'POST /books/').confirm, 'Create a book. Go ahead?')
  t.equal(overlaid('  books_create: { confirm: Sure? }', 'POST /books/').confirm, 'Sure?')
  t.equal(overlaid('  books_create: {}', 'POST /books/').confirm, undefined)
  t.equal(overlaid('  books_destroy_all: { confirm: false }', 'DELETE /books/').confirm, undefined)
  t.type(overlaid('  books_destroy_all: {}', 'DELETE /books/').confirm, 'string')
})

test('paging is told where the document does not tell it, and denied where it tells wrong', async (t) => {
  t.same(overlaid('  books_list: { paginate: { page: p, size: limit } }').pagination, { style: 'page', arguments: { p: 'p', limit: 'limit' } })
  t.same(overlaid('  books_list: { paginate: { offset: p, limit: limit } }').pagination, { style: 'limit-offset', arguments: { p: 'p', limit: 'limit' } })
  t.same(overlaid('  books_list: { paginate: { cursor: filter_author } }').pagination, { style: 'cursor', arguments: { 'filter[author]': 'filter_author' } })
  t.equal(overlaid('  books_list: { paginate: false }').pagination, undefined)
})

test('a hidden operation is no tool, and is listed with the reason', async (t) => {
  const { tools, skipped } = generate(shop, { overlay: parseOverlay('tools: { books_list: { hide: true }, rooms_list: { hide: false } }') })
  t.same(tools.map(({ name }) => name), ['rooms_list', 'shelves_list'])
  t.match(skipped.find(({ operation }) => operation === 'GET /books/'), { reason: 'it is hidden by the overlay' })
})

test('an entry that matches nothing is refused with what was probably meant, all of them at once', async (t) => {
  refused(t, '  book_list: {}\n  GET /book/: {}\n  zzzzzz: {}', /"book_list" is no operation of the document; did you mean "books_list"\?; "GET \/book\/" is no operation of the document; did you mean "GET \/books\/"\?; "zzzzzz" is no operation of the document$/)
  refused(t, '  twice: {}', /"twice" is the id of several operations; use their method and path, such as "GET \/shelves\/"/)
  refused(t, '  books_list: {}\n  GET /books/: {}', /"GET \/books\/" and "books_list" are the same operation/)
})

test('arguments that there are not, and values that they cannot have, are refused', async (t) => {
  refused(t, '  books_list: { defaults: { stats: new } }', /GET \/books\/ has no argument "stats"; did you mean "status"\?/)
  refused(t, '  books_list: { arguments: { colour: Which } }', /has no argument "colour"$/)
  refused(t, '  books_list: { paginate: { page: pag } }', /has no argument "pag"/)
  refused(t, '  books_list: { defaults: { limit: many } }', /GET \/books\/: limit must be integer/)
  refused(t, '  books_list: { fixed: { status: broken } }', /status must be one of "new", "old"/)
})

test('fields that the answers of the document do not have are a warning, with what was probably meant', async (t) => {
  const author = { type: 'object', properties: { name: { type: 'string' }, more: {} } }
  const book = { type: 'object', properties: { title: { type: 'string' }, authors: { type: 'array', items: author }, extra: { type: 'object', additionalProperties: true } } }
  const warnings = (answer: unknown, fields: string): readonly string[] => generate(documentWith({ '/a/': { get: { operationId: 'a_list', ...answers(answer) } } }), { overlay: parseOverlay(`tools: { a_list: { fields: [${fields}] } }`) }).warnings
  const page = { type: 'object', properties: { count: { type: 'integer' }, results: { type: 'array', items: book } } }
  for (const answer of [book, page, { type: 'array', items: book }]) {
    t.same(warnings(answer, 'title, authors.name, authors.more.x, extra.y'), [])
    t.same(warnings(answer, 'titel, authors.nmae'), [
      'The overlay names the field "titel" of GET /a/, whose answers have no "titel"; did you mean "title"?',
      'The overlay names the field "authors.nmae" of GET /a/, whose answers have no "nmae"; did you mean "name"?'
    ])
  }
  t.same(warnings(page, 'results.title, results.zzzzzz'), ['The overlay names the field "results.zzzzzz" of GET /a/, whose answers have no "zzzzzz".'])
  t.same(warnings({}, 'anything'), [], 'where the document does not tell, nobody knows')
})

test('two tools cannot have one name', async (t) => {
  refused(t, '  books_list: { name: Books_Create }', /the name books_create would be that of GET \/books\/ and POST \/books\//)
  refused(t, '  books_list: { name: all }\n  books_create: { name: all }', /the name all would be/)
})

test('an entry still finds its operation by its first name when the lock has the new one', async (t) => {
  const overlay = parseOverlay('tools: { rooms_list: { name: find_rooms } }')
  const lock = lockOf(generate(shop, { overlay }).tools)
  t.match(generate(shop, { overlay, lock }).tools.map(({ name }) => name), ['books_list', 'find_rooms', 'shelves_list'])
  t.ok(generate(shop, { lock }).tools.some(({ name }) => name === 'find_rooms'), 'the name outlives the entry')
})

test('what is no overlay is refused, with every wrong place', async (t) => {
  for (const [source, message] of [
    ['tools: [', /not valid: .*at line 1/],
    ['', /not valid/],
    ['tool: {}', /it: there is no "tool" \(did you mean "tools"\?\)/],
    ['tools: { a: { hid: true, zzz: 1 } }', /tools\.a: there is no "hid" \(did you mean "hide"\?\) and no "zzz"$/],
    ['tools: { a: { hide: maybe } }', /tools\.a\.hide: expected true or false/],
    ['tools: { a: { name: two words } }', /tools\.a\.name: expected 1 to 48 letters/],
    ['tools: { a: { synonyms: word } }', /tools\.a\.synonyms: expected a list of texts/],
    ['tools: { a: { paginate: { p: 1 } } }', /tools\.a\.paginate: expected false, or the arguments of one style/],
    ['tools: { a: { description: "" }, b: { confirm: 5 } }', /tools\.a\.description: expected a text that is not empty; tools\.b\.confirm: expected true, false or a question/]
  ] as const) t.throws(() => parseOverlay(source), { name: 'OverlayError', message }, source)
})
