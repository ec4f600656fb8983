import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { z } from 'zod'
import djangoMcpServer, { serverOptions } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { definePrompt, defineResource, defineTool, startTask, WithContent } from '../../plugins/catalog/definition.ts'
import { environment, LogLines } from '../helper.ts'

const readOnly = { readOnlyHint: true }

/** One of everything that a message can lead to. */
const definitions = {
  tools: [
    defineTool({ name: 'nested', description: 'Takes a list', annotations: readOnly, input: z.object({ list: z.array(z.object({ a: z.int(), b: z.string().max(100) })).max(50).optional(), text: z.string().regex(/^[a-z]*$/).optional() }), output: z.object({ n: z.int() }), handler: ({ list = [] }) => ({ n: list.length }) }),
    defineTool({ name: 'schema', description: 'Has a JSON Schema', annotations: readOnly, input: { type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' }, region: { type: 'string', 'x-mcp-header': 'Region' }, list: { type: 'array', items: { $ref: '#/$defs/node' } } }, $defs: { node: { type: 'object', properties: { child: { $ref: '#/$defs/node' } } } } }, handler: (args) => JSON.stringify(args) }),
    defineTool({ name: 'asks', description: 'Asks the user', annotations: readOnly, asks: true, input: z.object({ text: z.string().optional() }), async handler (_args, { ask }) { return (await ask({ message: 'Sure?' })).action } }),
    defineTool({ name: 'job', description: 'Starts a job', annotations: readOnly, input: z.object({}), task: { mode: 'optional', poll: () => ({ status: 'completed', result: 'done' }) }, handler: () => startTask({ state: 1, pollSeconds: 0.1 }) }),
    defineTool({ name: 'steps', description: 'Tells its progress', annotations: readOnly, input: z.object({}), async handler (_args, { progress }) { await progress(1, 2, 'half\u202e'); return 'done' } }),
    defineTool({ name: 'fails', description: 'Fails', annotations: readOnly, input: z.object({}), handler () { throw new Error('password=hunter2') } }),
    defineTool({ name: 'wipe', description: 'Needs a scope', scopes: ['admin'], input: z.object({}), cost: 2, handler: () => 'wiped' }),
    defineTool({ name: 'blocks', description: 'Gives blocks', annotations: readOnly, input: z.object({}), output: z.object({ n: z.int() }), handler: () => new WithContent({ n: 1 }, [{ type: 'text', text: '\u200b' }, { type: 'image', data: 'AAAA', mimeType: 'image/png' }]) })
  ],
  prompts: [definePrompt({ name: 'fails_prompt', description: 'Fails', get () { throw new Error('password=hunter2') } })],
  resources: [
    defineResource({ uri: 'app://fixed', name: 'fixed', description: 'Fixed', read: () => new Uint8Array([1, 2, 3]) }),
    defineResource({ uri: 'note://{id}', name: 'note', description: 'A note', read: ({ id = '' }) => id })
  ]
}

const parameter = (name: string, place: 'query' | 'path' | 'header', schema: object) => ({ name, in: place, required: place === 'path', schema })

/** An API whose operations become tools beside these: with every place that a value can have in a request. */
const document = {
  openapi: '3.0.3',
  info: { title: 'Fuzz', version: '1' },
  paths: {
    '/api/books/': {
      get: { operationId: 'books_list', parameters: [parameter('page', 'query', { type: 'integer' }), parameter('tags', 'query', { type: 'array', items: { type: 'string' } }), parameter('X-Kind', 'header', { type: 'string' })], responses: { 200: { description: '', content: { 'application/json': { schema: { type: 'object', properties: { count: { type: 'integer' }, next: { type: 'string' }, results: { type: 'array', items: {} } } } } } } } },
      post: { operationId: 'books_create', requestBody: { content: { 'application/json': { schema: { type: 'object', required: ['title'], properties: { title: { type: 'string', pattern: '^(a+)+$' }, cover: { type: 'string', format: 'binary' }, parts: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } } } } }, 'multipart/form-data': { schema: { type: 'object', properties: { title: { type: 'string' }, cover: { type: 'string', format: 'binary' } } } } } }, responses: { 201: { description: '' } } }
    },
    '/api/books/{id}/': {
      get: { operationId: 'books_retrieve', parameters: [parameter('id', 'path', { type: 'string' })], responses: { 200: { description: '' } } },
      delete: { operationId: 'books_destroy', parameters: [parameter('id', 'path', { type: 'string' })], responses: { 204: { description: '' } } }
    }
  }
}

/** The app as production makes it, with limits that are far away; and what it logs. */
export async function startServer (django: string) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-fuzz-'))
  const schema = join(folder, 'schema.json')
  writeFileSync(schema, JSON.stringify(document))
  const loaded = loadConfig(environment({ DJANGO_BASE_URL: django, DJANGO_SCHEMA: schema, OPENAPI_METHODS: 'all', BUILT_IN_TOOLS: true, DJANGO_MAX_RETRIES: 0, RATE_LIMIT_REQUESTS: 1_000_000_000, TMP_DIR: '/tmp/mcp_server_fuzz', LOG_LEVEL: 'ERROR', AUDIT_LOG: 'true' }))
  const log = new LogLines()
  const options = serverOptions(loaded.config)
  const app = Fastify({ ...options, logger: { ...options.logger, stream: log } })
  app.addHook('onClose', async () => { rmSync(folder, { recursive: true, force: true }) })
  await app.register(djangoMcpServer, { loaded, definitions })
  return { app, log, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}
