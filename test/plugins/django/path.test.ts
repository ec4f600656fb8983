import * as fc from 'fast-check'
import t from 'tap'
import { CallError } from '../../../errors.ts'
import { fillPath, queryString } from '../../../plugins/django/path.ts'

const origin = 'http://django:8000'

/** Texts that look like they could break out, beside any others. */
const nasty = fc.array(fc.constantFrom('.', '..', '/', '\\', '%', '2f', '2F', '5c', '2e', '252e', '00', ';', '?', '#', '&', '=', '@', ':', '\u0000', '\r\n', ' ', '+', '\u2025', '\uff0e', '\u2215', '\ud800', '\u202e', 'ä', '😀', 'a', '1', 'delete'), { maxLength: 6 }).map((parts) => parts.join(''))
const value = fc.oneof(nasty, fc.string({ unit: 'binary' }), fc.integer())
const fixed = fc.constantFrom('api', 'v1', 'clients', 'a-b', 'x.json', '...')
const segment = fc.oneof(fixed, fc.constant('{a}'), fc.constant('{b}'), fc.constant('{a}.{b}'), fc.constant('v{a}'))
const template = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join('/')}/`)

/** The path as WSGI gives it to Django: decoded once, before it is split. */
function asDjangoSees (path: string): string[] {
  return decodeURIComponent(path).split('/')
}

t.test('[attack 42] [attack 43] [attack 44] [requirement 24] [requirement 25] whatever a value is, the path stays within its template', async (t) => {
  let filled = 0
  fc.assert(fc.property(template, value, value, (template, a, b) => {
    let path: string
    try {
      path = fillPath(template, { a, b })
    } catch (error) {
      if (error instanceof CallError && error.kind === 'invalid_input' && ['a', 'b'].includes(error.problems[0]?.path ?? '')) return
      throw error
    }
    filled += 1
    const url = new URL(`${origin}${path}`)
    const wanted = template.replaceAll('{a}', String(a)).replaceAll('{b}', () => String(b))
    const expected = template.split('/').map((part) => part.replace(/\{([ab])\}/g, (_match, name) => String(name === 'a' ? a : b)))
    if (url.origin !== origin || url.search !== '' || url.hash !== '' || url.username !== '') throw new Error(`${url.href} leaves ${wanted}`)
    // A URL parser must not change it, and Django must see exactly the segments that were meant.
    if (url.pathname !== path) throw new Error(`${path} becomes ${url.pathname}`)
    if (JSON.stringify(asDjangoSees(path)) !== JSON.stringify(expected)) throw new Error(`${path} is seen as ${JSON.stringify(asDjangoSees(path))}`)
    if (asDjangoSees(path).some((part) => part === '.' || part === '..')) throw new Error(`${path} climbs`)
  }), { numRuns: 20_000 })
  t.ok(filled > 1000, 'not everything is refused')
})

t.test('[attack 42] [attack 43] [attack 44] values that are refused, and values that are only encoded', async (t) => {
  for (const bad of ['', '.', '..', '5/delete', '5%2Fdelete', '5%2fdelete', 'a\\b', 'a%5cb', '%2e%2e', '%2E', 'a\u0000', 'a%00', 'a\nb', '\u007f', '\ud800', 'a/..', '../x']) {
    t.throws(() => fillPath('/clients/{id}/', { id: bad }), CallError, JSON.stringify(bad))
  }
  for (const [text, encoded] of [['a;x=1', 'a%3Bx%3D1'], ['a?b=c', 'a%3Fb%3Dc'], ['a#b', 'a%23b'], ['%252e', '%25252e'], ['\u2025', '%E2%80%A5'], ['a b', 'a%20b'], ['a&b', 'a%26b'], ['...', '...'], ['é', '%C3%A9']] as const) {
    t.equal(fillPath('/clients/{id}/', { id: text }), `/clients/${encoded}/`)
  }
})

t.test('[requirement 25] a template that leads somewhere else is none', async (t) => {
  for (const bad of ['', 'clients/', 'http://evil.example/', '@evil.example/', '/a/../b/', '/..', '/./a', '/a\\b', '/a?b=c', '/a#b', '/a b', '/a%2fb', '/%2e%2e/a', '/a\n', '/a\u0000']) {
    t.throws(() => fillPath(bad), TypeError, JSON.stringify(bad))
  }
  for (const good of ['/', '/a/', '/a/b.json', '/a-b_c~d/%20/', '//a', '/a/...']) t.equal(fillPath(good), good)
})

const queryValue = fc.oneof(nasty, fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.array(fc.oneof(nasty, fc.integer())))

t.test('[attack 45] [requirement 26] a query has the parameters that were given and no others, whatever is in their values', async (t) => {
  fc.assert(fc.property(fc.dictionary(fc.oneof(nasty, fc.string({ minLength: 1 })), queryValue), (query) => {
    const expected = Object.entries(query).flatMap(([name, value]) => value === undefined ? [] : Array.isArray(value) ? value.map((entry) => [name, String(entry)]) : [[name, value === null ? '' : String(value)]])
      // What has no encoding is written as the replacement character.
      .map(([name = '', value = '']) => [name.toWellFormed(), value.toWellFormed()])
    const url = new URL(`${origin}/a/?${queryString(query)}`)
    if (url.pathname !== '/a/' || url.hash !== '') throw new Error(url.href)
    if (JSON.stringify([...url.searchParams]) !== JSON.stringify(expected)) throw new Error(`${url.search} is ${JSON.stringify([...url.searchParams])}`)
  }), { numRuns: 5_000 })
  t.equal(queryString({ page: '1&is_staff=1', status__in: 'a,b#c' }), 'page=1%26is_staff%3D1&status__in=a%2Cb%23c')
})
