import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { SourceError, sourceOf } from '../../../plugins/openapi/source.ts'
import { apiKey, djangoStub, json, type Handler } from '../../helper.ts'
import { withDjango } from '../django/helper.ts'

const { signal } = new AbortController()

async function places (t: Test, handle: Handler) {
  const { client, stub } = await withDjango(t, handle, { maxRetries: 0, maxResponseBytes: 1000 })
  return { stub, places: { django: client, djangoUrl: stub.url } }
}

/** The `SourceError` that a fetch rejects with. */
async function failure (fetching: Promise<unknown>): Promise<SourceError> {
  try {
    await fetching
  } catch (error) {
    if (error instanceof SourceError) return error
    throw error
  }
  throw new Error('it did not fail')
}

t.test('a path is asked of Django, with the key, and JSON before YAML', async (t) => {
  const { stub, places: at } = await places(t, (_request, response) => { json(response, 200, { openapi: '3.0.3' }, { etag: '"v1"' }) })
  const source = sourceOf('/api/schema/?lang=de', at)
  t.equal(source.name, '/api/schema/ of Django')
  t.strictSame(await source.fetch(undefined, signal), { text: '{"openapi":"3.0.3"}', etag: '"v1"' })
  t.match(stub.requests, [{ method: 'GET', url: '/api/schema/?lang=de', headers: { authorization: `Api-Key ${apiKey}`, accept: /^application\/vnd\.oai\.openapi\+json, application\/json, \*\/\*/ } }])
  t.notOk(stub.requests[0]?.headers['if-none-match'])
})

t.test('a newer document is asked for by the tag of the one there is', async (t) => {
  const { stub, places: at } = await places(t, (_request, response) => { response.writeHead(304).end() })
  t.equal(await sourceOf('/api/schema/', at).fetch('"v1"', signal), 'unchanged')
  t.equal(stub.requests[0]?.headers['if-none-match'], '"v1"')
})

t.test('a URL below that of Django gets the key, any other one does not', async (t) => {
  const { stub, places: at } = await places(t, (_request, response) => { json(response, 200, {}) })
  const other = await djangoStub(t, (_request, response) => { json(response, 200, {}, { etag: '"o"' }) })
  await sourceOf(`${stub.url}/api/schema/`, at).fetch(undefined, signal)
  t.equal(stub.requests[0]?.headers.authorization, `Api-Key ${apiKey}`)
  const source = sourceOf(`${other.url}/schema.json?token=hunter2`, at)
  t.equal(source.name, `${other.url}/schema.json`)
  t.strictSame(await source.fetch('"x"', signal), { text: '{}', etag: '"o"' })
  t.equal(other.requests[0]?.headers.authorization, undefined)
  t.equal(other.requests[0]?.headers['if-none-match'], '"x"')
  t.equal(sourceOf('http://django.invalid/schema/', { ...at, djangoUrl: 'http://django' }).name, 'http://django.invalid/schema/', 'a host whose name only begins like Django\'s')
})

t.test('redirects are not followed, neither on Django nor elsewhere', async (t) => {
  const target = await djangoStub(t, (_request, response) => { json(response, 200, {}) })
  const redirect: Handler = (_request, response) => { response.writeHead(302, { location: `${target.url}/stolen/` }).end() }
  const { places: at } = await places(t, redirect)
  const elsewhere = await djangoStub(t, redirect)
  for (const place of ['/api/schema/', `${elsewhere.url}/schema/`]) {
    t.match(await failure(sourceOf(place, at).fetch(undefined, signal)), { message: /there is a redirect \(302\), which is not followed/, transient: false })
  }
  t.equal(target.requests.length, 0)
})

t.test('what may pass by itself is told from what will not', async (t) => {
  let status = 200
  const { places: at } = await places(t, (_request, response) => { json(response, status, {}) })
  for (const [given, transient, words] of [[503, true, 'the answer is 503'], [429, true, '429'], [403, false, 'it is refused to this service (403)'], [404, false, 'there is nothing (404)'], [204, false, 'the answer is 204']] as const) {
    status = given
    t.match(await failure(sourceOf('/api/schema/', at).fetch(undefined, signal)), { transient, message: words }, String(given))
  }
  t.match(await failure(sourceOf('http://127.0.0.1:9/', at).fetch(undefined, signal)), { transient: true, message: /cannot be reached/ })
  t.match(await failure(sourceOf('/api/schema/', at).fetch(undefined, AbortSignal.abort())), { transient: true, message: /no answer in time/ })
})

t.test('a document that is too large is cut off', async (t) => {
  const { places: at } = await places(t, (_request, response) => { json(response, 200, 'x'.repeat(2000)) })
  t.match(await failure(sourceOf('/api/schema/', at).fetch(undefined, signal)), { transient: false, message: /too large/ })
})

t.test('a file is read by its path or URL, with or without a slash', async (t) => {
  const { stub, places: at } = await places(t, (_request, response) => { json(response, 404, {}) })
  const folder = t.testdir({ 'schema.yml': 'openapi: 3.0.3' })
  const path = join(folder, 'schema.yml')
  for (const place of [path, pathToFileURL(path).href]) t.strictSame(await sourceOf(place, at).fetch(undefined, signal), { text: 'openapi: 3.0.3', etag: undefined }, place)
  t.equal(stub.requests.length, 0)
  t.match(await failure(sourceOf('no/such.yml', at).fetch(undefined, signal)), { transient: false, message: 'no/such.yml: there is no such file' })
  t.match(await failure(sourceOf(pathToFileURL(folder).href, at).fetch(undefined, signal)), { message: /it is a folder/ })
  t.match(await failure(sourceOf(`${path}.no`, at).fetch(undefined, signal)), { message: /of Django: there is nothing/ }, 'a path that is no file is one of Django\'s')
})
