import Fastify from 'fastify'
import t, { type Test } from 'tap'
import catalog from '../../../../plugins/catalog/index.ts'
import django from '../../../../plugins/django/index.ts'
import openapi, { type OpenapiOptions } from '../../../../plugins/openapi/index.ts'
import { apiKey, callError, djangoStub, json } from '../../../helper.ts'
import { context } from '../helper.ts'

const ok = { 200: { description: 'ok' } }
const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } }
const document = {
  openapi: '3.0.3',
  info: { title: 'Jobs', version: '1' },
  paths: {
    '/jobs/': { post: { operationId: 'jobs_start', description: 'Starts a job.', responses: ok } },
    '/jobs/{id}/': { get: { operationId: 'jobs_retrieve', description: 'Shows a job.', parameters: [id], responses: ok } },
    '/texts/': { get: { operationId: 'texts_list', description: 'Lists texts.', responses: { 200: { description: 'ok', content: { 'application/json': { schema: { type: 'array', items: {} } } } } } } },
    '/files/': {
      post: {
        operationId: 'files_create',
        description: 'Uploads a file.',
        requestBody: { content: { 'multipart/form-data': { schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } } } } } },
        responses: ok
      }
    }
  }
}

/** The plugin as an app registers it; gives what calls tools, and the requests that came. */
async function build (t: Test, options: Partial<OpenapiOptions> = {}) {
  const stub = await djangoStub(t, (request, response) => {
    if (request.url === '/api/schema/') json(response, 200, document)
    else if (request.url === '/api/jobs/') json(response, 202, {}, { location: '/api/jobs/7/' })
    else if (request.url === '/api/files/') json(response, 503, {}, { 'retry-after': '0' })
    else json(response, 200, Array.from({ length: 100 }, () => 'x'.repeat(100)))
  })
  const app = Fastify()
  t.teardown(() => app.close())
  const report = { uri: 'report://{name}', name: 'report', description: 'd', mimeType: 'text/csv', read: ({ name }: { name: string }) => `content of ${name}` }
  await app.register(catalog, { resources: [report] })
  await app.register(django, { baseUrl: `${stub.url}/api`, apiKey, userAgent: 'test/1', maxRetries: 1, healthPath: '/probe/' })
  await app.register(openapi, { schema: '/schema/', djangoUrl: `${stub.url}/api`, methods: ['all'], ...options })
  await app.ready()
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<string> => JSON.stringify(await app.catalog.tool(name)?.call(args, context(app.log, { django: app.django })))
  return { call, sent: () => stub.requests.filter(({ url }) => !/schema|probe/.test(url)) }
}

t.test('what is made elsewhere is looked for with a tool, below the path of Django\'s URL', async (t) => {
  const { call } = await build(t)
  t.match(await call('jobs_start'), /Look with jobs_retrieve with \{\\"id\\":7\}\./)
})

t.test('a resource of the catalog is sent as a file, and not twice', async (t) => {
  const { call, sent } = await build(t)
  await callError(call('files_create', { file: 'report://may.csv' }))
  t.equal(sent().length, 1)
  t.match(sent()[0]?.body, /filename="may\.csv"\r\nContent-Type: text\/csv\r\n\r\ncontent of may\.csv\r\n/)
  t.match(await callError(call('files_create', { file: 'nothing://there' })), { problems: [{ path: 'file' }] })
})

t.test('a POST is tried again where the operator says that Django knows its key', async (t) => {
  const { call, sent } = await build(t, { honoursIdempotencyKeys: true })
  await callError(call('files_create', { file: 'report://may.csv' }))
  t.equal(sent().length, 2)
  t.equal(sent()[0]?.headers['idempotency-key'], sent()[1]?.headers['idempotency-key'])
})

t.test('answers are cut to what the operator says', async (t) => {
  const { call } = await build(t, { maxResultBytes: 1_000 })
  t.match(await call('texts_list'), 'only the first 9 of the 100 entries')
  const { call: whole } = await build(t)
  t.notMatch(await whole('texts_list'), 'only the first')
})
