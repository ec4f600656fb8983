import { anything, assert, boolean, constantFrom, property as forAll } from 'fast-check'
import t from 'tap'
import { CallError } from '../../../../errors.ts'
import { requestFor } from '../../../../plugins/openapi/call/request.ts'
import type { GeneratedTool } from '../../../../plugins/openapi/generated.ts'
import type { ParameterStyle } from '../../../../plugins/openapi/operation.ts'
import { body, bound, parameter, property, response, tool, wholeBody } from './helper.ts'

/** Problems that a call is refused with, or undefined. */
function refusal (made: GeneratedTool, args: Record<string, unknown>): CallError | undefined {
  try {
    requestFor(made, args)
    return undefined
  } catch (error) {
    if (error instanceof CallError) return error
    throw error
  }
}

const list = ['blue', 'black', 'brown']
const object = { R: 100, G: 200, B: 150 }

t.test('parameters are written as the table of OpenAPI 3.1.1, "Style Examples", says', (t) => {
  const paths: Array<[ParameterStyle, boolean, unknown, string]> = [
    ['matrix', false, 'blue', ';color=blue'], ['matrix', false, list, ';color=blue,black,brown'], ['matrix', false, object, ';color=R,100,G,200,B,150'],
    ['matrix', true, 'blue', ';color=blue'], ['matrix', true, list, ';color=blue;color=black;color=brown'], ['matrix', true, object, ';R=100;G=200;B=150'],
    ['label', false, 'blue', '.blue'], ['label', false, list, '.blue,black,brown'], ['label', false, object, '.R,100,G,200,B,150'],
    ['label', true, 'blue', '.blue'], ['label', true, list, '.blue.black.brown'], ['label', true, object, '.R=100.G=200.B=150'],
    ['simple', false, 'blue', 'blue'], ['simple', false, list, 'blue,black,brown'], ['simple', false, object, 'R,100,G,200,B,150'],
    ['simple', true, 'blue', 'blue'], ['simple', true, list, 'blue,black,brown'], ['simple', true, object, 'R=100,G=200,B=150'],
    ['spaceDelimited', false, list, 'blue%20black%20brown'], ['pipeDelimited', false, list, 'blue%7Cblack%7Cbrown']
  ]
  for (const [style, explode, value, expected] of paths) {
    t.equal(requestFor(tool('GET /a/{color}/b', [bound('color', 'path', { style, explode })]), { color: value }).target, `/a/${expected}/b`, `${style} ${String(explode)} ${JSON.stringify(value)}`)
  }
  const queries: Array<[ParameterStyle, boolean, unknown, string]> = [
    ['form', true, '', '?color='], ['form', true, 'blue', '?color=blue'], ['form', true, list, '?color=blue&color=black&color=brown'], ['form', true, object, '?R=100&G=200&B=150'],
    ['form', false, '', '?color='], ['form', false, 'blue', '?color=blue'], ['form', false, list, '?color=blue,black,brown'], ['form', false, object, '?color=R,100,G,200,B,150'],
    ['spaceDelimited', false, list, '?color=blue%20black%20brown'], ['spaceDelimited', false, object, '?color=R%20100%20G%20200%20B%20150'],
    ['pipeDelimited', false, list, '?color=blue%7Cblack%7Cbrown'], ['pipeDelimited', false, object, '?color=R%7C100%7CG%7C200%7CB%7C150'],
    ['tabDelimited', false, list, '?color=blue%09black%09brown'],
    ['spaceDelimited', true, list, '?color=blue&color=black&color=brown'],
    ['deepObject', true, object, '?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
    ['deepObject', true, { a: { b: [1, 2], c: null, d: { e: true } } }, '?color%5Ba%5D%5Bb%5D=1&color%5Ba%5D%5Bb%5D=2&color%5Ba%5D%5Bd%5D%5Be%5D=true'],
    ['form', true, [], ''], ['form', false, [], ''], ['form', true, {}, ''], ['form', true, null, ''], ['form', true, ['a', null, 'b'], '?color=a&color=b'],
    ['form', true, { a: null, b: { c: 1 } }, '?b=%7B%22c%22%3A1%7D']
  ]
  for (const [style, explode, value, expected] of queries) {
    t.equal(requestFor(tool('GET /a/', [bound('color', 'query', { style, explode })]), { color: value }).target, `/a/${expected}`, `${style} ${String(explode)} ${JSON.stringify(value)}`)
  }
  t.end()
})

t.test('values are written as every server reads them', (t) => {
  const filtered = tool('GET /a/', [bound('q', 'query'), bound('slug__in', 'query', { explode: false }), bound('filter[x y]', 'query', {}, 'filter_x_y')])
  const cases: Array<[Record<string, unknown>, string]> = [
    [{ q: true }, '?q=true'], [{ q: false }, '?q=false'], [{ q: 0 }, '?q=0'], [{ q: 1.5 }, '?q=1.5'], [{ q: 1e21 }, '?q=1000000000000000000000'], [{ q: -0 }, '?q=0'],
    [{ q: "ä b+c&d=e#?/'(*)!" }, '?q=%C3%A4%20b%2Bc%26d%3De%23%3F%2F%27%28%2A%29%21'],
    [{ slug__in: ['a,b', 'c'] }, '?slug__in=a%2Cb,c'], [{ filter_x_y: 1 }, '?filter%5Bx%20y%5D=1'],
    [{ q: undefined }, ''], [{}, ''], [{ stranger: 1 }, '']
  ]
  for (const [args, expected] of cases) t.equal(requestFor(filtered, args).target, `/a/${expected}`)
  t.equal(requestFor(tool('GET /a/', [bound('q', 'query', { allowReserved: true })]), { q: 'a/b:c,d=e%20&f[g]#h+i' }).target, '/a/?q=a/b:c,d=e%20%26f%5Bg%5D%23h%2Bi')
  t.equal(requestFor(tool('GET /a/', [bound('q', 'query', { mediaType: 'application/json' })]), { q: { a: [1, null] } }).target, '/a/?q=%7B%22a%22%3A%5B1%2Cnull%5D%7D')
  t.equal(requestFor(tool('GET /a/', [bound('q', 'query', { mediaType: 'application/json' })]), { q: 'x' }).target, '/a/?q=%22x%22')
  t.equal(requestFor(tool('GET /a/', [bound('q', 'query', { mediaType: 'text/plain' })]), { q: 'x' }).target, '/a/?q=x')
  t.equal(requestFor(tool('GET /a/{q}', [bound('q', 'path', { mediaType: 'application/json' })]), { q: [1] }).target, '/a/%5B1%5D')
  t.end()
})

t.test('the path is the template\'s, byte for byte, with a value for each variable', (t) => {
  for (const path of ['/a', '/a/', '/a//b', '/a/b.json', '/a;v=1/', '/a/~x/@y/$z'] as const) t.equal(requestFor(tool(`GET ${path}`), {}).target, path)
  for (const path of ['/a/../b', '/a/%2e/', '/a?x=1'] as const) t.throws(() => requestFor(tool(`GET ${path}`), {}), TypeError, path)
  const nested = tool('GET /clients/{client_id}/contacts/{id}.{format}', [bound('id', 'path', {}, 'contact_id'), bound('client_id', 'path'), bound('format', 'path')])
  t.match(requestFor(nested, { client_id: 5, contact_id: 'ü', format: 'json' }), { method: 'GET', target: '/clients/5/contacts/%C3%BC.json', route: '/clients/{client_id}/contacts/{id}.{format}' })
  t.match(refusal(nested, { client_id: 5, format: 'json' }), { kind: 'invalid_input', problems: [{ path: 'contact_id', message: 'is required' }] })
  t.match(refusal(nested, { client_id: 5, contact_id: null, format: 'json' }), { problems: [{ path: 'contact_id', message: 'is required' }] })
  t.end()
})

t.test('[attack 42] [attack 43] [attack 44] no value changes which path is meant', (t) => {
  const made = tool('GET /books/{id}/pages/', [bound('id', 'path', {}, 'book_id')])
  for (const id of ['', '.', '..', 'a/b', '../x', '%2e%2e', '%2E', 'a%2fb', 'a\\b', '%5c', 'a\r\nb', '\0', '\u007f', '%00', '/', [], ['..'], '\ud800']) {
    t.match(refusal(made, { book_id: id }), { kind: 'invalid_input', problems: [{ path: 'book_id' }] }, JSON.stringify(id))
  }
  for (const id of ['?', '#', '?x=1', ';x', '%', '%25', '‥', '…', 'a b', '@', ':', '&']) {
    const { pathname, search, hash } = new URL(`http://h${requestFor(made, { book_id: id }).target}`)
    t.match([pathname, search, hash], [/^\/books\/[^/]+\/pages\/$/, '', ''], id)
  }
  assert(forAll(anything({ withDate: false }).filter((value) => value !== undefined), constantFrom<ParameterStyle>('simple', 'label', 'matrix', 'pipeDelimited'), boolean(), (value, style, explode) => {
    let target: string
    try {
      target = requestFor(tool('GET /books/{id}/pages/', [bound('id', 'path', { style, explode })]), { id: value }).target
    } catch (error) {
      return error instanceof CallError
    }
    const { pathname, search, hash } = new URL(`http://h${target}`)
    return pathname === target && search === '' && hash === '' && decodeURIComponent(pathname).split('/').length === 5 && pathname.split('/').length === 5
  }), { numRuns: 2000 })
  t.end()
})

t.test('only declared headers are sent, and none that is not the caller\'s to set', (t) => {
  const names = ['X-Tenant', 'Accept-Crs', 'Authorization', 'Cookie', 'Host', 'X-Correlation-ID', 'Connection', 'Transfer-Encoding', 'Content-Length', 'Content-Type', 'Accept', 'X-Forwarded-Host', 'X_Forwarded_For', 'X-HTTP-Method-Override', 'X-User', 'X_User', 'X-MCP-Assertion', 'Idempotency-Key', 'User-Agent', 'bad name', 'Proxy-Authorization']
  const made = tool('GET /a/', [...names.map((name) => bound(name, 'header')), bound('sessionid', 'cookie'), bound('csrftoken', 'cookie')])
  const { headers } = requestFor(made, { ...Object.fromEntries(names.map((name) => [name, 'x'])), sessionid: 's', csrftoken: 's' })
  t.strictSame(headers, { accept: 'application/json, */*;q=0.1', 'x-tenant': 'x', 'accept-crs': 'x' })
  t.equal(requestFor(tool('GET /a/', [bound('theme', 'cookie'), bound('size', 'cookie')]), { theme: 'a; sessionid=b', size: 5 }).headers.cookie, 'theme=a%3B%20sessionid%3Db; size=5')
  const one = tool('GET /a/', [bound('X-List', 'header', { explode: true }, 'x_list')])
  t.equal(requestFor(one, { x_list: ['a', 'b', 1] }).headers['x-list'], 'a,b,1')
  t.equal(requestFor(one, { x_list: { a: 1, b: 2 } }).headers['x-list'], 'a=1,b=2')
  t.equal(requestFor(one, { x_list: null }).headers['x-list'], undefined)
  for (const value of ['a\r\nb: c', 'ä', '\0']) t.match(refusal(one, { x_list: value }), { kind: 'invalid_input', problems: [{ path: 'x_list' }] }, '[attack 47]')
  t.end()
})

t.test('what is accepted is what the document names, and JSON, and then anything', (t) => {
  const accepts = (...types: string[]): string | undefined => requestFor(tool('GET /a/', [], { responses: [response('200', types), response('404', ['application/problem+json'])] }), {}).headers.accept
  t.equal(accepts('application/json'), 'application/json, application/problem+json, */*;q=0.1')
  t.equal(accepts('application/vnd.cvat+json'), 'application/vnd.cvat+json, application/problem+json, application/json, */*;q=0.1')
  t.equal(accepts('application/json; version=2'), 'application/json; version=2, application/problem+json, application/json, */*;q=0.1')
  t.equal(accepts('application/xml', 'application/json'), 'application/json, application/problem+json, application/xml;q=0.5, */*;q=0.1')
  t.equal(requestFor(tool('GET /a/', [], { responses: [response('200', ['application/pdf', 'text/plain'])] }), {}).headers.accept, 'application/pdf, text/plain, application/json, */*;q=0.1')
  t.equal(requestFor(tool('GET /a/'), {}).headers.accept, 'application/json, */*;q=0.1')
  t.end()
})

t.test('a JSON body has what is given and nothing else: null is a value', (t) => {
  const make = (method: 'POST' | 'PATCH' | 'DELETE', type = 'application/json', required = false): GeneratedTool =>
    tool(`${method} /a/{id}/`, [bound('id', 'path', {}, 'path_id'), property('id', 'body_id'), property('name')], { body: body([type], { required }) })
  t.match(requestFor(make('PATCH'), { path_id: 1, body_id: 2, name: null }), { method: 'PATCH', target: '/a/1/', headers: { 'content-type': 'application/json' }, body: '{"id":2,"name":null}' })
  t.equal(requestFor(make('POST', 'application/json; version=2'), { path_id: 1, name: 'x' }).headers['content-type'], 'application/json; version=2')
  t.match(requestFor(make('POST', 'application/vnd.x+json'), { path_id: 1, name: 'x' }), { headers: { 'content-type': 'application/vnd.x+json' }, body: '{"name":"x"}' })
  t.match(requestFor(make('PATCH'), { path_id: 1 }), { body: undefined, headers: { 'content-type': undefined } })
  t.equal(requestFor(make('POST', 'application/json', true), { path_id: 1 }).body, '{}')
  t.equal(requestFor(make('DELETE'), { path_id: 1, name: 'x' }).body, '{"name":"x"}')
  const whole = tool('POST /a/', [wholeBody], { body: body(['application/json']) })
  for (const value of [[1, null], 'text', null, { a: 1 }, 5]) t.equal(requestFor(whole, { body: value }).body, JSON.stringify(value))
  t.equal(requestFor(tool('GET /a/', [property('x')], { body: body(['application/json']) }), { x: 1 }).body, undefined, 'GET has no body')
  t.equal(requestFor(tool('POST /a/', [property('blob')], { body: body(['application/json']) }), { blob: { base64: 'no file' } }).body, '{"blob":{"base64":"no file"}}', 'an object that looks like a file')
  t.equal(requestFor(tool('POST /a/', [property('__proto__', 'x')], { body: body(['application/json']) }), { x: { y: 1 } }).body, '{"__proto__":{"y":1}}')
  t.end()
})

t.test('what the overlay fixes is sent, and nothing that a caller says changes it', (t) => {
  const made = tool('POST /a/', [bound('q', 'query'), property('kind')], {
    body: body(['application/json']),
    fixed: [{ place: { kind: 'parameter', parameter: parameter('tenant', 'query') }, value: 7 }, { place: { kind: 'property', property: 'kind' }, value: 'note' }]
  })
  t.match(requestFor(made, { q: 1, kind: 'other', tenant: 8 }), { target: '/a/?q=1&tenant=7', body: '{"kind":"note"}' })
  t.end()
})

t.test('numbers that have lost digits on their way are refused where they name something', (t) => {
  const made = tool('GET /a/{id}/', [bound('id', 'path'), bound('min', 'query')], { properties: { id: { type: ['integer', 'null'] }, min: { type: 'number' } } })
  t.match(refusal(made, { id: 2 ** 53 }), { kind: 'invalid_input', problems: [{ path: 'id', message: /2\^53/ }] })
  t.equal(requestFor(made, { id: Number.MAX_SAFE_INTEGER, min: 1e300 }).target.startsWith('/a/9007199254740991/?min=1000'), true)
  t.end()
})

t.test('lost digits are found wherever an integer is meant', (t) => {
  const lost = 2 ** 53 + 2
  const made = tool('POST /a/', [bound('ids', 'query'), property('items'), property('by_name'), property('free'), property('tree')], {
    body: body(['application/json']),
    inputSchema: {
      type: 'object',
      properties: {
        ids: { type: 'array', items: { type: 'integer' } },
        items: { type: 'array', items: { anyOf: [{ type: 'null' }, { type: 'object', properties: { id: { type: ['integer', 'null'] }, price: { type: 'number' } } }] } },
        by_name: { type: 'object', additionalProperties: { type: 'integer' } },
        free: {},
        tree: { $ref: '#/$defs/Tree' }
      },
      $defs: { Tree: { type: 'object', properties: { id: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/Tree' } } } } }
    }
  })
  for (const [args, path] of [
    [{ ids: [1, lost] }, 'ids.1'],
    [{ items: [null, { id: lost }] }, 'items.1.id'],
    [{ by_name: { a: lost } }, 'by_name.a'],
    [{ tree: { children: [{ children: [{ id: -lost }] }] } }, 'tree.children.0.children.0.id']
  ] as const) t.match(refusal(made, args), { kind: 'invalid_input', problems: [{ path, message: /2\^53/ }] }, path)
  t.equal(refusal(made, { ids: [1], items: [{ id: 7, price: 1e300 }], free: { id: lost }, tree: {} }), undefined)
  t.end()
})

t.test('a form is written as forms are', (t) => {
  const made = tool('POST /a/', ['name', 'tags', 'address', 'flag', 'none', 'ids'].map((name) => property(name)), {
    body: body(['application/x-www-form-urlencoded'], { encoding: { ids: { style: 'form', explode: false } } })
  })
  t.match(requestFor(made, { name: 'a b&c', tags: ['x', 'y'], address: { city: 'ü' }, flag: false, none: null, ids: [1, 2] }), {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'name=a%20b%26c&tags=x&tags=y&address=%7B%22city%22%3A%22%C3%BC%22%7D&flag=false&none=&ids=1,2'
  })
  const whole = tool('POST /a/', [wholeBody], { body: body(['application/x-www-form-urlencoded']) })
  t.equal(requestFor(whole, { body: { a: 1, b: 'x' } }).body, 'a=1&b=x')
  t.match(refusal(whole, { body: [1] }), { kind: 'invalid_input', problems: [{ path: 'body' }] })
  t.end()
})

const file = (content: string, parts: Record<string, unknown> = {}) => ({ filename: 'x.txt', mime_type: 'text/plain', base64: Buffer.from(content).toString('base64'), ...parts })

/** An upload whose type is JSON unless a file is given. */
function upload (method: 'POST' | 'PATCH' = 'POST', types: [string, string] | [string] = ['application/json', 'multipart/form-data']): GeneratedTool {
  return tool(`${method} /a/`, ['title', 'document', 'signed', 'active', 'maybe', 'meta', 'tags'].map((name) => property(name)), {
    body: body(types, { encoding: { meta: { contentType: 'application/json' } } }),
    fileBodyType: types[1],
    fileArguments: ['document'],
    properties: { signed: { type: 'boolean' }, active: { type: 'boolean', default: true }, maybe: { type: ['boolean', 'null'] } }
  })
}

t.test('a file makes it a form with parts, in which every boolean is named', (t) => {
  const { headers, body: sent } = requestFor(upload(), { title: 'ü', document: file('content', { filename: 'ö "1".txt' }), meta: [1], tags: ['a', 'b'] })
  t.equal(headers['content-type'], 'multipart/form-data; boundary=part-of-a-form')
  t.equal(Buffer.from(sent ?? '').toString(), [
    '--part-of-a-form', 'Content-Disposition: form-data; name="title"', '', 'ü',
    '--part-of-a-form', 'Content-Disposition: form-data; name="document"; filename="ö _1_.txt"', 'Content-Type: text/plain', '', 'content',
    '--part-of-a-form', 'Content-Disposition: form-data; name="meta"', 'Content-Type: application/json', '', '[1]',
    '--part-of-a-form', 'Content-Disposition: form-data; name="tags"', '', 'a',
    '--part-of-a-form', 'Content-Disposition: form-data; name="tags"', '', 'b',
    '--part-of-a-form', 'Content-Disposition: form-data; name="signed"', '', 'false',
    '--part-of-a-form', 'Content-Disposition: form-data; name="active"', '', 'true',
    '--part-of-a-form--', ''
  ].join('\r\n'))
  t.match(requestFor(upload(), { title: 'x', document: null }), { headers: { 'content-type': 'application/json' }, body: '{"title":"x","document":null}' }, 'without a file it is JSON')
  t.notMatch(Buffer.from(requestFor(upload('PATCH'), { document: file('x') }).body ?? '').toString(), 'signed', 'a PATCH names what it changes')
  t.match(Buffer.from(requestFor(upload('POST', ['multipart/form-data']), { title: 'x', signed: null }).body ?? '').toString(), /name="signed"\r\n\r\n\r\n/, 'the sole type is used without a file; null is empty')
  t.match(requestFor(upload(), { document: file('a part-of-a-form b') }).headers['content-type'], /part-of-a-form-1$/, 'the boundary is in no part')
  const documented = tool('POST /a/', [property('title'), property('public'), property('ids')], {
    body: { required: true, description: '', content: new Map([['multipart/form-data', { schema: { type: 'object', properties: { public: { type: 'boolean', default: true } } }, encoding: { ids: { style: 'form', explode: false } } }]]) },
    properties: { public: { type: 'boolean', description: 'Default: true.' } }
  })
  const text = Buffer.from(requestFor(documented, { title: 'x', ids: [1, 2] }).body ?? '').toString()
  t.match(text, /name="public"\r\n\r\ntrue\r\n/, 'the default is the document\'s')
  t.match(text, /name="ids"\r\n\r\n1,2\r\n/, 'a list is one text where the document says so')
  const many = tool('POST /a/', [property('files')], { body: body(['multipart/form-data']), fileArguments: ['files'] })
  t.equal(Buffer.from(requestFor(many, { files: [file('a'), file('b')] }).body ?? '').toString().match(/name="files"; filename=/g)?.length, 2)
  t.match(requestFor(upload('POST', ['application/json']), { document: file('x') }).body, `{"document":"${Buffer.from('x').toString('base64')}"}`, 'where there is no form, JSON has the content')
  const parts = requestFor(tool('POST /a/', [property('o')], { body: body(['multipart/form-data']) }), { o: { a: 1 } }).body
  t.match(Buffer.from(parts ?? '').toString(), /name="o"\r\nContent-Type: application\/json\r\n\r\n\{"a":1\}/)
  t.end()
})

t.test('in a form, a list for what may be anything is JSON, as a JSONField takes it', (t) => {
  const properties = { open: { description: 'Any' }, list: { type: 'array', items: {} } }
  const form = (type: string): GeneratedTool => tool('POST /a/', [property('open'), property('list')], { body: body([type]), properties })
  const args = { open: ['x', 1], list: ['x', 1] }
  t.match(requestFor(form('application/x-www-form-urlencoded'), args), { body: 'open=%5B%22x%22%2C1%5D&list=x&list=1' })
  t.match(String(requestFor(form('multipart/form-data'), args).body), /name="open"\r\nContent-Type: application\/json\r\n\r\n\["x",1\]\r\n[^]*name="list"\r\n\r\nx\r\n[^]*name="list"\r\n\r\n1\r\n/)
  t.match(requestFor(form('application/json'), args), { body: '{"open":["x",1],"list":["x",1]}' })
  t.end()
})

t.test('[attack 83] the names and types of files are made safe, and their content is checked', (t) => {
  const sentAs = (filename: string): string | undefined => /filename="([^"\r\n]*)"/.exec(Buffer.from(requestFor(upload(), { document: file('x', { filename }) }).body ?? '').toString())?.[1]
  const names: Array<[string, string]> = [
    ['a.pdf', 'a.pdf'], ['../../etc/passwd', 'passwd'], ['C:\\x\\y.doc', 'y.doc'], ['a\r\nX: y.txt', 'a_X_ y.txt'], ['', 'file'], ['..', 'file'], ['.htaccess', 'htaccess'],
    ['x"; name="y', 'x_; name=_y'], ['a\u202etxt.exe', 'atxt.exe'], [`${'ü'.repeat(300)}.pdf`, `${'ü'.repeat(125)}.pdf`], ['日本.txt', '日本.txt']
  ]
  for (const [given, expected] of names) t.equal(sentAs(given), expected, JSON.stringify(given))
  const wrong: Array<[unknown, string]> = [
    [file('x', { base64: 'not base64!' }), 'document.base64'], [file('x', { base64: 'A' }), 'document.base64'], [file('x', { base64: 5 }), 'document'],
    [file('x', { mime_type: 'text/plain\r\nX: y' }), 'document.mime_type'], [file('x', { mime_type: 'text' }), 'document.mime_type'], [file('x', { filename: 5 }), 'document.filename']
  ]
  for (const [value, path] of wrong) t.match(refusal(upload(), { document: value }), { kind: 'invalid_input', problems: [{ path }] })
  t.match(refusal(upload(), { document: file('', { base64: 'A'.repeat(14_000_000) }) }), { problems: [{ path: 'document', message: /10 MiB/ }] }, '[attack 83]')
  const two = tool('POST /a/', [property('a'), property('b')], { body: body(['multipart/form-data']), fileArguments: ['a', 'b'] })
  t.match(refusal(two, { a: file('', { base64: 'A'.repeat(8_000_000) }), b: file('', { base64: 'A'.repeat(8_000_000) }) }), { problems: [{ path: 'b', message: /together/ }] })
  t.end()
})

t.test('a body that is no object is sent as the media type says', (t) => {
  const raw = (type: string): GeneratedTool => tool('POST /a/', [wholeBody], { body: body([type]), fileArguments: ['body'] })
  t.match(requestFor(raw('application/octet-stream'), { body: file('x') }), { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from('x') })
  t.match(requestFor(raw('image/*'), { body: file('x', { mime_type: 'image/png' }) }), { headers: { 'content-type': 'image/png' } })
  const images = tool('POST /a/', [wholeBody], { body: body(['image/png', 'image/jpeg']), fileArguments: ['body'] })
  t.match(requestFor(images, { body: file('x', { mime_type: 'image/jpeg' }) }), { headers: { 'content-type': 'image/jpeg' } }, 'of several types, the one of the file')
  t.match(requestFor(images, { body: file('x', { mime_type: 'image/gif' }) }), { headers: { 'content-type': 'image/png' } })
  t.match(requestFor(raw('text/csv'), { body: 'a,b' }), { headers: { 'content-type': 'text/csv' }, body: 'a,b' })
  t.match(requestFor(raw('*/*'), { body: { a: 1 } }), { headers: { 'content-type': 'text/plain' }, body: '{"a":1}' })
  t.end()
})
