import t from 'tap'
import { CallError } from '../../../errors.ts'
import { compileInput } from '../../../plugins/catalog/arguments.ts'

/** What is told of arguments, a line for each problem. */
function problems (schema: Record<string, unknown>, args: unknown): string[] {
  try {
    compileInput({ type: 'object', ...schema }, 'when called').check(args)
    return []
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

const circle = { type: 'object', properties: { kind: { type: 'string', enum: ['circle'] }, r: { type: 'number' }, inner: { $ref: '#/$defs/Shape' } }, required: ['kind', 'r'] }
const square = { type: 'object', properties: { kind: { $ref: '#/$defs/Square%20kind' }, w: { type: 'integer' } }, required: ['kind', 'w'] }
const shapes = {
  properties: { body: { $ref: '#/$defs/Shape' } },
  $defs: { Shape: { anyOf: [{ $ref: '#/$defs/Circle' }, { $ref: '#/$defs/Square' }] }, Circle: circle, Square: square, 'Square kind': { enum: ['square'] } }
}

t.test('of several forms, only the one that was meant is told about', async (t) => {
  const nullable = { properties: { owner: { anyOf: [{ type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }, { type: 'null' }] } } }
  t.same(problems(nullable, { owner: { nme: 'x' } }), ['owner.name is required'])
  t.same(problems(nullable, { owner: { name: 5 } }), ['owner.name must be string'])
  t.same(problems(nullable, { owner: 5 }), ['owner must be object or null'])
  t.same(problems(nullable, { owner: null }), [])
  t.same(problems(shapes, { body: { kind: 'circle', w: 1 } }), ['body.r is required'])
  t.same(problems(shapes, { body: { kind: 'square', w: 1.5 } }), ['body.w must be integer'])
  t.same(problems(shapes, { body: { kind: 'circel', r: 1 } }), ['body.kind must be one of "circle", "square"; did you mean "circle"?'])
  t.same(problems(shapes, { body: { kind: 'circle', r: 1, inner: { kind: 'square' } } }), ['body.inner.w is required'], 'also of forms within each other')
  t.same(problems(shapes, { body: 'circle' }), ['body must be object'])
})

t.test('where several forms may have been meant, what they miss is told once', async (t) => {
  t.same(problems(shapes, { body: {} }), ['body.kind is required', 'body.r is required', 'body.w is required', 'body is none of the forms that it can have'])
})

t.test('what else is wrong stays, and references that lead elsewhere are left alone', async (t) => {
  t.same(problems({ ...shapes, required: ['id'] }, { body: { kind: 'circle' } }).toSorted(), ['body.r is required', 'id is required'])
  const odd = { properties: { a: { anyOf: [{ $ref: '#/$defs/%E0%A4%A' }, { type: 'null' }] } }, $defs: { '%E0%A4%A': { type: 'string' } } }
  t.throws(() => problems(odd, { a: 5 }))
})

t.test('a field of an object that is given beside it is told where it belongs', async (t) => {
  t.same(problems(shapes, { kind: 'circle', w: 1, x: 2 }), [
    'kind is not an argument of this tool; it belongs into body', 'w is not an argument of this tool; it belongs into body', 'x is not an argument of this tool'
  ])
})

t.test('a number is a multiple of a decimal where everybody would say so', async (t) => {
  const price = { properties: { price: { type: 'number', multipleOf: 0.01 } } }
  t.same(problems(price, { price: 0.07 }), [])
  t.same(problems(price, { price: 1234567.89 }), [])
  t.same(problems(price, { price: 0.075 }), ['price must be multiple of 0.01'])
})
