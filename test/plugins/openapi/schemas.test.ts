import { test } from 'tap'
import { portablePattern } from '../../../plugins/openapi/read/pattern.ts'
import type { Raw } from '../../../plugins/openapi/read/records.ts'
import { Schemas } from '../../../plugins/openapi/read/schemas.ts'

function convert (raw: unknown, components: Raw = {}) {
  const warnings: string[] = []
  const schemas = new Schemas({ components: { schemas: components } }, (warning) => warnings.push(warning))
  const schema = schemas.convert(raw)
  return { schema, definitions: schemas.definitions, warnings }
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

test('words that only OpenAPI knows become JSON Schema', async (t) => {
  const same = (raw: unknown, expected: unknown): void => { t.same(convert(raw).schema, expected, JSON.stringify(raw)) }
  same({ type: 'string', nullable: true, example: 'x', xml: {}, externalDocs: {}, 'x-foo': 1, labels: 2 }, { type: ['string', 'null'] })
  same({ type: 'string', 'x-nullable': true }, { type: ['string', 'null'] })
  same({ type: ['array', null, null], items: { type: 'string' } }, { type: ['array', 'null'], items: { type: 'string' } })
  same({ type: 'number', minimum: -5, maximum: 5, exclusiveMinimum: true, exclusiveMaximum: false }, { type: 'number', exclusiveMinimum: -5, maximum: 5 })
  same({ type: 'number', exclusiveMinimum: 3 }, { type: 'number', exclusiveMinimum: 3 })
  same({ type: 'integer', format: 'int64', minimum: -(2 ** 63), maximum: 2 ** 63 }, { type: 'integer' })
  same({ type: 'integer', minimum: -2147483648, maximum: 2147483647 }, { type: 'integer' })
  same({ type: 'file' }, { type: 'string', format: 'binary' })
  same({ type: 'string', contentMediaType: 'application/octet-stream' }, { type: 'string', format: 'binary' })
  same({ type: 'string', contentEncoding: 'base64' }, { type: 'string', format: 'byte' })
  same({ const: 5 }, { type: 'integer', enum: [5] })
  same({ type: 'string', description: null, title: null, default: null }, { type: 'string' })
  same({ type: 'string', format: 'duration' }, { type: 'string', description: 'Written as "days hours:minutes:seconds".' })
  same({ type: 'any' }, {})
  same(true, {})
  same(null, {})
})

test('a type that is not told follows from the other words, which stay beside their own type only', async (t) => {
  const same = (raw: unknown, expected: unknown): void => { t.same(convert(raw).schema, expected, JSON.stringify(raw)) }
  same({ properties: { a: {} } }, { type: 'object', properties: { a: {} } })
  same({ items: {} }, { type: 'array', items: {} })
  same({ type: 'array' }, { type: 'array', items: {} })
  same({ minLength: 2 }, { type: 'string', minLength: 2 })
  same({ minimum: 2 }, { type: 'number', minimum: 2 })
  same({ type: 'string', minimum: 2, items: {}, properties: {} }, { type: 'string' })
  same({ type: 'integer', minLength: 1, pattern: 'x', uniqueItems: true }, { type: 'integer' })
  same({ type: 'object', required: ['a', 'b', 'b'], properties: { b: { type: 'string' } } }, { type: 'object', properties: { b: { type: 'string' } }, required: ['b'] })
  same({ type: ['integer', 'number', 'number'] }, { type: 'number' })
})

test('choices have no repetitions and the type of their values', async (t) => {
  const same = (raw: unknown, expected: unknown): void => { t.same(convert(raw).schema, expected, JSON.stringify(raw)) }
  same({ type: 'string', enum: ['a', 'a', 'b'], nullable: true }, { type: ['string', 'null'], enum: ['a', 'b', null] })
  same({ type: 'integer', enum: ['1', '2'] }, { type: 'string', enum: ['1', '2'] })
  same({ type: 'string', enum: ['a', 'b\u202E'] }, { type: 'string', enum: ['a'] })
  same({ type: 'string', enum: ['\u200B'] }, { type: 'string' })
  same({ enum: [1, 2.5], maxLength: 1 }, { type: 'number', enum: [1, 2.5] })
  same({ enum: ['lost', 'won', 'n/a'], description: 'How it ended\n\n* `lost` - Lost\n* `won` - Won\n* `n/a` - Not told' }, {
    type: 'string', enum: ['lost', 'won', 'n/a'], description: 'How it ended n/a: Not told'
  })
})

test('what drf-spectacular splits into several schemas is one again', async (t) => {
  const components = {
    Status: { enum: ['new', 'done'], type: 'string', description: 'Where it is' },
    Blank: { enum: [''] },
    Null: { enum: [null] },
    Client: { type: 'object', properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string' } }, required: ['id', 'name'] }
  }
  t.same(convert({ nullable: true, oneOf: [ref('Status'), ref('Blank'), ref('Null')] }, components).schema, {
    type: ['string', 'null'], enum: ['new', 'done', '', null], description: 'Where it is'
  })
  t.same(convert({ allOf: [ref('Status')], description: 'Mine', readOnly: true }, components).schema, {
    type: 'string', enum: ['new', 'done'], description: 'Mine', readOnly: true
  })
  const { schema, definitions } = convert({ allOf: [ref('Client')], nullable: true, description: 'Whose' }, components)
  t.same(schema, { description: 'Whose', anyOf: [{ $ref: '#/$defs/Client' }, { type: 'null' }] })
  t.same(definitions.Client, components.Client)
})

test('several parts that must all hold are one object', async (t) => {
  const components = { Base: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false } }
  t.same(convert({ allOf: [ref('Base'), { properties: { b: { type: 'integer' } }, required: ['b'] }], description: 'Both' }, components).schema, {
    type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['a', 'b'], description: 'Both'
  })
  t.same(convert({ allOf: [ref('Base'), { properties: { a: { description: 'Told here' } } }] }, components).schema, {
    type: 'object', properties: { a: { type: 'string', description: 'Told here' } }, required: ['a']
  })
  t.same(convert({ type: 'object', properties: { c: {} }, oneOf: [{ required: ['x'], properties: { x: {} } }, { required: ['y'], properties: { y: {} } }] }).schema, {
    type: 'object',
    properties: { c: {} },
    anyOf: [{ type: 'object', properties: { x: {} }, required: ['x'] }, { type: 'object', properties: { y: {} }, required: ['y'] }]
  })
  t.same(convert({ allOf: [{ type: 'string' }, { type: 'integer' }] }).schema, { type: 'string' }, 'what cannot be both is the first')
  t.same(convert({ allOf: [{ type: 'string' }, { maxLength: 5, type: 'string' }] }).schema, { maxLength: 5, type: 'string' })
})

test('what stands beside a reference or its parts narrows it', async (t) => {
  const components = { Base: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }, Size: { type: 'string', enum: ['s', 'm', 'l'] }, Node: { type: 'object', properties: { next: { $ref: '#/components/schemas/Node', properties: { b: {} } } } } }
  const both = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } }, required: ['b', 'a'] }
  const beside = { properties: { b: { type: 'integer' } }, required: ['b'] }
  t.same(convert({ ...ref('Base'), ...beside }, components).schema, both)
  t.same(convert({ allOf: [ref('Base')], ...beside }, components).schema, both, 'also where no type is told')
  t.same(convert({ allOf: [ref('Base'), { properties: { b: { type: 'integer' } } }], required: ['b'] }, components).schema, both)
  t.same(convert({ ...ref('Size'), enum: ['s'], description: 'Small' }, components).schema, { type: 'string', enum: ['s'], description: 'Small' })
  t.same(convert({ ...ref('Size'), type: 'string', example: 's' }, components).schema, { type: 'string', enum: ['s', 'm', 'l'] })
  t.same(convert({ anyOf: [{ type: 'integer' }, { type: 'string' }], minLength: 2 }).schema, { type: ['integer', 'string'] }, 'words about one type say nothing of the others')
  t.same(convert(ref('Node'), components).definitions.Node, { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } }, 'what contains itself has an end')
})

test('unions are as short as can be, and a value may fit more than one branch', async (t) => {
  const same = (raw: unknown, expected: unknown): void => { t.same(convert(raw).schema, expected, JSON.stringify(raw)) }
  same({ oneOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] }, { type: ['string', 'integer', 'null'] })
  same({ anyOf: [{ type: 'string', format: 'date' }, { type: 'string', format: 'date' }] }, { type: 'string', format: 'date' })
  same({ oneOf: [{ type: 'string' }, {}] }, {})
  same({ oneOf: [{ anyOf: [{ type: 'string', maxLength: 2 }, { type: 'integer', minimum: 1 }] }, { type: 'null' }] }, {
    anyOf: [{ type: 'string', maxLength: 2 }, { type: 'integer', minimum: 1 }, { type: 'null' }]
  })
  same({ anyOf: [{ type: 'null' }] }, { type: 'null' })
  same({ type: 'array', items: [{ type: 'string' }, { type: 'integer' }], minItems: 2 }, { type: 'array', minItems: 2, items: { type: ['string', 'integer'] } })
  same({ type: 'array', prefixItems: [{ type: 'string' }] }, { type: 'array', items: { type: 'string' } })
})

test('what tells the branches of a union apart is written into them', async (t) => {
  const components = {
    Cat: { type: 'object', properties: { kind: { type: 'string' }, lives: { type: 'integer' } } },
    Dog: { type: 'object', properties: { kind: { type: 'string', enum: ['dog'] } } }
  }
  const { schema } = convert({ oneOf: [ref('Cat'), ref('Dog')], discriminator: { propertyName: 'kind', mapping: { cat: '#/components/schemas/Cat', tom: 'Cat' } } }, components)
  t.same(schema, {
    anyOf: [
      { type: 'object', properties: { kind: { type: 'string', enum: ['cat', 'tom'] }, lives: { type: 'integer' } }, required: ['kind'] },
      { $ref: '#/$defs/Dog' }
    ]
  })
})

test('objects keep only the words about further properties that narrow them', async (t) => {
  const same = (raw: unknown, expected: unknown): void => { t.same(convert(raw).schema, expected, JSON.stringify(raw)) }
  same({ type: 'object', additionalProperties: {} }, { type: 'object' })
  same({ type: 'object', additionalProperties: true }, { type: 'object' })
  same({ type: 'object', additionalProperties: { type: 'integer' } }, { type: 'object', additionalProperties: { type: 'integer' } })
  same({ type: 'object', properties: { a: {} }, additionalProperties: true }, { type: 'object', properties: { a: {} }, additionalProperties: true })
  same({ type: 'object', properties: { a: {} }, additionalProperties: false }, { type: 'object', properties: { a: {} }, additionalProperties: false })
  same({ type: 'object', additionalProperties: false }, { type: 'object' })
  same({ type: 'object', patternProperties: { '^x': { type: 'string' } }, additionalProperties: false }, { type: 'object', additionalProperties: { type: 'string' } })
})

test('schemas that contain themselves end in references', async (t) => {
  const components = {
    Folder: { type: 'object', properties: { parent: ref('Folder'), files: { type: 'array', items: ref('File') } } },
    File: { type: 'object', properties: { folder: { allOf: [ref('Folder')], nullable: true } } }
  }
  const { schema, definitions, warnings } = convert(ref('Folder'), components)
  t.same(schema, { $ref: '#/$defs/Folder' })
  t.same(definitions.Folder, { type: 'object', properties: { parent: { $ref: '#/$defs/Folder' }, files: { type: 'array', items: { $ref: '#/$defs/File' } } } })
  t.same(definitions.File, { type: 'object', properties: { folder: { anyOf: [{ $ref: '#/$defs/Folder' }, { type: 'null' }] } } })
  t.same(warnings, [])
})

test('schemas that are nothing but themselves are left open, and the operator is told', async (t) => {
  const components = { Self: ref('Self'), A: ref('B'), B: ref('A'), Loop: { anyOf: [ref('Loop'), { type: 'string' }] }, Part: { allOf: [ref('Part'), { type: 'object', properties: { a: {} } }] } }
  for (const [name, expected] of [['Self', {}], ['A', {}], ['Loop', { type: 'string' }], ['Part', { type: 'object', properties: { a: {} } }]] as const) {
    const { definitions, warnings } = convert(ref(name), components)
    t.same(definitions[name], expected, name)
    t.match(warnings.join(), /consists of itself/, name)
  }
})

test('references lead nowhere but into the document', async (t) => {
  for (const [reference, message] of [
    ['https://example.com/schema.yaml#/X', /leads out of the document/],
    ['file:///etc/passwd', /leads out of the document/],
    ['other.yaml', /leads out of the document/],
    ['#/components/schemas/Nowhere', /leads to nothing/],
    ['#anchor', /not of the form/]
  ] as const) {
    const { schema, warnings } = convert({ $ref: reference, description: 'Told' })
    t.same(schema, { description: 'Told' })
    t.match(warnings.join(), message)
  }
  const { schema, definitions } = convert({ $ref: '#/components/schemas/A~1b%20c' }, { 'A/b c': { type: 'object', properties: { a: {} } } })
  t.same(schema, { $ref: `#/$defs/${Object.keys(definitions)[0]}` })
  t.match(Object.keys(definitions)[0], /^[\w.-]+$/)
})

test('patterns are those that every validator takes', async (t) => {
  t.equal(portablePattern(String.raw`^[a-zA-z0-9]{10}\-[a-z]`), '^[a-zA-z0-9]{10}-[a-z]')
  t.equal(portablePattern(String.raw`^(?P<year>\d+)\Z`), String.raw`^(\d+)$`)
  t.equal(portablePattern(String.raw`\A[\w\-]+\Z`), String.raw`^[\w\-]+$`)
  t.equal(portablePattern(String.raw`^\/a\@b$`), String.raw`^\/a@b$`)
  t.equal(portablePattern('('), undefined)
  t.equal(portablePattern('a'.repeat(201)), undefined)
})
