import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import got from 'got'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { z } from 'zod'
import { CallError } from '../../../errors.ts'
import { anonymous, type Principal } from '../../../plugins/auth/index.ts'
import catalog, { CatalogError, compileTool, type CatalogOptions } from '../../../plugins/catalog/index.ts'
import { defineResource, defineTool, type CallContext } from '../../../plugins/catalog/definition.ts'
import { DjangoClient } from '../../../plugins/django/index.ts'
import { loggingOptions } from '../../../plugins/logging/index.ts'
import { callError, djangoStub, json, LogLines } from '../../helper.ts'

async function withCatalog (t: Test, options: CatalogOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(catalog, options)
  await app.ready()
  return app
}

async function catalogError (t: Test, options: CatalogOptions): Promise<CatalogError> {
  try {
    await withCatalog(t, options)
  } catch (error) {
    if (error instanceof CatalogError) return error
    throw error
  }
  throw new Error('it was accepted')
}

function context (app: FastifyInstance, changes: Partial<CallContext> = {}): CallContext {
  return {
    correlationId: 'c-1',
    requestId: 1,
    signal: new AbortController().signal,
    log: app.log,
    principal: anonymous,
    django: new DjangoClient({ http: got, log: app.log, baseUrl: 'http://127.0.0.1:9', headers: {}, deadline: 1, maxRetries: 0, maxBytes: 1 }),
    progress: async () => undefined,
    ask: async () => ({ action: 'cancel', content: {} }),
    input: async () => ({}),
    canAsk: () => false,
    ...changes
  }
}

function principal (...scopes: string[]): Principal {
  return { ...anonymous, subject: 'someone', key: 'someone', scopes: new Set(scopes) }
}

const echo = defineTool({
  name: 'echo',
  description: 'Gives back what it gets.',
  annotations: { readOnlyHint: true },
  input: z.object({ text: z.string(), times: z.int().min(1).max(3).default(1) }),
  output: z.object({ text: z.string(), times: z.int() }),
  handler: (args) => args
})

t.test('tools in code and in folders of scripts make one sorted catalog', async (t) => {
  const folder = t.testdir({
    'zeta.mjs': 'export default { name: "zeta", description: "z", input: { type: "object" }, handler: () => "z" }',
    'alpha.ts': 'const name: string = "alpha"\nexport default { name, description: "a", input: { type: "object" }, handler: () => "a" }',
    '_helper.mjs': 'throw new Error("not a tool")',
    'alpha.test.ts': 'throw new Error("not a tool")',
    'types.d.ts': 'export type Nothing = never',
    'notes.md': 'not a tool'
  })
  const app = await withCatalog(t, { toolFolders: [folder], tools: [echo] })
  t.strictSame(app.catalog.toolListings(anonymous).map(({ name }) => name), ['alpha', 'echo', 'zeta'])
  t.strictSame(app.catalog.sizes, { tool: 3, prompt: 0, resource: 0, resource_template: 0 })
})

t.test('CommonJS is loaded, also what a compiler made of an ES module', async (t) => {
  const folder = t.testdir({
    'plain.cjs': 'module.exports = { name: "plain", description: "p", input: { type: "object" }, handler: () => "p" }',
    'compiled.cjs': 'Object.defineProperty(exports, "__esModule", { value: true })\nexports.default = { name: "compiled", description: "c", input: { type: "object" }, handler: () => "c" }',
    'typed.cts': 'const name: string = "typed"\nmodule.exports = { name, description: "t", input: { type: "object" }, handler: () => "t" }'
  })
  const app = await withCatalog(t, { toolFolders: [folder] })
  t.strictSame(app.catalog.toolListings(anonymous).map(({ name }) => name), ['compiled', 'plain', 'typed'])
})

t.test('what is passed over and looks like a tool is named in the log', async (t) => {
  const folder = t.testdir({
    'good.mjs': 'export default { name: "good", description: "g", input: { type: "object" }, handler: () => "g" }',
    '_helper.mjs': '', 'good.test.ts': '', 'component.tsx': '', 'good.d.mts': '', 'notes.md': '', more: { 'lost.mjs': '' }, 'folder.js': {}, '..data': {}, node_modules: {}
  })
  const log = new LogLines()
  const app = Fastify(loggingOptions({ level: 'INFO', format: 'json', environment: 'test', service: 's', version: '1', destination: log }))
  t.teardown(() => app.close())
  await app.register(catalog, { toolFolders: [folder], promptFolders: [join(folder, 'folder.js')] })
  t.match(log.records, [
    { logger: 'catalog', folder, passed_over: ['_helper.mjs', 'component.tsx', 'folder.js', 'good.test.ts', 'more'] },
    { message: 'catalog is built' }
  ])
  t.equal(log.records.length, 2)
})

t.test('a tool whose import needs a build says so', async (t) => {
  const folder = t.testdir({
    'own.mjs': 'import "./dist/own.js"',
    'unbuilt.mjs': 'import "./node_modules/django-mcp-server/dist/plugins/catalog/definition.js"',
    node_modules: {}
  })
  const { message } = await catalogError(t, { toolFolders: [folder] })
  t.match(message, /unbuilt\.mjs: it imports django-mcp-server, which is not built; run `npm run build` first/)
  t.match(message, /own\.mjs: Cannot find module .*dist\/own\.js/)
})

t.test('a JSON Schema may be of any dialect from draft 6 on, in every way its name is written', async (t) => {
  const input = { type: 'object' as const, properties: { pair: { $ref: '#/definitions/pair' } }, definitions: { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] } } }
  const handler = (): string => 'x'
  const tool = (name: string, $schema: string) => ({ name, description: 'd', input: { ...input, $schema }, output: { type: 'object', $schema }, handler })
  const old = ['http://json-schema.org/draft-06/schema#', 'http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft-07/schema', 'https://json-schema.org/draft/2019-09/schema']
  const app = await withCatalog(t, {
    tools: [
      ...old.map((dialect, index) => tool(`old_${index}`, dialect)),
      { ...tool('new', 'https://json-schema.org/draft/2020-12/schema'), input: { type: 'object', $schema: 'https://json-schema.org/draft/2020-12/schema', properties: { pair: { type: 'array', prefixItems: [{ type: 'string' }] } } } }
    ]
  })
  for (const [index, dialect] of old.entries()) {
    const found = app.catalog.tool(`old_${index}`)
    t.match(found?.listing, { inputSchema: { $schema: dialect }, outputSchema: { $schema: dialect } }, 'listed as what it is')
    t.match(await callError(Promise.resolve(found?.call({ pair: [1, 'a'] }, context(app)))), { problems: [{ path: 'pair.0' }, { path: 'pair.1' }] }, dialect)
  }
  t.match(app.catalog.tool('new')?.listing, { inputSchema: { $schema: 'https://json-schema.org/draft/2020-12/schema' } }, 'also where it need not be named')
  t.match(await callError(Promise.resolve(app.catalog.tool('new')?.call({ pair: [1] }, context(app)))), { problems: [{ path: 'pair.0' }] })
})

t.test('two tools may have a schema of the same $id', async (t) => {
  const tool = (name: string, type: string) => ({ name, description: 'd', input: { type: 'object', $id: 'https://a.example/input', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type } } }, handler: () => 'x' })
  const app = await withCatalog(t, { tools: [tool('one', 'string'), tool('two', 'number')] })
  t.match(await app.catalog.tool('one')?.call({ a: 'x' }, context(app)), { content: [{ text: 'x' }] })
  t.match(await app.catalog.tool('two')?.call({ a: 1 }, context(app)), { content: [{ text: 'x' }] })
})

t.test('a dialect that is not supported is named', async (t) => {
  for (const $schema of ['http://json-schema.org/draft-04/schema#', 'https://a.example/schema', 5]) {
    const { message } = await catalogError(t, { tools: [{ name: 'a', description: 'd', input: { type: 'object', $schema }, handler: () => 'x' }] })
    t.match(message, `JSON Schema dialect ${JSON.stringify($schema)} is not supported; expected 2020-12, 2019-09, draft-07 or draft-06`)
  }
})

t.test('files that are no tools stop the start, each with its path and the reason', async (t) => {
  const folder = t.testdir({
    'syntax.mjs': 'export default {',
    'throws.mjs': 'throw new Error("no connection")',
    'nothing.mjs': 'export const tool = 1',
    'good.mjs': 'export default { name: "good", description: "g", input: { type: "object" }, handler: () => "g" }'
  })
  const { problems, message } = await catalogError(t, { toolFolders: [folder, join(folder, 'missing')] })
  t.strictSame(problems.map(({ path }) => path.slice(folder.length + 1)).toSorted(), ['missing', 'nothing.mjs', 'syntax.mjs', 'throws.mjs'])
  t.match(message, /nothing\.mjs: it has no default export/)
  t.match(message, /throws\.mjs: no connection/)
  t.match(message, /missing: ENOENT/)
})

t.test('definitions that are not valid stop the start with what is wrong in them', async (t) => {
  const handler = (): string => 'x'
  const input = { type: 'object' as const }
  const cases: Array<[object, RegExp]> = [
    [{}, /name[\s\S]*description[\s\S]*input[\s\S]*handler/],
    [{ name: 'has space', description: 'd', input, handler }, /letters, digits/],
    [{ name: 'x'.repeat(65), description: 'd', input, handler }, /1 to 64/],
    [{ name: 'a', description: '', input, handler }, /description/],
    [{ name: 'a', description: 'd', input, handler: 'not a function' }, /expected a function/],
    [{ name: 'a', description: 'd', input: { type: 'string' }, handler }, /zod object or a JSON Schema/],
    [{ name: 'a', description: 'd', input: z.string(), handler }, /zod object or a JSON Schema/],
    [{ name: 'a', description: 'd', input: { type: 'object', properties: { x: { type: 'no-such-type' } } }, handler }, /type must be/],
    [{ name: 'a', description: 'd', input, handler, scope: ['read'] }, /Unrecognized key: "scope"/],
    [{ name: 'a', description: 'd', input, handler, annotations: { readonly: true } }, /Unrecognized key: "readonly"/]
  ]
  for (const [tool, expected] of cases) t.match((await catalogError(t, { tools: [tool] })).message, expected)
  t.match((await catalogError(t, { resources: [{ uri: 'no-scheme', name: 'r', description: 'd', read: handler }] })).message, /URI with a scheme/)
  t.match((await catalogError(t, { resources: [{ uri: 'x://{open', name: 'r', description: 'd', read: handler }] })).message, /Unclosed template/)
})

t.test('a schema that refers to another server stops the start, and is not fetched', async (t) => {
  const elsewhere = await djangoStub(t, (_request, response) => { json(response, 200, { type: 'string' }) })
  const properties = { a: { $ref: `${elsewhere.url}/schema.json` } }
  const bad = { name: 'bad', description: 'd', input: { type: 'object' }, handler: () => 'x' }
  for (const definition of [{ ...bad, input: { type: 'object', properties } }, { ...bad, output: { type: 'object', properties } }]) {
    t.match((await catalogError(t, { tools: [definition] })).message, /can't resolve reference/)
  }
  t.equal(elsewhere.requests.length, 0)
})

t.test('[attack 82] two tools of one name are refused, also with other capital letters', async (t) => {
  const folder = t.testdir({ a: {}, b: {} })
  const source = (name: string): string => `export default { name: "${name}", description: "d", input: { type: "object" }, handler: () => "x" }`
  await writeFile(join(folder, 'a', 'one.mjs'), source('twice'))
  await mkdir(join(folder, 'b'), { recursive: true })
  await writeFile(join(folder, 'b', 'two.mjs'), source('Twice'))
  t.match((await catalogError(t, { toolFolders: [join(folder, 'a'), join(folder, 'b')] })).message, /two\.mjs: Twice is already defined in .*one\.mjs/)
})

t.test('[attack 82] a name has only characters that cannot be mistaken for others', async (t) => {
  for (const name of ['get_оpportunities', 'get＿x', 'ɡet', 'get\u200b_x', 'get x', 'get/x', 'é', '', 'a'.repeat(65)]) {
    t.match((await catalogError(t, { tools: [{ name, description: 'd', input: { type: 'object' }, handler: () => 'x' }] })).message, /expected 1 to 64 letters/, JSON.stringify(name))
  }
})

t.test('[requirement 7] lists hold what the scopes permit; a tool that is not read-only needs write unless it says otherwise', async (t) => {
  const writer = defineTool({ name: 'writer', description: 'd', input: z.object({}), handler: () => 'x' })
  const special = defineTool({ name: 'special', description: 'd', scopes: ['reports', 'read'], input: z.object({}), handler: () => 'x' })
  const fixed = defineResource({ uri: 'app://info', name: 'info', description: 'd', read: () => 'x' })
  const secret = defineResource({ uri: 'secret://{id}', name: 'secret', description: 'd', scopes: ['admin'], read: () => 'x' })
  const { catalog } = await withCatalog(t, { tools: [echo, writer, special], resources: [fixed, secret] })
  const names = (who: Principal): string[] => catalog.toolListings(who).map(({ name }) => name)
  t.strictSame(names(principal('read')), ['echo'])
  t.strictSame(names(principal('read', 'write')), ['echo', 'writer'])
  t.strictSame(names(principal('read', 'reports')), ['echo', 'special'])
  t.strictSame(names(principal()), [])
  t.strictSame(names(anonymous), ['echo', 'special', 'writer'])
  t.match(catalog.resourceListings(principal('read')), [{ uri: 'app://info', name: 'info' }])
  t.strictSame(catalog.templateListings(principal('read')), [])
  t.match(catalog.templateListings(principal('admin')), [{ uriTemplate: 'secret://{id}' }])
})

t.test('a listing is JSON Schema without noise', async (t) => {
  const { catalog } = await withCatalog(t, { tools: [echo] })
  t.strictSame(catalog.tool('echo')?.listing, {
    name: 'echo',
    description: 'Gives back what it gets.',
    annotations: { readOnlyHint: true },
    inputSchema: {
      type: 'object',
      properties: { text: { type: 'string' }, times: { default: 1, type: 'integer', minimum: 1, maximum: 3 } },
      required: ['text'],
      additionalProperties: false
    },
    outputSchema: {
      type: 'object',
      properties: { text: { type: 'string' }, times: { type: 'integer' } },
      required: ['text', 'times'],
      additionalProperties: false
    }
  })
})

t.test('what is no scope stops the start: nobody could be granted it', async (t) => {
  for (const scope of ['', 'two words', 'a"b', 'a\\b', 'a\r\nX-Evil: 1', 'ä']) {
    const definitions = { tools: [{ ...echo, scopes: [scope] }], resources: [{ uri: 'a://b', name: 'a', description: 'd', scopes: [scope], read: () => 'x' }], prompts: [{ name: 'a', description: 'd', scopes: [scope], get: () => 'x' }] }
    for (const [kind, list] of Object.entries(definitions)) t.match((await catalogError(t, { [kind]: list })).message, 'expected a scope without spaces and quotes', `${kind} ${JSON.stringify(scope)}`)
  }
})

t.test('[attack 45] [attack 46] [requirement 26] arguments are checked, by zod and by JSON Schema alike, and every wrong one is named', async (t) => {
  const schema = defineTool({
    name: 'by_schema',
    description: 'd',
    input: {
      type: 'object',
      properties: { text: { type: 'string' }, times: { type: 'integer', minimum: 1, default: 1 }, kind: { enum: ['a', 'b'] }, nested: { type: 'object', properties: { a: {} }, required: ['b'], additionalProperties: false } },
      required: ['text']
    },
    handler: (args) => JSON.stringify(args)
  })
  const app = await withCatalog(t, { tools: [echo, schema] })
  const problems = async (name: string, args: unknown): Promise<unknown> => {
    try {
      await app.catalog.tool(name)?.call(args, context(app))
    } catch (error) {
      return error instanceof CallError && error.kind === 'invalid_input' ? error.problems : error
    }
    return undefined
  }
  t.match(await problems('echo', { times: 4, txt: 'x' }), [{ path: 'text' }, { path: 'times', message: /<=3/ }, { path: 'txt', message: /did you mean text/ }])
  t.match(await problems('echo', { text: 'x', times: '2' }), [{ path: 'times', message: /expected number/ }], 'nothing is coerced')
  t.match(await problems('echo', []), [{ path: '' }])
  t.match(await problems('by_schema', { times: 0, txt: 1, kind: 'c', nested: { c: 1 } }), [
    { path: 'text', message: 'is required' },
    { path: 'txt', message: /did you mean text/ },
    { path: 'times' },
    { path: 'kind', message: 'must be one of "a", "b"' },
    { path: 'nested.b', message: 'is required' },
    { path: 'nested.c', message: 'is not known here' }
  ])
  t.match(await app.catalog.tool('by_schema')?.call({ text: 'x' }, context(app)), { content: [{ type: 'text', text: '{"text":"x","times":1}' }] })
})

t.test('a value that is none of the choices is told them, and which was probably meant', async (t) => {
  const countries = Array.from({ length: 40 }, (_, index) => `country ${index}`)
  const handler = () => 'x'
  const app = await withCatalog(t, {
    tools: [
      defineTool({ name: 'by_zod', description: 'd', input: z.object({ status: z.enum(['active', 'won']).optional(), one: z.literal('x').optional() }), handler }),
      defineTool({ name: 'by_schema', description: 'd', input: { type: 'object', properties: { status: { enum: ['active', 'won', null] }, deep: { type: 'array', items: { enum: ['left', 'right'] } }, country: { enum: countries }, size: { enum: [1, 2] } } }, handler })
    ]
  })
  const problems = async (name: string, args: unknown): Promise<unknown> => {
    const call = app.catalog.tool(name)?.call(args, context(app)) ?? Promise.resolve()
    return (await callError(call)).problems
  }
  t.strictSame(await problems('by_zod', { status: 'wonn' }), [{ path: 'status', message: 'must be one of "active", "won"; did you mean "won"?' }])
  t.strictSame(await problems('by_zod', { status: 'Won', one: 'y' }), [{ path: 'status', message: 'must be one of "active", "won"; did you mean "won"?' }, { path: 'one', message: 'must be one of "x"' }])
  t.strictSame(await problems('by_schema', { status: 'actve' }), [{ path: 'status', message: 'must be one of "active", "won", null; did you mean "active"?' }])
  t.strictSame(await problems('by_schema', { deep: ['left', 'rigth'], size: 3 }), [{ path: 'deep.1', message: 'must be one of "left", "right"; did you mean "right"?' }, { path: 'size', message: 'must be one of 1, 2' }])
  t.match(await problems('by_schema', { country: 'contry 7' }), [{ message: /"country 29" and 10 more; did you mean "country 7"\?$/ }])
})

t.test('a result is text, blocks or structure, and checked', async (t) => {
  const blocks = defineTool({ name: 'blocks', description: 'd', input: z.object({}), handler: () => [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }, { type: 'text', text: 'x' }] })
  const wrong = { name: 'wrong', description: 'd', input: { type: 'object' }, handler: () => ({ content: 'x' }) }
  const broken = { ...echo, name: 'broken', handler: () => ({ text: 1 }) }
  const app = await withCatalog(t, { tools: [echo, blocks, wrong, broken] })
  const call = async (name: string, args = {}): Promise<unknown> => await app.catalog.tool(name)?.call(args, context(app))
  t.strictSame(await call('echo', { text: 'ä', times: 2 }), { content: [{ type: 'text', text: '{"text":"ä","times":2}' }], structuredContent: { text: 'ä', times: 2 } })
  t.match(await call('blocks'), { content: [{ type: 'image', data: 'AAAA' }, { type: 'text', text: 'x' }] })
  t.match(await callError(call('wrong')), { kind: 'internal' })
  t.match(await callError(call('broken', { text: 'x' })), { kind: 'internal' })
})

t.test('a resource is found by its URI or template, and its contents take every form', async (t) => {
  const app = await withCatalog(t, {
    resources: [
      defineResource({ uri: 'app://info', name: 'info', description: 'd', mimeType: 'text/plain', read: () => 'hello' }),
      defineResource({ uri: 'file://{name}', name: 'file', description: 'd', mimeType: 'application/octet-stream', read: ({ name }) => Buffer.from(name ?? '') }),
      defineResource({ uri: 'parts://{id}', name: 'parts', description: 'd', mimeType: 'text/plain', parameters: z.object({ id: z.coerce.number() }), read: ({ id }) => [{ text: String(id) }, { uri: 'parts://other', mimeType: 'image/png', blob: 'AAAA' }] }),
      { uri: 'wrong://x', name: 'wrong', description: 'd', read: () => 5 }
    ]
  })
  const read = async (uri: string): Promise<unknown> => {
    const found = app.catalog.resource(uri)
    return await found?.resource.read(uri, found.variables, context(app))
  }
  t.strictSame(await read('app://info'), [{ uri: 'app://info', mimeType: 'text/plain', text: 'hello' }])
  t.strictSame(await read('file://a%20b'), [{ uri: 'file://a%20b', mimeType: 'application/octet-stream', blob: Buffer.from('a b').toString('base64') }])
  t.strictSame(await read('parts://7'), [{ uri: 'parts://7', mimeType: 'text/plain', text: '7' }, { uri: 'parts://other', mimeType: 'image/png', blob: 'AAAA' }])
  t.match(await callError(read('parts://seven')), { kind: 'invalid_input', problems: [{ path: 'id' }] })
  t.match(await callError(read('wrong://x')), { kind: 'internal' })
  for (const unknown of ['app://infos', 'file://a/b', 'file://', 'file://%zz', `file://${'x'.repeat(3000)}`, 'nothing']) t.equal(app.catalog.resource(unknown), undefined, unknown.slice(0, 20))
})

t.test('a catalog can be extended by further tools, which give way to those of code', async (t) => {
  const app = await withCatalog(t, { tools: [echo] })
  const further = ['ECHO', 'extra'].map((name) => compileTool({ name, description: 'further', input: { type: 'object' }, handler: () => 'further' }))
  const extended = app.catalogs.extendedBy(further)
  t.strictSame(extended.toolListings(anonymous).map(({ name }) => name), ['echo', 'extra'])
  t.ok(app.catalogs.defines('Echo'))
  t.notOk(app.catalogs.defines('extra'))
  t.strictSame(app.catalog.sizes.tool, 1, 'nothing has changed yet')
  app.catalogs.replace(extended)
  app.catalogs.replace(app.catalogs.extendedBy([]))
  t.strictSame(app.catalog.toolListings(anonymous).map(({ name }) => name), ['echo'], 'what came before is gone')
})

t.test('a JSON Schema that is compiled when it is called fails only then', async (t) => {
  const app = await withCatalog(t, {})
  const definition = { name: 'broken', description: 'd', input: { type: 'object', properties: { a: { type: 'no type' } } }, handler: () => 'x' }
  t.throws(() => compileTool(definition))
  const tool = compileTool(definition, 'when called')
  await t.rejects(tool.call({ a: 1 }, context(app)))
  const sound = compileTool({ ...definition, output: { type: 'object', required: ['b'] }, input: { type: 'object' }, handler: () => ({}) }, 'when called')
  t.equal((await callError(sound.call({}, context(app)))).kind, 'internal')
})
