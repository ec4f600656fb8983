// A service in JavaScript that uses the package: run by package.test.ts where nothing but the package is installed.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { z } from 'zod'
import djangoMcpServer, { ConfigError, defineTool, loadConfig, serverOptions } from 'django-mcp-server'
import { configSchema } from 'django-mcp-server/config'
import * as definition from 'django-mcp-server/definition'
import { CallError } from 'django-mcp-server/errors'
import manifest from 'django-mcp-server/package.json' with { type: 'json' }

const secret = 'Zx9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg0'
const folder = await mkdtemp(join(tmpdir(), 'consumer-'))

const django = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"count":2}')
})
await new Promise((resolve) => { django.listen(0, '127.0.0.1', resolve) })
const baseUrl = `http://127.0.0.1:${django.address().port}`

await writeFile(join(folder, 'schema.json'), JSON.stringify({
  openapi: '3.0.3',
  info: { title: 'Notes', version: '1' },
  paths: { '/api/notes/': { get: { operationId: 'notes_list', responses: { 200: { description: '', content: { 'application/json': { schema: { type: 'object' } } } } } } } }
}))

/** What each plugin needs, and what it gives an app that has nothing else. */
const plugins = {
  './plugins/audit': {
    options: { secret },
    routes (app) {
      app.get('/', { config: { audit: true } }, (request, reply) => {
        request.audit = () => ({ action: 'look', outcome: 'succeeded' })
        reply.send('fine')
      })
    },
    async check (app) { assert.equal((await app.inject('/')).statusCode, 200) }
  },
  './plugins/auth': {
    options: { issuers: [{ type: 'secret', secrets: [secret], audienceRequired: false }], maxLifetime: 3600 },
    routes (app) {
      app.get('/', { onRequest: (request, reply) => app.authenticate(request, reply) }, (request, reply) => reply.send(request.principal))
    },
    async check (app) {
      const response = await app.inject('/')
      assert.equal(response.statusCode, 401)
      assert.match(response.headers['www-authenticate'], /^Bearer /)
      assert.ok(app.hasRequestDecorator('principal'))
      assert.equal(typeof app.requireScopes, 'function')
      assert.equal(typeof app.denyList.revoke, 'function')
    }
  },
  './plugins/catalog': {
    options: {
      tools: [{ name: 'echo', description: 'Echoes', input: z.object({ text: z.string() }), handler: ({ text }) => text }],
      resources: [{ uri: 'note://{id}', name: 'note', description: 'A note', read: ({ id }) => id }]
    },
    async check (app) {
      assert.deepEqual(app.catalog.sizes, { tool: 1, prompt: 0, resource: 0, resource_template: 1 })
      assert.deepEqual((await app.catalog.tool('echo').call({ text: 'a' }, {})).content, [{ type: 'text', text: 'a' }])
    }
  },
  './plugins/correlation': {
    routes (app) { app.get('/', (request, reply) => reply.send({ id: request.correlationId })) },
    async check (app) {
      const response = await app.inject({ url: '/', headers: { 'x-correlation-id': 'mine' } })
      assert.deepEqual(response.json(), { id: 'mine' })
      assert.equal(response.headers['x-correlation-id'], 'mine')
    }
  },
  './plugins/cors': {
    options: { origins: ['https://app.example.com'] },
    routes (app) { app.get('/', async () => 'fine') },
    async check (app) {
      const response = await app.inject({ url: '/', headers: { origin: 'https://app.example.com' } })
      assert.equal(response.headers['access-control-allow-origin'], 'https://app.example.com')
    }
  },
  './plugins/django': {
    options: { baseUrl, apiKey: 'prefix.secret', userAgent: 'consumer/1.0' },
    async check (app) {
      assert.deepEqual(await app.django.get('/api/', { schema: z.object({ count: z.int() }) }), { count: 2 })
      assert.equal((await app.djangoHealth.latest()).healthy, true)
    }
  },
  './plugins/drain': {
    async check (app) {
      assert.equal(app.draining(), false)
      await app.close()
      assert.equal(app.draining(), true)
    }
  },
  './plugins/health': {
    options: { version: '1.2.3' },
    async check (app) {
      for (const [url, status] of [['/live/', 'alive'], ['/ready/', 'ready'], ['/health', 'healthy']]) {
        const response = await app.inject(url)
        assert.equal(response.statusCode, 200)
        assert.equal(response.json().status, status)
      }
    }
  },
  './plugins/host': {
    options: { names: ['mcp.example.com'] },
    routes (app) { app.get('/', async () => 'fine') },
    async check (app) {
      assert.equal((await app.inject({ url: '/', headers: { host: 'mcp.example.com:8080' } })).statusCode, 200)
      assert.equal((await app.inject({ url: '/', headers: { host: 'evil.example' } })).statusCode, 403)
    }
  },
  './plugins/identity': {
    options: {
      way: { type: 'exchange', url: `${baseUrl}/token`, clientId: 'a', clientSecret: 'b', audience: 'django' },
      principalOf: () => ({ subject: 'me', scopes: new Set(['read']) })
    },
    routes (app) { app.get('/', (request, reply) => reply.send(typeof app.identityOf(request).headers)) },
    async check (app) { assert.equal((await app.inject('/')).body, 'function') }
  },
  './plugins/load-shedding': {
    // Every process uses more than a byte.
    options: { maxHeapUsedBytes: 1 },
    routes (app) {
      app.get('/', async () => 'fine')
      app.get('/vital', { config: { neverShed: true } }, async () => 'fine')
    },
    async check (app) {
      // The first look at the process comes after a second.
      const end = Date.now() + 20_000
      let response = await app.inject('/')
      while (response.statusCode === 200 && Date.now() < end) {
        await sleep(100)
        response = await app.inject('/')
      }
      assert.equal(response.statusCode, 503)
      assert.equal(response.headers['retry-after'], '5')
      assert.equal((await app.inject('/vital')).statusCode, 200)
    }
  },
  './plugins/logging': {
    lines: [],
    server: ({ loggingOptions }, { lines }) => loggingOptions({
      level: 'INFO', format: 'json', environment: 'test', service: 'consumer', version: '1.2.3', destination: { write: (line) => { lines.push(JSON.parse(line)) } }
    }),
    routes (app) { app.get('/', async () => 'fine') },
    async check (app, { lines }) {
      // A request over the network: an injected one has no connection that closes.
      await (await fetch(await app.listen({ host: '127.0.0.1', port: 0 }))).text()
      await app.close()
      const line = lines.find(({ logger }) => logger === 'access')
      assert.equal(line?.status, 200)
      assert.equal(line.level, 'INFO')
      assert.equal(line.service, 'consumer')
    }
  },
  './plugins/metrics': {
    options: { version: '1.2.3' },
    async check (app) {
      app.instruments.rateLimited()
      const response = await app.inject('/metrics')
      assert.match(response.body, /^mcp_rate_limited_total 1$/m)
      assert.match(response.body, /^mcp_build_info\{version="1\.2\.3"/m)
    }
  },
  './plugins/openapi': {
    // Its tools are the catalog's, and they call Django.
    async before (app) {
      const { default: catalog } = await import(`${manifest.name}/plugins/catalog`)
      const { default: django } = await import(`${manifest.name}/plugins/django`)
      await app.register(catalog)
      await app.register(django, { baseUrl, apiKey: 'prefix.secret', userAgent: 'consumer/1.0' })
    },
    options: { schema: join(folder, 'schema.json'), djangoUrl: baseUrl },
    async check (app) {
      assert.deepEqual(app.openapi.tools().map(({ name }) => name), ['notes_list'])
      const { content } = await app.catalog.tool('notes_list').call({}, { django: app.django, log: app.log })
      assert.match(content[0].text, /"count":2/)
      assert.equal(await app.openapi.reload(), 'unchanged')
    }
  },
  './plugins/rate-limit': {
    options: { requests: 1, addressRequests: 1, window: 60 },
    routes (app) { app.get('/', { onRequest: app.limits.address }, async () => 'fine') },
    async check (app) {
      assert.equal((await app.inject('/')).statusCode, 200)
      const response = await app.inject('/')
      assert.equal(response.statusCode, 429)
      assert.ok(Number(response.headers['retry-after']) > 0)
      assert.equal(app.limits.clients(), 1)
    }
  },
  './plugins/redis': {
    options: { url: 'redis://127.0.0.1:1', patience: 100 },
    async check (app) {
      // Nothing answers there, which keeps nobody from starting.
      await assert.rejects(app.redis.get('key'))
    }
  },
  './plugins/revocation': {
    options: {
      socket: join(folder, 'admin.sock'),
      denyList: { shared: false, async revoke (entry) { this.last = entry }, async restore () { return false }, isRevoked: () => false }
    },
    async check (_app, { options: { socket, denyList } }) {
      const status = await new Promise((resolve, reject) => {
        request({ socketPath: socket, method: 'POST', path: '/revocations' }, ({ statusCode }) => { resolve(statusCode) }).on('error', reject).end('{"tokenId":"a"}')
      })
      assert.equal(status, 200)
      assert.deepEqual(denyList.last, { tokenId: 'a' })
    }
  },
  './plugins/tasks': {
    options: { ttl: 60 },
    async check (app) {
      const { newTaskId, taskKey } = await import(`${manifest.name}/plugins/tasks`)
      const key = taskKey('owner', newTaskId())
      const now = Date.now()
      await app.tasks.create('a', key, { tool: 'a', status: 'working', createdAt: now, updatedAt: now, ttl: app.tasks.ttl, state: null, pollInterval: 1000, nextPollAt: now, questions: {}, asked: 0, answers: {} })
      assert.equal((await app.tasks.read(key)).tool, 'a')
      assert.equal(await app.tasks.read('another'), undefined)
    }
  },
  './plugins/tmp-cleanup': {
    options: { directory: join(folder, 'tmp') },
    async check (app) {
      await writeFile(join(folder, 'tmp', 'new'), '')
      assert.deepEqual(await app.cleanTmp(), { removed: 0, bytes: 0, failed: [] })
    }
  }
}

const exported = Object.keys(manifest.exports).filter((subpath) => subpath.startsWith('./plugins/'))
assert.deepEqual(exported.toSorted(), Object.keys(plugins).toSorted(), 'every plugin that the package exports is used here')

for (const [subpath, plugin] of Object.entries(plugins)) {
  try {
    const module = await import(`${manifest.name}/${subpath.slice(2)}`)
    const app = Fastify(plugin.server?.(module, plugin))
    await plugin.before?.(app)
    await app.register(module.default, plugin.options)
    plugin.routes?.(app)
    await app.ready()
    await plugin.check(app, plugin)
    await app.close()
    console.log(subpath)
  } catch (error) {
    throw new Error(`${subpath} cannot be used alone`, { cause: error })
  }
}

// All at once, as the service itself runs.
assert.equal(definition.defineTool, defineTool)
assert.ok(Object.hasOwn(configSchema.shape, 'DJANGO_BASE_URL'))
assert.equal(new CallError('not_found', 'gone').kind, 'not_found')
assert.throws(() => loadConfig({}), ConfigError)
const loaded = loadConfig({ DJANGO_BASE_URL: baseUrl, DJANGO_API_KEY: 'prefix.secret', JWT_SECRET: secret, TMP_DIR: join(folder, 'app'), LOG_LEVEL: 'CRITICAL' })
const app = Fastify(serverOptions(loaded.config))
await app.register(djangoMcpServer, { loaded })
await app.ready()
const alive = await app.inject('/live/')
assert.equal(alive.statusCode, 200)
assert.equal(alive.json().version, manifest.version)
assert.equal((await app.inject({ method: 'POST', url: '/mcp' })).statusCode, 401)
// The built-in tools and resources are found in the package's own folders.
assert.match((await app.inject('/metrics')).body, /^mcp_catalog_items\{kind="tool"\} [1-9]/m)
await app.close()
console.log('.')

django.close()
django.closeAllConnections()
await rm(folder, { recursive: true })
