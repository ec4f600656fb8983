import { test } from 'tap'
import { compileInput } from '../../../plugins/catalog/arguments.ts'
import { requestFor } from '../../../plugins/openapi/call/request.ts'
import type { GeneratedTool } from '../../../plugins/openapi/generated.ts'
import { answers, documentWith, json, toolFor, toolOf } from './documents.ts'

const properties = ({ inputSchema }: GeneratedTool): Record<string, unknown> => inputSchema.properties ?? {}
const names = (tool: GeneratedTool): string[] => Object.keys(properties(tool))
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** Where each argument goes, in words. */
function places ({ bindings }: GeneratedTool): Record<string, string> {
  return Object.fromEntries(bindings.map(({ argument, place }) => [
    argument,
    place.kind === 'parameter' ? `${place.parameter.in} ${place.parameter.name}` : place.kind === 'property' ? `body ${place.property}` : place.kind
  ]))
}

test('path, query, header and the properties of the body are arguments side by side', async (t) => {
  const tool = toolFor({
    parameters: [
      { in: 'path', name: 'id', required: true, schema: { type: 'integer' } },
      { in: 'query', name: 'notify', schema: { type: 'boolean' } },
      { in: 'header', name: 'If-Match', schema: { type: 'string' } }
    ],
    ...json({ type: 'object', required: ['title', 'pk'], properties: { pk: { type: 'integer', readOnly: true }, title: { type: 'string' }, note: { type: 'string', nullable: true } } })
  }, { method: 'put', path: '/a/{id}/' })
  t.same(tool.inputSchema, {
    type: 'object',
    properties: { id: { type: 'integer' }, notify: { type: 'boolean' }, 'If-Match': { type: 'string' }, title: { type: 'string' }, note: { type: ['string', 'null'] } },
    required: ['id', 'title'],
    additionalProperties: false
  })
  t.same(places(tool), { id: 'path id', notify: 'query notify', 'If-Match': 'header If-Match', title: 'body title', note: 'body note' })
  t.equal(tool.bodyType, 'application/json')
})

test('names that are in several places each get the name of their place', async (t) => {
  const tool = toolFor({
    parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'integer' } }, { in: 'query', name: 'id', schema: { type: 'integer' } }],
    ...json({ type: 'object', properties: { id: { type: 'string' }, path_id: { type: 'string' } } })
  }, { method: 'post', path: '/a/{id}/' })
  t.match(places(tool), { query_id: 'query id', body_id: 'body id', path_id: 'body path_id' })
  t.same(Object.values(places(tool)).toSorted(), ['body id', 'body path_id', 'path id', 'query id'])
  t.equal(new Set(names(tool)).size, 4)
})

test('names that clients do not take are translated, and lead back to the exact name', async (t) => {
  const wire = ['filter[name__in]', 'größe', '名前', '__proto__', 'constructor', `${'x'.repeat(70)}[a]`, `${'x'.repeat(70)}[b]`, 'a b', 'ok.name-1']
  const tool = toolFor({ parameters: wire.map((name) => ({ in: 'query', name, schema: { type: 'string' } })) })
  for (const name of names(tool)) t.match(name, /^[a-zA-Z0-9_.-]{1,64}$/)
  t.same(Object.values(places(tool)), wire.map((name) => `query ${name}`))
  t.match(places(tool), { filter_name__in: 'query filter[name__in]', grosse: 'query größe', 'ok.name-1': 'query ok.name-1', constructor_: 'query constructor' })
})

test('properties within a value that clients do not take are told in words', async (t) => {
  const tool = toolFor(json({ type: 'object', properties: { settings: { type: 'object', properties: { '@type': { type: 'string' }, ok: { type: 'string' } }, required: ['@type', 'ok'] } } }), { method: 'post' })
  t.same(properties(tool).settings, { type: 'object', description: 'Also: @type.', properties: { ok: { type: 'string' } }, required: ['ok'] })
})

test('a partial change needs its path only, and is never told of defaults', async (t) => {
  const body = json({ type: 'object', required: ['title'], properties: { title: { type: 'string' }, public: { type: 'boolean', default: true } } }, { required: true })
  const parameters = [{ in: 'path', name: 'id', required: true, schema: { type: 'integer' } }]
  const patch = toolFor({ parameters, ...body }, { method: 'patch', path: '/a/{id}/' })
  t.same(patch.inputSchema.required, ['id'])
  t.same(properties(patch).public, { type: 'boolean' })
  const put = toolFor({ parameters, ...body }, { method: 'put', path: '/a/{id}/' })
  t.same(put.inputSchema.required, ['id', 'title'])
  t.same(properties(put).public, { type: 'boolean', description: 'Default: true.' }, 'a default is told, not sent')
})

test('bodies that are no object of known properties are one argument', async (t) => {
  for (const [schema, expected] of [
    [{ type: 'array', items: { type: 'integer' } }, { type: 'array', items: { type: 'integer' } }],
    [{ type: 'object', additionalProperties: { type: 'string' } }, { type: 'object', additionalProperties: { type: 'string' } }],
    [{ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true }, { type: 'object', properties: { a: { type: 'string' } } }],
    [{ oneOf: [{ type: 'object', properties: { a: {} } }, { type: 'object', properties: { b: {} } }] }, { anyOf: [{ type: 'object', properties: { a: {} } }, { type: 'object', properties: { b: {} } }] }],
    [{}, {}]
  ]) {
    const tool = toolFor(json(schema, { required: true }), { method: 'post' })
    t.same(properties(tool), { body: expected })
    t.same(places(tool), { body: 'body' })
    t.same(tool.inputSchema.required, ['body'])
  }
  t.same(toolFor(json({ type: 'array' }), { method: 'post' }).inputSchema.required, undefined)
})

test('JSON goes before forms, and a form is there for files', async (t) => {
  const schema = { type: 'object', required: ['name'], properties: { name: { type: 'string' }, document: { type: 'string', format: 'binary' }, pages: { type: 'array', items: { type: 'string', format: 'binary' } } } }
  const content = { 'multipart/form-data': { schema }, 'application/x-www-form-urlencoded': { schema }, 'application/json; version=2': { schema } }
  const tool = toolFor({ requestBody: { content } }, { method: 'post' })
  t.match(tool, { bodyType: 'application/json; version=2', fileBodyType: 'multipart/form-data', fileArguments: ['document', 'pages'] })
  t.match(tool.inputSchema.$defs, { 'File~': { anyOf: [{ type: 'object', required: ['filename', 'base64'] }, { type: 'string', format: 'uri' }] } })
  const only = toolFor({ requestBody: { content: { 'multipart/form-data': { schema } } } }, { method: 'post' })
  t.match(only, { bodyType: 'multipart/form-data', fileBodyType: undefined, fileArguments: ['document', 'pages'] })
  const withoutForm = toolFor(json(schema), { method: 'post' })
  t.match(withoutForm, { bodyType: 'application/json', fileBodyType: undefined, fileArguments: [] })
  t.equal(toolFor({ requestBody: { content: { 'application/json-patch+json': { schema: {} }, 'application/vnd.api+json': { schema: {} } } } }, { method: 'patch' }).bodyType, 'application/vnd.api+json')
  t.equal(toolFor({ requestBody: { content: { '*/*': { schema } } } }, { method: 'post' }).bodyType, 'application/json')
})

test('a file field that the document calls a URI is known by the form and its name', async (t) => {
  const schema = { type: 'object', properties: { avatar: { type: 'string', format: 'uri' }, homepage: { type: 'string', format: 'uri' }, logo_url: { type: 'string', format: 'uri', maxLength: 200 } } }
  const tool = toolFor({ requestBody: { content: { 'application/json': { schema }, 'multipart/form-data': { schema } } } }, { method: 'post' })
  t.same(tool.fileArguments, ['avatar'])
  t.same(toolFor(json(schema), { method: 'post' }).fileArguments, [])
})

test('raw bodies are a text or a file', async (t) => {
  const raw = toolFor({ requestBody: { required: true, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } } }, { method: 'put' })
  t.match(raw, { bodyType: 'application/octet-stream', fileArguments: ['body'] })
  const text = toolFor({ requestBody: { content: { 'text/plain': {} } } }, { method: 'put' })
  t.match(text, { bodyType: 'text/plain', fileArguments: [] })
  t.same(properties(text).body, { type: 'string', description: 'Sent as text/plain' })
})

test('a body of any type is JSON, unless it is a file, which has a type of its own', async (t) => {
  const bodyFor = (type: string, schema: unknown): GeneratedTool => toolFor({ requestBody: { content: { [type]: { schema } } } }, { method: 'post' })
  const file = { type: 'string', format: 'binary' }
  for (const type of ['*/*', 'image/*', 'application/*']) t.match(bodyFor(type, file), { bodyType: type, fileArguments: ['body'] }, type)
  for (const type of ['*/*', 'application/*']) t.match(bodyFor(type, { type: 'object', properties: { a: {} } }), { bodyType: 'application/json', fileArguments: [] }, type)
  for (const type of ['application/x-ndjson', 'application/yaml', 'application/sql']) t.match(bodyFor(type, { type: 'string' }), { bodyType: type, fileArguments: [] }, type)
})

test('a file that may be null can be taken away', async (t) => {
  const schema = { type: 'object', properties: { photo: { type: 'string', format: 'binary', nullable: true }, scan: { type: 'string', format: 'binary' }, pages: { type: 'array', nullable: true, items: { type: 'string', format: 'binary' } } } }
  const tool = toolFor({ requestBody: { content: { 'application/json': { schema }, 'multipart/form-data': { schema } } } }, { method: 'patch' })
  const { check } = compileInput(tool.inputSchema)
  t.same(check({ photo: null, pages: null }), { photo: null, pages: null })
  t.same(check({ photo: { filename: 'a.png', base64: 'AA==' } }), { photo: { filename: 'a.png', base64: 'AA==' } })
  t.throws(() => check({ scan: null }))
  t.match(requestFor(tool, { photo: null }), { headers: { 'content-type': 'application/json' }, body: '{"photo":null}' })
})

test('a default is told where it is a value that the field takes', async (t) => {
  const described = (schema: unknown): unknown => properties(toolFor(json({ type: 'object', properties: { field: schema } }), { method: 'post' })).field
  t.match(described({ type: 'integer', default: 3 }), { description: 'Default: 3.' })
  t.match(described({ type: 'number', default: 0 }), { description: 'Default: 0.' })
  t.match(described({ type: 'string', nullable: true, enum: ['a', null], default: 'a' }), { description: 'Default: a.' })
  for (const wrong of [{ type: 'integer', default: 'low' }, { type: 'integer', default: 1.5 }, { type: 'string', enum: ['a'], default: 'b' }, { type: 'boolean', default: 'yes' }]) t.match(described(wrong), { description: undefined }, JSON.stringify(wrong))
})

test('a parameter that can only be null is a text', async (t) => {
  for (const schema of [{ enum: [null], nullable: true }, { enum: [null] }]) {
    t.same(properties(toolFor({ parameters: [{ in: 'query', name: 'owner', description: 'Whose', schema }] })), { owner: { type: 'string', description: 'Whose' } })
  }
})

test('a list or an object in a path is never empty', async (t) => {
  const tool = toolFor({ parameters: [{ in: 'path', name: 'a', required: true, schema: { type: 'array', items: {} } }, { in: 'path', name: 'b', required: true, schema: { type: 'object', properties: { x: {} } } }] }, { path: '/{a}/{b}' })
  t.match(properties(tool), { a: { minItems: 1 }, b: { minProperties: 1 } })
})

test('what is not the model\'s to choose is no argument', async (t) => {
  const tool = toolFor({
    parameters: [
      { in: 'header', name: 'Authorization', required: true, schema: { type: 'string' } },
      { in: 'header', name: 'Accept', schema: { type: 'string' } },
      { in: 'header', name: 'X-Session-Token', schema: { type: 'string' } },
      { in: 'header', name: 'Accept-Crs', schema: { type: 'string', enum: ['EPSG:4326'] } },
      { in: 'header', name: 'Content-Crs', required: true, schema: { type: 'string', enum: ['EPSG:4326'] } },
      { in: 'header', name: 'X-Organization', schema: { type: 'string' } },
      { in: 'cookie', name: 'sessionid', schema: { type: 'string' } },
      { in: 'query', name: 'format', schema: { type: 'string', enum: ['json', 'csv'] } },
      { in: 'query', name: 'old', description: 'Deprecated alias of `new`.', schema: { type: 'string' } },
      { in: 'query', name: 'older', deprecated: true, schema: { type: 'string' } },
      { in: 'query', name: 'nullable', schema: { type: 'string', nullable: true, enum: ['a', null] } }
    ]
  })
  t.same(names(tool), ['X-Organization', 'nullable'])
  t.same(properties(tool).nullable, { type: 'string', enum: ['a'] }, 'null has no form in a query')
  t.match(tool.fixed, [{ place: { parameter: { name: 'Content-Crs' } }, value: 'EPSG:4326' }])
})

test('a format that is none of the renderer\'s is an argument', async (t) => {
  t.same(names(toolFor({ parameters: [{ in: 'query', name: 'format', required: true, schema: { type: 'string' } }] })), ['format'])
  t.same(names(toolFor({ parameters: [{ in: 'query', name: 'format', schema: { type: 'string', enum: ['mp3'] } }] })), ['format'])
})

test('actions lose the paging of the list whose filters they inherit', async (t) => {
  const parameters = [{ in: 'query', name: 'page', schema: { type: 'integer' } }, { in: 'query', name: 'status', schema: { type: 'string' } }]
  const thing = { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } } }
  t.same(names(toolFor({ parameters, ...answers(thing) })), ['status'])
  t.same(names(toolFor({ parameters, ...answers(thing) }, { method: 'post' })), ['status'])
  t.same(names(toolFor({ parameters, ...answers({ type: 'object', properties: { results: { type: 'array', items: thing } } }) })), ['page', 'status', 'fields'])
})

test('answers that are lists or large can be cut down to some fields', async (t) => {
  const many = { type: 'object', properties: Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`f${index}`, { type: 'string' }])) }
  t.same(places(toolFor(answers({ type: 'array', items: {} }))), { fields: 'fields' })
  t.same(places(toolFor(answers(many))), { fields: 'fields' })
  t.same(places(toolFor(answers({ type: 'object', properties: { a: {} } }))), {})
  t.same(places(toolFor({ ...answers(many), parameters: [{ in: 'query', name: 'fields', schema: { type: 'string' } }] })), { fields: 'query fields', answer_fields: 'fields' })
  t.same(places(toolFor(answers(many), { method: 'delete' })), {})
})

test('a list is known by what paginators call it', async (t) => {
  const page = (name: string, schema: unknown) => toolFor(answers({ type: 'object', properties: { count: { type: 'integer' }, [name]: schema } }))
  t.ok(names(page('items', { type: 'array', items: {} })).includes('fields'))
  t.notOk(names(page('items', { type: 'integer' })).includes('fields'))
  t.notOk(names(page('lines', { type: 'array', items: {} })).includes('fields'))
})

test('a search by POST can be cut down to some fields, what is made can not', async (t) => {
  const list = { type: 'array', items: { type: 'object', properties: { id: {} } } }
  t.ok(names(toolFor({ ...json({ type: 'object', properties: { q: {} } }), ...answers(list) }, { method: 'post' })).includes('fields'))
  t.notOk(names(toolFor({ ...json({ type: 'object', properties: { q: {} } }), ...answers(list, '201') }, { method: 'post' })).includes('fields'))
})

test('shared schemas are written out where they are used once or are small, and else are references', async (t) => {
  const components = { schemas: {
    Small: { type: 'object', properties: { a: { type: 'string' } } },
    Large: { type: 'object', properties: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`property_${index}`, { type: 'string' }])) },
    Tree: { type: 'object', properties: { name: { type: 'string', readOnly: true }, children: { type: 'array', items: ref('Tree') } } }
  } }
  const once = toolFor(json({ type: 'object', properties: { one: ref('Large'), small: ref('Small'), again: ref('Small') } }), { method: 'post', components })
  t.equal(once.inputSchema.$defs, undefined)
  t.match(properties(once), { one: components.schemas.Large, small: components.schemas.Small, again: components.schemas.Small })
  const twice = toolFor(json({ type: 'object', properties: { one: ref('Large'), two: ref('Large') } }), { method: 'post', components })
  t.match(twice.inputSchema, { properties: { one: { $ref: '#/$defs/Large' }, two: { $ref: '#/$defs/Large' } }, $defs: { Large: components.schemas.Large } })
  const tree = toolFor(json({ type: 'object', properties: { tree: ref('Tree') } }), { method: 'post', components })
  t.same(tree.inputSchema.properties, { tree: { $ref: '#/$defs/Tree' } })
  t.same(tree.inputSchema.$defs, { Tree: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/Tree' } } } } })
})

test('a tool is never larger than 8 KB, and what is cut is left open', async (t) => {
  const nested = (depth: number): unknown => depth === 0
    ? { type: 'string', description: 'Something that is told at length, again and again' }
    : { type: 'object', description: 'A level', properties: Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, nested(depth - 1)])) }
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`argument_${index}`, { type: 'string', description: 'One of many' }]))
  const giant = { type: 'object', properties: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`choice_${index}`, { type: 'string', enum: Array.from({ length: 40 }, (_, choice) => `choice ${choice}`) }])) }
  for (const schema of [nested(6), giant]) {
    const tool = toolFor(json(schema), { method: 'post' })
    t.ok(Buffer.byteLength(JSON.stringify(tool.inputSchema)) <= 7_200)
    t.ok(names(tool).length > 0)
  }
  const components = { schemas: { Deep: nested(5) } }
  const shared = toolFor(json({ type: 'object', properties: { one: ref('Deep'), two: ref('Deep') } }), { method: 'post', components })
  t.ok(Buffer.byteLength(JSON.stringify(shared.inputSchema)) <= 7_200)
  t.equal(names(toolFor(json({ type: 'object', properties: many }), { method: 'post' })).length, 400, 'arguments are never dropped')
})

test('descriptions say what the name does not, in at most 100 characters', async (t) => {
  const described = (name: string, description: string): unknown => {
    const { [name]: property } = properties(toolFor({ parameters: [{ in: 'query', name, description, schema: { type: 'string' } }] }))
    return typeof property === 'object' && property !== null && 'description' in property ? property.description : undefined
  }
  t.equal(described('id', 'A unique integer value identifying this book.'), undefined)
  t.equal(described('limit', 'Number of results to return per page. Use with `start`.'), undefined)
  t.equal(described('state', 'A simple equality filter for the state field'), undefined)
  t.equal(described('uid_asset', 'UID of the parent assets'), undefined)
  t.equal(described('state', 'Where the order is now'), 'Where the order is now')
  t.equal(described('ordering', 'Which field to use when ordering the results. Available: name.'), 'Field to order by; a leading "-" reverses. Available: name.')
  t.equal(described('x', 'word '.repeat(40)), `${'word '.repeat(20).trim()}…`)
})

test('a parameter of two operations is each one\'s own', async (t) => {
  const document = documentWith({
    '/a/{id}/': { parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'integer' } }, { in: 'query', name: 'q', schema: { type: 'string' } }], get: { parameters: [{ in: 'query', name: 'q', schema: { type: 'boolean' } }] }, delete: {} }
  })
  t.same(properties(toolOf('GET /a/{id}/', document)), { id: { type: 'integer' }, q: { type: 'boolean' } })
  t.same(properties(toolOf('DELETE /a/{id}/', document)), { id: { type: 'integer' }, q: { type: 'string' } })
})

test('the entries of a list in a query are never null', async (t) => {
  const schema = { type: 'array', items: { type: 'string', nullable: true, enum: ['n', 'p', null] } }
  t.same(properties(toolFor({ parameters: [{ in: 'query', name: 'kind', schema }] })), { kind: { type: 'array', items: { type: 'string', enum: ['n', 'p'] } } })
})
