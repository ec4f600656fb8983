import t from 'tap'
import { OpenApiDocument } from '../../rubric/oracle/document.ts'
import { readOperations, type WireOperation } from '../../rubric/oracle/operations.ts'
import { partsOf } from '../../rubric/oracle/multipart.ts'
import { compare } from '../../rubric/oracle/request.ts'
import { headerText, pairsOf, pathText } from '../../rubric/oracle/serialize.ts'
import { File, type SeenRequest, type Values } from '../../rubric/oracle/values.ts'

function parameter (place: WireOperation['parameters'][number]['in'], style: string, explode: boolean, parts: object = {}): WireOperation['parameters'][number] {
  return { name: 'color', in: place, required: true, description: '', deprecated: false, schema: {}, style, explode, allowReserved: false, mediaType: undefined, ...parts }
}

const list = ['blue', 'black', 'brown']
const object = { R: 100, G: 200, B: 150 }

t.test('the oracle writes the table "Style Examples" of OpenAPI 3.1.1', async (t) => {
  const paths: Array<[style: string, explode: boolean, value: unknown, text: string]> = [
    ['matrix', false, '', ';color'], ['matrix', false, 'blue', ';color=blue'], ['matrix', false, list, ';color=blue,black,brown'], ['matrix', false, object, ';color=R,100,G,200,B,150'],
    ['matrix', true, '', ';color'], ['matrix', true, 'blue', ';color=blue'], ['matrix', true, list, ';color=blue;color=black;color=brown'], ['matrix', true, object, ';R=100;G=200;B=150'],
    ['label', false, '', '.'], ['label', false, 'blue', '.blue'], ['label', false, list, '.blue,black,brown'], ['label', false, object, '.R,100,G,200,B,150'],
    ['label', true, '', '.'], ['label', true, 'blue', '.blue'], ['label', true, list, '.blue.black.brown'], ['label', true, object, '.R=100.G=200.B=150'],
    ['simple', false, '', ''], ['simple', false, 'blue', 'blue'], ['simple', false, list, 'blue,black,brown'], ['simple', false, object, 'R,100,G,200,B,150'],
    ['simple', true, 'blue', 'blue'], ['simple', true, list, 'blue,black,brown'], ['simple', true, object, 'R=100,G=200,B=150']
  ]
  for (const [style, explode, value, text] of paths) t.equal(pathText(parameter('path', style, explode), value), text, `${style} ${explode} ${JSON.stringify(value)}`)
  const queries: Array<[style: string, explode: boolean, value: unknown, text: string]> = [
    ['form', false, '', 'color='], ['form', false, 'blue', 'color=blue'], ['form', false, list, 'color=blue,black,brown'], ['form', false, object, 'color=R,100,G,200,B,150'],
    ['form', true, '', 'color='], ['form', true, 'blue', 'color=blue'], ['form', true, list, 'color=blue&color=black&color=brown'], ['form', true, object, 'R=100&G=200&B=150'],
    ['spaceDelimited', false, list, 'color=blue%20black%20brown'], ['spaceDelimited', false, object, 'color=R%20100%20G%20200%20B%20150'],
    ['pipeDelimited', false, list, 'color=blue%7Cblack%7Cbrown'], ['pipeDelimited', false, object, 'color=R%7C100%7CG%7C200%7CB%7C150'],
    ['deepObject', true, object, 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
    ['form', true, [], ''], ['form', true, null, ''], ['form', true, true, 'color=true'], ['form', true, 'a b&c=ä', 'color=a%20b%26c%3D%C3%A4']
  ]
  for (const [style, explode, value, text] of queries) {
    t.equal(pairsOf(parameter('query', style, explode), value).map((pair) => pair.join('=')).join('&'), text, `${style} ${explode} ${JSON.stringify(value)}`)
  }
  t.equal(headerText(parameter('header', 'simple', false), object), 'R,100,G,200,B,150')
  t.equal(headerText(parameter('header', 'simple', true), object), 'R=100,G=200,B=150')
  t.equal(headerText(parameter('header', 'simple', false), 'EPSG:4326'), 'EPSG:4326')
})

const document = new OpenApiDocument({
  openapi: '3.0.3',
  paths: {
    '/things/{id}/': {
      parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }],
      put: {
        parameters: [
          { in: 'query', name: 'tags', explode: false, schema: { type: 'array', items: { type: 'string' } } },
          { in: 'query', name: 'live', schema: { type: 'boolean' } },
          { in: 'header', name: 'X-Tenant', schema: { type: 'string' } },
          { in: 'header', name: 'Accept', schema: { type: 'string' } }
        ],
        requestBody: { required: true, content: { 'application/json; version=2': { schema: { $ref: '#/components/schemas/Thing' } }, 'multipart/form-data': { schema: { $ref: '#/components/schemas/Thing' } } } }
      }
    }
  },
  components: {
    schemas: {
      Thing: { type: 'object', properties: { name: { type: 'string', nullable: true }, public: { type: 'boolean', default: true }, scan: { type: 'string', format: 'binary' }, meta: { type: 'object' } } }
    }
  }
})
const [operation] = readOperations(document).operations

function valuesFor (parameters: Readonly<Record<string, unknown>>, properties: Readonly<Record<string, unknown>>): Values {
  return {
    parameters: new Map(operation?.parameters.filter(({ name }) => Object.hasOwn(parameters, name)).map((entry) => [entry, parameters[entry.name]])),
    properties: new Map(Object.entries(properties)),
    body: undefined
  }
}

function differences (values: Values, seen: SeenRequest): string[] {
  if (operation === undefined) throw new Error('the document has no operation')
  const { head, headers, body } = compare(document, operation, values, seen)
  return [...head, ...headers, ...body]
}

t.test('the oracle takes the one right request, however it is escaped, and no other', async (t) => {
  const values = valuesFor({ id: 'a/ü', tags: ['x,y', 'z'], live: true, 'X-Tenant': 'acme' }, { name: null })
  const right = { method: 'PUT', target: '/things/a%2F%C3%BC/?tags=x%2Cy,z&live=true', headers: { 'content-type': 'application/json; version=2', 'x-tenant': 'acme', host: 'h' }, body: Buffer.from('{"name":null}') }
  t.strictSame(differences(values, right), [])
  for (const target of ['/things/a%2f%c3%bc/?live=true&tags=x%2cy,z', '/things/%61%2F%C3%BC/?tags=x%2Cy,z&live=true']) t.strictSame(differences(values, { ...right, target }), [], target)
  const wrong: Array<[defect: string, request: Partial<SeenRequest>]> = [
    ['another method', { method: 'PATCH' }],
    ['no slash at the end', { target: '/things/a%2F%C3%BC?tags=x%2Cy,z&live=true' }],
    ['an escape twice', { target: '/things/a%252F%C3%BC/?tags=x%2Cy,z&live=true' }],
    ['no escape', { target: '/things/a/%C3%BC/?tags=x%2Cy,z&live=true' }],
    ['a comma that separates', { target: '/things/a%2F%C3%BC/?tags=x,y,z&live=true' }],
    ['a list that is repeated', { target: '/things/a%2F%C3%BC/?tags=x%2Cy&tags=z&live=true' }],
    ['a list in another order', { target: '/things/a%2F%C3%BC/?tags=z,x%2Cy&live=true' }],
    ['a name with brackets', { target: '/things/a%2F%C3%BC/?tags%5B%5D=x%2Cy,z&live=true' }],
    ['a boolean of Python', { target: '/things/a%2F%C3%BC/?tags=x%2Cy,z&live=True' }],
    ['a parameter too few', { target: '/things/a%2F%C3%BC/?tags=x%2Cy,z' }],
    ['a parameter too many', { target: '/things/a%2F%C3%BC/?tags=x%2Cy,z&live=true&page=1' }],
    ['a header too few', { headers: { 'content-type': 'application/json; version=2' } }],
    ['another value of a header', { headers: { ...right.headers, 'x-tenant': 'other' } }],
    ['a header too many', { headers: { ...right.headers, 'x-other': '1' } }],
    ['a cookie too many', { headers: { ...right.headers, cookie: 'a=b' } }],
    ['a type without its version', { headers: { ...right.headers, 'content-type': 'application/json' } }],
    ['a form in the place of JSON', { headers: { ...right.headers, 'content-type': 'multipart/form-data; boundary=x' }, body: Buffer.from('--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\r\n--x--\r\n') }],
    ['null left out', { body: Buffer.from('{}') }],
    ['a property too many', { body: Buffer.from('{"name":null,"public":true}') }],
    ['no body', { body: Buffer.from('') }]
  ]
  for (const [defect, request] of wrong) t.not(differences(values, { ...right, ...request }).length, 0, defect)
})

t.test('the oracle looks into the parts of a form', async (t) => {
  const scan = new File({ filename: 'a.png', type: 'image/png', bytes: Buffer.from([0, 13, 10, 255]) })
  const values = valuesFor({ id: '1' }, { name: 'ü', scan, meta: { a: 1 } })
  const part = (head: string, content: string | Buffer): Buffer => Buffer.concat([Buffer.from(`--b\r\n${head}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')])
  const name = part('Content-Disposition: form-data; name="name"', 'ü')
  const file = part('Content-Disposition: form-data; name="scan"; filename="a.png"\r\nContent-Type: image/png', scan.bytes)
  const meta = part('Content-Disposition: form-data; name="meta"\r\nContent-Type: application/json', '{ "a": 1 }')
  const flag = part('Content-Disposition: form-data; name="public"', 'true')
  const request = (...parts: Buffer[]): SeenRequest => ({ method: 'PUT', target: '/things/1/', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: Buffer.concat([...parts, Buffer.from('--b--\r\n')]) })
  t.strictSame(differences(values, request(name, file, meta, flag)), [])
  const wrong: Array<[defect: string, parts: Buffer[]]> = [
    ['a boolean left out', [name, file, meta]],
    ['false for a default of true', [name, file, meta, part('Content-Disposition: form-data; name="public"', 'false')]],
    ['a part too few', [name, meta, flag]],
    ['a part twice', [name, name, file, meta, flag]],
    ['a part too many', [name, file, meta, flag, part('Content-Disposition: form-data; name="other"', '')]],
    ['another file name', [name, part('Content-Disposition: form-data; name="scan"; filename="b.png"\r\nContent-Type: image/png', scan.bytes), meta, flag]],
    ['another type of the file', [name, part('Content-Disposition: form-data; name="scan"; filename="a.png"', scan.bytes), meta, flag]],
    ['other bytes', [name, part('Content-Disposition: form-data; name="scan"; filename="a.png"\r\nContent-Type: image/png', 'x'), meta, flag]],
    ['an object that is not called JSON', [name, file, part('Content-Disposition: form-data; name="meta"', '{"a":1}'), flag]],
    ['another text', [part('Content-Disposition: form-data; name="name"', 'u'), file, meta, flag]]
  ]
  for (const [defect, parts] of wrong) t.not(differences(values, request(...parts)).length, 0, defect)
  t.type(partsOf('multipart/form-data', Buffer.from('')), 'string')
  t.type(partsOf('multipart/form-data; boundary=b', Buffer.from('--b\r\nX: y\r\n\r\n\r\n')), 'string', 'no last boundary')
  t.type(partsOf('multipart/form-data; boundary=b', Buffer.from('--c--\r\n')), 'string', 'another boundary')
})

t.test('a Swagger 2.0 document has its base path, its forms and its collections', async (t) => {
  const { operations } = readOperations(new OpenApiDocument({
    swagger: '2.0',
    basePath: '/api/',
    consumes: ['application/json'],
    paths: {
      '/a/': {
        parameters: [{ in: 'query', name: 'q', type: 'array', items: { type: 'string' }, collectionFormat: 'pipes' }],
        get: {},
        post: { parameters: [{ in: 'formData', name: 'f', type: 'file', required: true }, { in: 'query', name: 'q', type: 'array', collectionFormat: 'multi' }] },
        put: { parameters: [{ in: 'body', name: 'data', schema: { type: 'object' } }] }
      }
    }
  }))
  t.strictSame(operations.map(({ key, bodies }) => [key, [...bodies.keys()]]), [['GET /api/a/', []], ['PUT /api/a/', ['application/json']], ['POST /api/a/', ['multipart/form-data']]])
  t.match(operations[0]?.parameters, [{ style: 'pipeDelimited', explode: false }])
  t.match(operations[2]?.parameters, [{ style: 'form', explode: true }])
})
