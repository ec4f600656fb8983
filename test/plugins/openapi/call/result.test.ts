import t from 'tap'
import { CallError } from '../../../../errors.ts'
import { WithContent } from '../../../../plugins/catalog/definition.ts'
import type { GeneratedTool } from '../../../../plugins/openapi/generated.ts'
import { locator } from '../../../../plugins/openapi/call/locate.ts'
import { defaultMaxBytes, resultFor, type ResultOptions } from '../../../../plugins/openapi/call/result.ts'
import type { Answer } from '../../../../plugins/django/answer.ts'
import { bound, tool } from './helper.ts'

function answer (body: string | Buffer, type: string | undefined = 'application/json', status = 200, headers: Record<string, string> = {}): Answer {
  return { status, headers: { ...type === '' ? {} : { 'content-type': type }, ...headers }, body: Buffer.from(body) }
}

/** The text of a result and the sentences beside it. */
function shown (made: GeneratedTool, args: Record<string, unknown>, given: Answer, options?: ResultOptions): { text: string, json: () => unknown, notes: string } {
  const result = resultFor(made, args, given, options)
  const content = result instanceof WithContent ? result.content : result
  const texts = typeof content === 'string' ? [content] : Array.isArray(content) ? content.map((block) => block.type === 'text' ? block.text : '') : []
  const [text = '', notes = ''] = texts
  return { text, json: () => JSON.parse(text), notes }
}

const int = { type: 'integer' }
const paging = { page: 'page', page_size: 'page_size' }

/** Lists in each of the three ways, with a filter and a choice of fields. */
const numbered = tool('GET /books/', [bound('page', 'query'), bound('page_size', 'query'), bound('author', 'query'), { argument: 'fields', place: { kind: 'fields' } }], {
  name: 'list_books', properties: { page: int, page_size: int }, pagination: { style: 'page', arguments: paging }
})
const windowed = tool('GET /books/', [bound('limit', 'query'), bound('offset', 'query', {}, 'skip')], {
  name: 'list_books', properties: { limit: int, skip: int }, pagination: { style: 'limit-offset', arguments: { limit: 'limit', offset: 'skip' } }
})
const cursored = tool('GET /books/', [bound('cursor', 'query'), bound('page_size', 'query')], {
  name: 'list_books', properties: { cursor: { type: 'string' }, page_size: int }, pagination: { style: 'cursor', arguments: { cursor: 'cursor', page_size: 'page_size' } }
})
const plain = tool('GET /books/{id}/', [bound('id', 'path')])

const internal = 'http://django-internal:8000'

t.test('an answer is shown as it came where nothing has to be changed', (t) => {
  for (const text of ['{"id":9007199254740993,"price":"3.10","ratio":1.50,"took":"1 02:00:00","big":1e400}', '[]', 'null', '5', '"x"', '{"a":{"next":"http://example.com/"}}']) {
    t.equal(resultFor(plain, {}, answer(text)), text)
  }
  t.equal(resultFor(plain, {}, answer('{\n  "a": 1\n}')), '{"a":1}', 'without the room that indentation takes')
  t.equal(resultFor(plain, {}, answer('{"a":"\\u00fc"}')), '{"a":"ü"}', 'without escapes that are not needed')
  t.equal(resultFor(plain, {}, answer('{"a":"\\u202ex"}')), '{"a":"‮x"}'.replace('‮', '\u202e'), 'what is escaped and not seen is left to the catalog, which takes it out')
  t.equal(resultFor(plain, {}, answer('\ufeff{"a":1}', 'application/vnd.x+json; charset=utf-8')), '{"a":1}')
  t.throws(() => resultFor(plain, {}, answer('{"a":')), CallError)
  t.end()
})

t.test('numbers keep their digits where an answer is changed', (t) => {
  const text = `{"count":2,"next":null,"previous":null,"results":[{"id":9007199254740993,"x":0.1234567890123456789,"y":1.5,"z":12345678901234567890123},{"id":-9007199254740993}]}`
  t.equal(shown(numbered, { fields: ['id', 'x', 'y', 'z'] }, answer(text)).text, '{"count":2,"next_args":null,"previous_args":null,"results":[{"id":9007199254740993,"x":0.1234567890123456789,"y":1.5,"z":12345678901234567890123},{"id":-9007199254740993}]}')
  for (let shift = 0; shift < 20; shift += 1) {
    const changed = shown(numbered, {}, answer(`{"next":null,"results":["${'x'.repeat(shift)}",9007199254740993]}`)).text
    t.match(changed, ',9007199254740993]', 'wherever it stands')
  }
  t.end()
})

t.test('further pages are arguments of the same tool, never addresses', (t) => {
  const page = (next: string | null, previous: string | null, results: unknown[] = [{ id: 1 }], count: number | undefined = 7): Answer => answer(JSON.stringify({ count, next, previous, results }))
  const first = shown(numbered, { author: 'x', page_size: 1 }, page(`${internal}/books/?author=x&page=2&page_size=1`, null))
  t.strictSame(first.json(), { count: 7, next_args: { author: 'x', page_size: 1, page: 2 }, previous_args: null, results: [{ id: 1 }] })
  t.equal(first.notes, '1 of 7 are shown. For more, call again with next_args as the arguments.')
  const second = shown(numbered, { page: 2 }, page(`${internal}/books/?page=3`, `${internal}/books/`))
  t.strictSame(second.json(), { count: 7, next_args: { page: 3 }, previous_args: {}, results: [{ id: 1 }] })
  t.strictSame(shown(windowed, { skip: 3 }, page(`${internal}/books/?limit=3&offset=6`, `${internal}/books/?limit=3`)).json(), {
    count: 7, next_args: { limit: 3, skip: 6 }, previous_args: { limit: 3 }, results: [{ id: 1 }]
  })
  const cursor = shown(cursored, {}, answer(JSON.stringify({ next: `${internal}/books/?cursor=cD0yMDA%3D`, previous: null, results: [1, 2] })))
  t.strictSame(cursor.json(), { next_args: { cursor: 'cD0yMDA=' }, previous_args: null, results: [1, 2] })
  t.equal(cursor.notes, '2 are shown, and there are more. For more, call again with next_args as the arguments.')
  t.equal(shown(numbered, {}, answer(JSON.stringify({ links: { next: null }, data: [1], meta: { pagination: { count: 9 } } }))).notes, '1 of 9 are shown.', 'where JSON:API counts')
  t.equal(shown(numbered, {}, answer('{"items":[1,2],"count":9}')).notes, '2 of 9 are shown.', 'where there are no addresses')
  t.equal(shown(numbered, {}, answer('{"id":1,"items":[1,2],"total":250}')).notes, '', 'an order with its lines is no page')
  t.equal(shown(numbered, {}, page(null, null, [1], 1)).notes, '', 'a whole list needs no words')
  t.match(shown(numbered, { page_size: 1000 }, page(`${internal}/books/?page=2&page_size=1000`, null)).notes, /The API gives at most 1 at a time\.$/)
  const linked = shown(numbered, {}, answer(JSON.stringify({ links: { next: `${internal}/books/?page=2`, previous: null }, count: 3, data: [1] })))
  t.strictSame(linked.json(), { links: { next_args: { page: 2 }, previous_args: null }, count: 3, data: [1] })
  t.match(linked.notes, /^1 of 3 are shown\./)
  const unknown = shown(plain, {}, page(`${internal}/books/?page=2`, null))
  t.strictSame(unknown.json(), { count: 7, has_next: true, previous_args: null, results: [{ id: 1 }] })
  t.match(unknown.notes, /no argument gets them/)
  t.notMatch(JSON.stringify([first, second, cursor, linked, unknown].map(({ text, notes }) => text + notes)), /django-internal|http/)
  t.strictSame(shown(plain, {}, answer('{"next":"http://example.com/a","title":"x"}')).json(), { next: 'http://example.com/a', title: 'x' }, 'a field of that name is no page')
  t.end()
})

t.test('addresses on the API\'s own host lose the host, and others stay', (t) => {
  const value = {
    own: 'http://api.example.com/media/c.pdf?x=1', internal: `${internal}/media/d.pdf`, bare: 'http://localhost:8000', ip: 'http://10.0.0.5/x', v6: 'http://[::1]:8000/x', cluster: 'http://web.ns.svc/y',
    text: 'see http://api.example.com/a and https://www.example.com/b', other: 'https://www.example.com/c', mail: 'a@b', deep: [{ url: `${internal}/api/1/` }]
  }
  const { text, json } = shown(plain, {}, answer(JSON.stringify(value)), { hosts: ['api.example.com'] })
  t.strictSame(json(), {
    own: '/media/c.pdf?x=1', internal: '/media/d.pdf', bare: '/', ip: '/x', v6: '/x', cluster: '/y',
    text: 'see /a and https://www.example.com/b', other: 'https://www.example.com/c', mail: 'a@b', deep: [{ url: '/api/1/' }]
  })
  t.notMatch(text, /api\.example\.com|internal:|localhost|10\.0/)
  t.strictSame(shown(plain, {}, answer('{"a":"http:\\/\\/localhost\\/x"}')).json(), { a: '/x' })
  const list = { count: 2, next: 'https://shop.example/api/?page=2', previous: null, results: [{ image: 'https://shop.example/m.png', link: 'https://else.example/' }] }
  t.match(shown(numbered, {}, answer(JSON.stringify(list))).json(), { results: [{ image: '/m.png', link: 'https://else.example/' }] }, 'the host of the pages is the API\'s')
  t.equal(resultFor(plain, {}, answer('http://localhost/x is down', 'text/plain'), { hosts: ['localhost'] }), '/x is down')
  t.end()
})

t.test('an answer has the fields that are asked for', (t) => {
  const results = [{ id: 1, author: { name: 'a', born: 1 }, tags: [{ id: 1, label: 'x' }], text: 'long' }, { id: 2, author: null, tags: [], text: 'long' }]
  const list = answer(JSON.stringify({ count: 2, next: null, previous: null, results }))
  const projected = (fields: unknown): unknown => Object.assign({ results: undefined }, shown(numbered, { fields }, list).json()).results
  t.strictSame(projected(['id', 'author.name', 'tags.label']), [{ id: 1, author: { name: 'a' }, tags: [{ label: 'x' }] }, { id: 2, author: null, tags: [] }])
  t.strictSame(projected('id, text'), [{ id: 1, text: 'long' }, { id: 2, text: 'long' }])
  t.strictSame(projected(['results.id']), [{ id: 1 }, { id: 2 }])
  t.strictSame(projected(['author', 'author.name']), [{ author: { name: 'a', born: 1 } }, { author: null }])
  t.strictSame(projected(['results']), results)
  t.strictSame(projected([]), results)
  const wrong = shown(numbered, { fields: ['id', 'titl', 'author.nme'] }, answer(JSON.stringify({ count: 1, results: [{ id: 1, title: 'x', author: {} }] })))
  t.strictSame(wrong.json(), { count: 1, results: [{ id: 1, author: {} }] })
  t.equal(wrong.notes, 'Nothing has the fields titl, author.nme. Did you mean title?')
  t.match(shown(numbered, { fields: ['zzzzzz'] }, list).notes, 'Nothing has the field zzzzzz. There are id, author, tags, text.')
  t.equal(shown(numbered, { fields: ['id'] }, answer('{"count":0,"results":[]}')).notes, '')
  const fixed = tool('GET /books/{id}/', [], { fields: ['id', 'author.name'] })
  t.strictSame(shown(fixed, {}, answer('{"id":1,"author":{"name":"x","born":1},"text":"t"}')).json(), { id: 1, author: { name: 'x' } })
  t.strictSame(shown(fixed, {}, answer('[{"id":1,"text":"t"}]')).json(), [{ id: 1 }], 'of each in a list')
  t.end()
})

t.test('what lies deeper than sixteen levels is left out, not shortened', (t) => {
  const nested = (levels: number, open: string, close: string) => answer(`${open.repeat(levels)}"${'x'.repeat(20_000)}"${close.repeat(levels)}`)
  for (const [open, close] of [['[', ']'], ['{"a":', '}']] as const) {
    t.match(shown(plain, {}, nested(16, open, close), { maxBytes: 5_000 }).text, /x… \[\d+ more characters\]/)
    const { text, notes } = shown(plain, {}, nested(40, open, close), { maxBytes: 5_000 })
    t.equal(text, `${open.repeat(16)}${open.slice(0, 1)}${close.repeat(17)}`)
    t.match(notes, /\(0 of 1 (?:entries|fields)\)|first 0 of the 1/)
  }
  t.throws(() => shown(plain, {}, nested(101, '[', ']')), { kind: 'bad_response', message: /nested more than 100 levels/ })
  t.end()
})

t.test('an answer that is too long is cut along its structure, and says so', (t) => {
  const results = Array.from({ length: 100 }, (_, id) => ({ id, text: 'x'.repeat(1000) }))
  const list = answer(JSON.stringify({ count: 300, next: `${internal}/books/?page=2`, previous: null, results }))
  const sizes = (made: GeneratedTool, args: Record<string, unknown>): { json: Record<string, unknown>, kept: number, notes: string } => {
    const { text, json, notes } = shown(made, args, list, { maxBytes: 10_000 })
    t.ok(Buffer.byteLength(text) <= 10_100, `${Buffer.byteLength(text)} bytes`)
    const value: { results: unknown[] } = Object.assign({ results: [] }, json())
    return { json: { ...value }, kept: value.results.length, notes }
  }
  const pages = sizes(numbered, { page: 1 })
  t.equal(pages.kept, 9)
  t.match(pages.json, { count: 300, next_args: { page: 2, page_size: 9 } }, 'smaller pages go on where this one was cut')
  t.equal(pages.notes, '9 of 300 are shown. For more, call again with next_args as the arguments. The answer is too long to be shown whole: only the first 9 of the 100 entries that came are here. To get the rest, call again with next_args as the arguments, or name only the fields that you need in fields (id, text), or narrow it down with author.')
  const cursorPage = answer(JSON.stringify({ next: `${internal}/books/?cursor=x`, previous: null, results: Array.from({ length: 100 }, (_, id) => ({ id, text: 'x'.repeat(100) })) }))
  const unsized = tool('GET /books/', [bound('cursor', 'query')], { name: 'list_books', properties: { cursor: { type: 'string' } }, pagination: { style: 'cursor', arguments: { cursor: 'cursor' } } })
  t.match(shown(unsized, {}, cursorPage, { maxBytes: 1000 }).notes, /only the first \d+ of the 100 entries.* What next_args gets comes after all of these\.$/, 'a further page does not have what was left out')
  t.notMatch(pages.notes, 'comes after all')
  t.match(sizes(numbered, { page: 3 }).json, { next_args: { page: Math.floor(209 / 9) + 1, page_size: 9 } })
  t.match(sizes(windowed, { skip: 20 }).json, { next_args: { limit: 9, skip: 29 } })
  t.match(sizes(cursored, { cursor: 'c' }).json, { next_args: { cursor: 'c', page_size: 9 } })
  const unpaged = tool('GET /books/', [bound('author', 'query')])
  t.match(shown(unpaged, {}, answer(JSON.stringify(results)), { maxBytes: 10_000 }).notes, /only the first 9 of the 100 entries that came are here\. To get the rest, narrow it down with author\.$/)
  t.match(shown(plain, {}, answer(JSON.stringify(results)), { maxBytes: 10_000 }).notes, /There is no argument that gets the rest/)

  const one = shown(plain, {}, answer(JSON.stringify({ id: 1, body: 'ü\n'.repeat(20_000), lines: results, note: 'short' })), { maxBytes: 10_000 })
  t.match(one.json(), { id: 1, body: /^ü\nü\n.*… \[\d+ more characters\]$/s, lines: [{ id: 0 }], note: 'short' })
  t.ok(Buffer.byteLength(one.text) <= 10_000)
  t.match(one.notes, /^Shortened, because it is too long: body \(\d+ of 40000 characters\), lines \(4 of 100 entries\)\. There is no argument/)
  const huge = shown(numbered, {}, answer(JSON.stringify({ count: 1, results: [{ id: 1, body: 'y'.repeat(50_000) }] })), { maxBytes: 5_000 })
  t.match(huge.json(), { results: [{ id: 1, body: /more characters/ }] })
  t.match(huge.notes, /results\.0\.body .*Fewer fields, named in fields, leave more room for each/)
  const wide = shown(plain, {}, answer(JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, index])))), { maxBytes: 5_000 })
  t.ok(Buffer.byteLength(wide.text) <= 5_000)
  t.match(wide.notes, /the answer \(\d+ of 5000 fields\)/)
  t.match(shown(plain, {}, answer(JSON.stringify('z'.repeat(9000))), { maxBytes: 5_000 }).notes, /the answer \(\d+ of 9000 characters\)/)
  const ten = shown(plain, {}, answer(JSON.stringify(Array.from({ length: 100_000 }, (_, id) => ({ id, text: 'x'.repeat(80) })))))
  t.ok(Buffer.byteLength(ten.text) <= defaultMaxBytes, '10 MB')
  t.end()
})

t.test('an answer without content says that it is done', (t) => {
  t.equal(resultFor(plain, {}, answer('', '', 204)), '{"status":204,"ok":true}')
  t.equal(resultFor(plain, {}, answer('', 'application/json', 200)), '{"status":200,"ok":true}')
  t.end()
})

t.test('202 says where to look: a tool of ours, never an address', (t) => {
  const job = tool('GET /api/jobs/{id}/', [bound('id', 'path', {}, 'job_id'), bound('verbose', 'query')], { name: 'get_job', properties: { job_id: int, verbose: int } })
  const latest = tool('GET /api/jobs/latest/', [], { name: 'latest_job' })
  const locate = locator([job, latest, tool('POST /api/jobs/{id}/', [bound('id', 'path')], { name: 'restart_job' })], '/prefix')
  const start = tool('POST /api/jobs/', [], { readTool: 'list_jobs' })
  const at = (location: string, headers: Record<string, string> = {}): string => shown(start, {}, answer('{"state":"queued"}', 'application/json', 202, { location, ...headers }), { locate }).notes
  t.equal(at(`${internal}/api/jobs/7/?verbose=1#x`), 'The API has accepted this and works on it; the result is not there yet. Look with get_job with {"job_id":7,"verbose":1}.')
  t.match(at('/prefix/api/jobs/7', { 'retry-after': '5' }), /get_job with \{"job_id":7\}, not sooner than in 5 seconds\.$/)
  t.match(at('/api/jobs/latest/'), /Look with latest_job with \{\}\./)
  t.match(at(`${internal}/elsewhere/1/`), /Look with list_jobs\.$/)
  const several = tool('GET /api/many/{ids}/', [bound('ids', 'path', { style: 'matrix' })], { name: 'get_many' })
  t.match(shown(start, {}, answer('{}', 'application/json', 202, { location: '/api/many/;ids=1/' }), { locate: locator([several]) }).notes, /Look with list_jobs\.$/, 'what only a style can take apart is not guessed')
  t.match(at('/api/jobs/%E0%A4%A/'), /get_job with \{"job_id":"%E0%A4%A"\}/)
  t.match(shown(start, {}, answer('', '', 202), { isThere: () => false }).notes, /No tool is known/, 'one that is not there for the caller is not named')
  t.match(shown(plain, {}, answer('', '', 202)).notes, /No tool is known/)
  t.equal(shown(start, {}, answer('', '', 202)).text, '{"status":202,"ok":true}')
  t.equal(shown(start, {}, answer('', '', 201, { location: '/api/jobs/9/' }), { locate }).notes, 'It has been made; get_job with {"job_id":9} reads it.')
  t.equal(shown(start, {}, answer('{"id":9}', 'application/json', 201, { location: '/api/jobs/9/' }), { locate }).notes, '')
  t.end()
})

t.test('files and pages are described, texts are shown', (t) => {
  const pdf = shown(plain, {}, answer('%PDF', 'application/pdf', 200, { 'content-disposition': 'attachment; filename="../c \\"1\\".pdf"' }))
  t.strictSame(pdf.json(), { status: 200, content_type: 'application/pdf', bytes: 4, filename: 'c _1_.pdf' })
  t.equal(pdf.notes, 'The answer is a file, which is not shown.')
  t.match(shown(plain, {}, answer('x', 'image/png', 200, { 'content-disposition': "inline; filename*=UTF-8''%C3%BC.png" })).json(), { filename: 'ü.png' })
  t.match(shown(plain, {}, answer('x', 'image/png', 200, { 'content-disposition': "inline; filename*=UTF-8''%C3" })).json(), { bytes: 1, filename: undefined })
  const page = shown(plain, {}, answer('<html>SECRET</html>', 'text/html; charset=utf-8'))
  t.match(page.json(), { content_type: 'text/html; charset=utf-8', bytes: 19 })
  t.notMatch(page.text + page.notes, /SECRET|</)
  t.match(shown(plain, {}, answer('???', '')).json(), { content_type: 'unknown', bytes: 3 })
  t.equal(resultFor(plain, {}, answer('a,b\n1,2\n', 'text/csv')), 'a,b\n1,2\n')
  t.equal(resultFor(plain, {}, answer('<a/>', 'application/atom+xml')), '<a/>')
  t.equal(resultFor(plain, {}, answer(Buffer.from([0xfc]), 'text/plain; charset=latin1')), 'ü')
  t.equal(resultFor(plain, {}, answer('ü', 'text/plain; charset=nonsense')), 'ü')
  const long = shown(plain, {}, answer('a line\n'.repeat(1000), 'text/plain'), { maxBytes: 1000 })
  t.match(long.text, /^(?:a line\n)+a line$/)
  t.match(long.notes, /The first \d+ of 7000 characters are shown/)
  t.ok(shown(plain, {}, answer('ü'.repeat(1000), 'text/plain'), { maxBytes: 1001 }).text.match(/^ü{500}$/))
  t.end()
})

t.test('a tool with an output schema gives the same as a structure', (t) => {
  const structured = { ...numbered, outputSchema: { type: 'object' as const } }
  const give = (given: Answer): unknown => {
    const result = resultFor(structured, {}, given)
    return result instanceof WithContent ? result.structured : undefined
  }
  t.strictSame(give(answer('{"count":1,"next":null,"results":[{"id":9007199254740993}]}')), { count: 1, next_args: null, results: [{ id: 9007199254740992 }] })
  t.strictSame(give(answer('[1]')), { result: [1] })
  t.strictSame(give(answer('', '', 204)), { status: 204, ok: true })
  t.strictSame(give(answer('a', 'text/plain')), { status: 200, content_type: 'text/plain' })
  t.end()
})
