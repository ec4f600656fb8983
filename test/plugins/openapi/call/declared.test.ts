import t from 'tap'
import { CallError } from '../../../../errors.ts'
import { declared } from '../../../../plugins/openapi/call/declared.ts'
import type { Schema } from '../../../../plugins/openapi/operation.ts'
import { generatedTool } from '../helper.ts'

const integer = { type: 'integer' }

/** A tool with one argument that is a property of its body. */
function toolWith (schema: Schema, definitions: Readonly<Record<string, Schema>> = {}) {
  const tool = generatedTool('POST /x/', { bodyType: 'application/json', bindings: [{ argument: 'a', place: { kind: 'property', property: 'a_wire' } }, { argument: 'other', place: { kind: 'fields' } }] })
  const body = { required: true, description: '', content: new Map([['application/json', { schema: { type: 'object', properties: { a_wire: schema } }, encoding: {} }]]) }
  return { ...tool, operation: { ...tool.operation, body, definitions } }
}

/** What is given, or the paths that are refused. */
function refused (give: () => unknown): unknown {
  try {
    return give()
  } catch (error) {
    if (!(error instanceof CallError) || error.kind !== 'invalid_input') throw error
    return error.problems.map(({ path }) => path)
  }
}

/** What of a value is sent, or the paths that are refused. */
function sent (schema: Schema, value: unknown, definitions: Readonly<Record<string, Schema>> = {}): unknown {
  return refused(() => declared(toolWith(schema, definitions), { a: value, other: ['kept'] }).a)
}

const closed = { type: 'object', properties: { n: integer, id: { type: 'integer', readOnly: true } } }

t.test('[attack 46] [requirement 26] within a value only declared fields are taken, and what is only for reading is left out', (t) => {
  t.strictSame(sent(closed, { n: 1 }), { n: 1 })
  t.strictSame(sent(closed, { n: 1, id: 5 }), { n: 1 })
  t.strictSame(sent(closed, { n: 1, evil: 5, worse: {} }), ['a.evil', 'a.worse'])
  t.strictSame(sent({ ...closed, additionalProperties: false }, { evil: 5 }), ['a.evil'])
  t.strictSame(sent({ type: 'array', items: closed }, [{ n: 1, id: 2 }, { evil: 1 }]), ['a.1.evil'])
  t.strictSame(sent({ type: 'array', items: closed }, [{ n: 1, id: 2 }, { n: 2 }]), [{ n: 1 }, { n: 2 }])
  t.strictSame(sent({ type: 'object', properties: { deep: { type: 'array', items: { $ref: '#/$defs/Item' } } } }, { deep: [{ n: 1, evil: 1 }] }, { Item: closed }), ['a.deep.0.evil'])
  t.strictSame(sent(closed, { constructor: 1 }), ['a.constructor'], 'names that every object inherits are not declared')
  t.end()
})

t.test('what the document leaves open stays so', (t) => {
  for (const schema of [{}, { type: 'object' }, { type: ['object', 'null'] }, { ...closed, additionalProperties: true }, { type: 'array' }]) {
    for (const value of [{ anything: { deep: [1] } }, [{ x: 1 }], 'text', 1, null]) t.strictSame(sent(schema, value), value, JSON.stringify(schema))
  }
  t.strictSame(sent({ type: 'object', additionalProperties: closed }, { any: { n: 1, id: 2 } }), { any: { n: 1 } })
  t.strictSame(sent({ type: 'object', additionalProperties: closed }, { any: { evil: 2 } }), ['a.any.evil'])
  t.end()
})

t.test('of a union the branch counts that knows most of a value', (t) => {
  const union = { anyOf: [{ type: 'string' }, { $ref: '#/$defs/Cat' }, { type: 'object', properties: { bark: integer } }, { type: 'array', items: closed }, { type: 'null' }] }
  const definitions = { Cat: { type: 'object', properties: { meow: integer, claws: closed } } }
  t.strictSame(sent(union, { bark: 1 }, definitions), { bark: 1 })
  t.strictSame(sent(union, { meow: 1, claws: { n: 1, id: 2 } }, definitions), { meow: 1, claws: { n: 1 } })
  t.strictSame(sent(union, { meow: 1, bark: 1 }, definitions), ['a.bark'], 'none knows both; a text knows nothing')
  t.strictSame(sent(union, [{ n: 1, evil: 1 }], definitions), ['a.0.evil'])
  t.strictSame(sent({ properties: { kind: { type: 'string' } }, anyOf: union.anyOf }, { kind: 'x', bark: 1 }, definitions), { kind: 'x', bark: 1 }, 'what stands beside it holds for every branch')
  t.strictSame(sent({ $ref: '#/$defs/Round' }, { n: 1, next: { next: { evil: 1 } } }, { Round: { anyOf: [{ $ref: '#/$defs/Round' }, { type: 'object', properties: { n: integer, next: { $ref: '#/$defs/Round' } } }] } }), ['a.next.next.evil'], 'one that holds itself says nothing more')
  t.end()
})

t.test('parameters and bodies that are no objects are looked into likewise', (t) => {
  const parameter = { name: 'filter', in: 'query', required: false, description: '', schema: closed, style: 'deepObject', explode: true, allowReserved: false, mediaType: undefined } as const
  const tool = generatedTool('GET /x/', { bindings: [{ argument: 'filter', place: { kind: 'parameter', parameter } }] })
  t.strictSame(refused(() => declared(tool, { filter: { is_staff: 1 } })), ['filter.is_staff'])
  const inPath = generatedTool('GET /x/{filter}/', { bindings: [{ argument: 'filter', place: { kind: 'parameter', parameter: { ...parameter, in: 'path' } } }] })
  t.strictSame(declared(inPath, { filter: { is_staff: 1 } }), { filter: { is_staff: 1 } }, 'a variable of a path is one text')
  const list = { ...toolWith({}), bindings: [{ argument: 'body', place: { kind: 'body' as const } }] }
  const body = { required: true, description: '', content: new Map([['application/json', { schema: { type: 'array', items: closed }, encoding: {} }]]) }
  t.strictSame(refused(() => declared({ ...list, operation: { ...list.operation, body } }, { body: [{ evil: 1 }] })), ['body.0.evil'])
  t.strictSame(declared({ ...list, fileArguments: ['body'] }, { body: { filename: 'a', base64: '' } }), { body: { filename: 'a', base64: '' } }, 'a file is none of the document\'s objects')
  t.strictSame(declared({ ...list, operation: { ...list.operation, body: undefined } }, { body: { a: 1 } }), { body: { a: 1 } })
  t.end()
})
