import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import audit from '../../plugins/audit.ts'
import { MemoryDenyList } from '../../plugins/auth/deny-list.ts'
import auth from '../../plugins/auth/index.ts'
import catalog from '../../plugins/catalog/index.ts'
import correlation from '../../plugins/correlation.ts'
import cors from '../../plugins/cors.ts'
import django from '../../plugins/django/index.ts'
import drain from '../../plugins/drain.ts'
import health from '../../plugins/health.ts'
import host from '../../plugins/host.ts'
import identity from '../../plugins/identity/index.ts'
import loadShedding from '../../plugins/load-shedding.ts'
import logging, { loggingOptions } from '../../plugins/logging/index.ts'
import metrics from '../../plugins/metrics/index.ts'
import rateLimit from '../../plugins/rate-limit/index.ts'
import redis from '../../plugins/redis.ts'
import revocation from '../../plugins/revocation.ts'
import tasks from '../../plugins/tasks/index.ts'
import tmpCleanup from '../../plugins/tmp-cleanup.ts'
import { fromNow, secret, token } from '../helper.ts'

/** Options as they may come from JavaScript, where no compiler looks at them. */
type Loose = Readonly<Record<string, unknown>> | undefined

function untyped (plugin: unknown): (app: FastifyInstance, options: Loose) => Promise<void> {
  return async (app, options) => { await Reflect.apply(app.register, app, options === undefined ? [plugin] : [plugin, options]) }
}

/** What registering a plugin with these options fails with. */
async function refusal (t: Test, plugin: unknown, options: Loose): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  try {
    await untyped(plugin)(app, options)
  } catch (error) {
    return String(error)
  }
  return 'accepted'
}

const audience = ['a']
const ours = { type: 'secret', secrets: [secret] }
const theirs = { type: 'jwks', issuer: 'https://auth.example.com' }
const asked = { type: 'introspection', issuer: 'https://auth.example.com', url: 'https://auth.example.com/introspect', clientId: 'a', clientSecret: 'hunter2' }
const verifier = { issuers: [ours], audience }
const aDjango = { baseUrl: 'http://django:8000', apiKey: 'prefix.hunter2', userAgent: 'test/1' }
const denyList = new MemoryDenyList()
const limits = { requests: 1, addressRequests: 1, window: 1 }
const exchange = { type: 'exchange', url: 'https://a/token', clientId: 'a', clientSecret: 'hunter2', audience: 'a' }
const principalOf = (): null => null
const function1 = 'expected a function, got 1'

/** For each plugin: the option that is wrong, options around it, and what is said. Options of `undefined` are none at all. */
const tables: Array<[string, unknown, Array<[Loose, string]>]> = [
  ['audit', audit, [
    [undefined, 'secret: expected a text that is not empty, got nothing'],
    [{ secret: 'hunter2', enabled: 'yes' }, 'enabled: expected true or false, got "yes"'],
    [{ secret: 'hunter2', principalOf: 1 }, `principalOf: ${function1}`]
  ]],
  ['auth', auth, [
    [undefined, 'issuers: expected a list of issuers, got nothing'],
    [{ issuers: 'hunter2' }, 'issuers: expected a list of issuers, got ******** (7 characters)'],
    [{ issuers: [] }, 'issuers: expected at least one issuer, got an empty list'],
    [{ issuers: [{}] }, 'issuers.0.type: expected a type of issuer: secret, jwks or introspection, got nothing'],
    [{ issuers: [{ type: 'secret' }] }, 'issuers.0.secrets: expected a list of secrets with at least one, got nothing'],
    [{ issuers: [{ ...ours, secrets: [] }], audience }, 'issuers.0.secrets.0: expected a secret of at least 32 bytes, got nothing'],
    [{ issuers: [{ ...ours, secrets: secret }], audience }, 'issuers.0.secrets: expected a list of secrets with at least one, got ******** (32 characters)'],
    [{ issuers: [{ ...ours, secrets: [secret, 'hunter2'] }], audience }, 'issuers.0.secrets.1: expected a secret of at least 32 bytes, got ******** (7 characters)'],
    [{ issuers: [{ ...ours, secret }], audience }, 'issuers.0.secret: there is no such option'],
    [{ issuers: [ours] }, 'audience: expected at least one audience, since tokens must name one, got nothing'],
    [{ issuers: [{ ...ours, audience: [] }] }, 'issuers.0.audience: expected a list with at least one audience, got an empty list'],
    [{ issuers: [{ ...ours, audienceRequired: 'no' }], audience }, 'issuers.0.audienceRequired: expected true or false, got ******** (2 characters)'],
    [{ issuers: [{ ...ours, issuer: '' }], audience }, 'issuers.0.issuer: expected a text that is not empty, got ******** (0 characters)'],
    [{ issuers: [{ ...ours, profile: 'okta' }], audience }, 'issuers.0.profile: expected one of rfc9068, generic, django-oauth-toolkit, simplejwt, keycloak, auth0, entra, workos, got ******** (4 characters)'],
    [{ issuers: [{ type: 'jwks' }], audience }, 'issuers.0.issuer: expected the URL of an issuer, without credentials, query or fragment, got nothing'],
    [{ issuers: [{ ...theirs, issuer: 'https://u:hunter2@auth.example.com' }], audience }, 'issuers.0.issuer: expected the URL of an issuer, without credentials, query or fragment, got ******** (34 characters)'],
    [{ issuers: [{ ...theirs, algorithm: 'HS256' }], audience }, 'issuers.0.algorithm: expected one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, got ******** (5 characters)'],
    [{ issuers: [{ ...theirs, jwksUrl: '/jwks' }], audience }, 'issuers.0.jwksUrl: expected an http or https URL without credentials and fragment, got ******** (5 characters)'],
    [{ issuers: [{ ...theirs, jwksUrl: 'http://auth.example.com/jwks' }], audience }, 'issuers.0.jwksUrl: expected an https URL, unless allowHttp is true, got ******** (28 characters)'],
    [{ issuers: [{ ...asked, url: 'http://auth.example.com/introspect' }], audience }, 'issuers.0.url: expected an https URL, unless allowHttp is true, got ******** (34 characters)'],
    [{ issuers: [{ ...asked, clientSecret: '' }], audience }, 'issuers.0.clientSecret: expected a text that is not empty, got ******** (0 characters)'],
    [{ issuers: [theirs, theirs], audience }, 'issuers.1.issuer: expected an issuer that no other entry has, got ******** (24 characters)'],
    [{ issuers: [theirs, ours], audience }, 'issuers.1.issuer: expected an issuer, since there are several, got nothing'],
    [{ issuers: [asked, { ...asked, issuer: 'https://b.example.com' }], audience }, 'issuers.1.type: expected one issuer with introspection at most, got ******** (13 characters)'],
    [{ ...verifier, maxLifetime: 0 }, 'maxLifetime: expected a whole number of seconds, at least 1, got 0'],
    [{ ...verifier, maxLifetime: Infinity }, 'maxLifetime: expected a whole number of seconds, at least 1, got Infinity'],
    [{ ...verifier, allowHttp: 'yes' }, 'allowHttp: expected true or false, got "yes"'],
    [{ ...verifier, redis: 'redis://redis' }, 'redis: expected a connection to Redis, got "redis://redis"'],
    [{ ...verifier, requiredScopes: 'read' }, 'requiredScopes: expected a list of scopes, got "read"'],
    [{ ...verifier, requiredScopes: ['read write'] }, 'requiredScopes.0: expected a scope without spaces and quotes, got "read write"'],
    [{ ...verifier, resourceMetadataUrl: 'https://a/"' }, 'resourceMetadataUrl: expected an http or https URL without query, got "https://a/\\""'],
    [{ ...verifier, revokedTokenIds: 'a' }, 'revokedTokenIds: expected a list of values of jti, got "a"'],
    [{ ...verifier, onRefused: 1 }, `onRefused: ${function1}`]
  ]],
  ['catalog', catalog, [
    [{ toolFolders: '/tools' }, 'toolFolders: expected a list of folders, got "/tools"'],
    [{ resourceFolders: [''] }, 'resourceFolders.0: expected the path of a folder, got ""'],
    [{ tools: [null] }, 'tools.0: expected a definition, got null'],
    [{ prompts: {} }, 'prompts: expected a list of definitions, got an object'],
    [{ toolsFolders: [] }, 'toolsFolders: there is no such option; did you mean toolFolders?']
  ]],
  ['correlation', correlation, [
    [{ header: true }, 'header: expected the name of a header, got true'],
    [{ header: '' }, 'header: expected the name of a header, got ""'],
    [{ header: 'X-Id\r\nSet-Cookie: a' }, 'header: expected the name of a header, got "X-Id\\r\\nSet-Cookie: a"']
  ]],
  ['cors', cors, [
    [undefined, 'origins: expected a list of origins, got nothing'],
    [{ origins: '*' }, 'origins: expected a list of origins, got "*"'],
    [{ origins: [/example/] }, 'origins.0: expected an origin such as https://app.example.com, or *, got an object'],
    [{ origins: ['*', 'https://app.example.com/'] }, 'origins.1: expected an origin such as https://app.example.com, or *, got "https://app.example.com/"'],
    [{ origins: [], headers: 1 }, `headers: ${function1}`],
    [{ orgins: ['*'] }, 'origins: expected a list of origins, got nothing; orgins: there is no such option; did you mean origins?']
  ]],
  ['django', django, [
    [undefined, 'baseUrl: expected an http or https URL without credentials, query or fragment, got nothing; apiKey: expected visible ASCII characters without spaces, got nothing; userAgent: expected visible ASCII characters, got nothing'],
    [{ ...aDjango, baseUrl: 'not a url' }, 'baseUrl: expected an http or https URL without credentials, query or fragment, got "not a url"'],
    [{ ...aDjango, baseUrl: 'ftp://django' }, 'baseUrl: expected an http or https URL without credentials, query or fragment, got "ftp://django"'],
    [{ ...aDjango, baseUrl: 'http://admin:hunter2@django' }, 'baseUrl: expected an http or https URL without credentials, query or fragment, got "http://********@django"'],
    [{ ...aDjango, baseUrl: 'http://django?' }, 'baseUrl: expected an http or https URL without credentials, query or fragment, got "http://django?"'],
    [{ ...aDjango, baseUrl: new URL('http://django') }, 'baseUrl: expected an http or https URL without credentials, query or fragment, got an object'],
    [{ ...aDjango, apiKey: 'hunter2 hunter2' }, 'apiKey: expected visible ASCII characters without spaces, got ******** (15 characters)'],
    [{ ...aDjango, userAgent: 'a\nb' }, 'userAgent: expected visible ASCII characters, got "a\\nb"'],
    [{ ...aDjango, timeout: '30' }, 'timeout: expected a number of seconds above 0 and at most 2147483, got "30"'],
    [{ ...aDjango, timeout: Infinity }, 'timeout: expected a number of seconds above 0 and at most 2147483, got Infinity'],
    [{ ...aDjango, maxRetries: -1 }, 'maxRetries: expected a whole number, at least 0, got -1'],
    [{ ...aDjango, poolSize: 0 }, 'poolSize: expected a whole number, at least 1, got 0'],
    [{ ...aDjango, maxResponseBytes: NaN }, 'maxResponseBytes: expected a whole number of bytes, at least 1, got NaN'],
    [{ ...aDjango, healthPath: 'stats/' }, 'healthPath: expected a path that starts with /, got "stats/"'],
    [{ ...aDjango, healthInterval: 2 ** 31 }, 'healthInterval: expected a number of milliseconds above 0 and at most 2147483647, got 2147483648'],
    [{ ...aDjango, onAttempt: 1, onRetry: 1 }, `onAttempt: ${function1}; onRetry: ${function1}`]
  ]],
  ['drain', drain, [
    [{ seconds: '5' }, 'seconds: expected a number of seconds of at least 0 and at most 2147483, got "5"'],
    [{ seconds: -1 }, 'seconds: expected a number of seconds of at least 0 and at most 2147483, got -1'],
    [{ onDrain: 1 }, `onDrain: ${function1}`]
  ]],
  ['health', health, [
    [undefined, 'version: expected a text that is not empty, got nothing'],
    [{ version: 1 }, 'version: expected a text that is not empty, got 1'],
    [{ version: '1', backend: 1, draining: 1 }, `backend: ${function1}; draining: ${function1}`],
    [{ version: '1', readyRequiresBackend: 'no' }, 'readyRequiresBackend: expected true or false, got "no"']
  ]],
  ['host', host, [
    [undefined, 'names: expected a list of host names, got nothing'],
    [{ names: ['mcp.example.com:8080'] }, 'names.0: expected a host name without port, or *, got "mcp.example.com:8080"'],
    [{ names: ['https://mcp.example.com'] }, 'names.0: expected a host name without port, or *, got "https://mcp.example.com"']
  ]],
  ['identity', identity, [
    [undefined, 'way: expected an object whose type is assertion or exchange, or null, got nothing; principalOf: expected a function, got nothing'],
    [{ way: { type: 'cookie' }, principalOf }, 'way.type: expected an object whose type is assertion or exchange, or null, got "cookie"'],
    [{ way: { ...exchange, url: 'auth' }, principalOf }, 'way.url: expected an http or https URL, got "auth"'],
    [{ way: { ...exchange, clientSecret: '' }, principalOf }, 'way.clientSecret: expected a text that is not empty, got ******** (0 characters)'],
    [{ way: { ...exchange, secret: 'hunter2' }, principalOf }, 'way.secret: there is no such option'],
    [{ way: exchange, principalOf, tokenOf: 1 }, `tokenOf: ${function1}`],
    [{ way: null, principalOf, issuer: '' }, 'issuer: expected a text that is not empty, got ""']
  ]],
  ['load-shedding', loadShedding, [
    [{ maxEventLoopDelay: 0 }, 'maxEventLoopDelay: expected a number of milliseconds above 0 and at most 2147483647, got 0'],
    [{ maxHeapUsedBytes: '1GB' }, 'maxHeapUsedBytes: expected a whole number of bytes, at least 1, got "1GB"'],
    [{ retryAfter: 0.5 }, 'retryAfter: expected a whole number of seconds, at least 1, got 0.5'],
    [{ onShed: 1 }, `onShed: ${function1}`]
  ]],
  ['logging', logging, [
    [{ level: 'INFO' }, 'level: there is no such option']
  ]],
  ['metrics', metrics, [
    [undefined, 'version: expected a text that is not empty, got nothing'],
    [{ version: '1', token: 'hunter2' }, 'token: expected at least 16 visible ASCII characters without spaces, got ******** (7 characters)'],
    [{ version: '1', path: 'metrics' }, 'path: expected a path that starts with /, got "metrics"'],
    [{ version: '1', rateLimitClients: 1 }, `rateLimitClients: ${function1}`]
  ]],
  ['rate-limit', rateLimit, [
    [undefined, 'requests: expected a whole number, at least 1, got nothing; addressRequests: expected a whole number, at least 1, got nothing; window: expected a whole number of seconds, at least 1, got nothing'],
    [{ ...limits, requests: 0 }, 'requests: expected a whole number, at least 1, got 0'],
    [{ ...limits, addressRequests: Infinity }, 'addressRequests: expected a whole number, at least 1, got Infinity'],
    [{ ...limits, window: 'x' }, 'window: expected a whole number of seconds, at least 1, got "x"'],
    [{ ...limits, principalOf: 1, onLimited: 1 }, `principalOf: ${function1}; onLimited: ${function1}`],
    [{ ...limits, maxKeys: 0 }, 'maxKeys: expected a whole number, at least 1, got 0']
  ]],
  ['redis', redis, [
    [undefined, 'url: expected a redis or rediss URL, got nothing'],
    [{ url: 'http://user:hunter2@redis' }, 'url: expected a redis or rediss URL, got ******** (25 characters)'],
    [{ url: 'redis://redis', keyPrefix: '', commandTimeout: 0, patience: -1 }, 'keyPrefix: expected a text that is not empty, got ""; commandTimeout: expected a number of milliseconds above 0 and at most 2147483647, got 0; patience: expected a number of milliseconds of at least 0 and at most 2147483647, got -1']
  ]],
  ['revocation', revocation, [
    [undefined, 'socket: expected an absolute path of at most 100 bytes, got nothing; denyList: expected a deny-list, got nothing'],
    [{ socket: 'admin.sock', denyList }, 'socket: expected an absolute path of at most 100 bytes, got "admin.sock"'],
    [{ denyList, socket: `/${'a'.repeat(99)}b` }, `socket: expected an absolute path of at most 100 bytes, got "/${'a'.repeat(99)}…"`]
  ]],
  ['tasks', tasks, [
    [{ redis: 'redis://redis' }, 'redis: expected a connection to Redis, got "redis://redis"'],
    [{ ttl: '1d', maxTasksOfOne: 1.5, maxTasks: 0 }, 'ttl: expected a whole number of seconds, at least 1, got "1d"; maxTasksOfOne: expected a whole number, at least 1, got 1.5; maxTasks: expected a whole number, at least 1, got 0']
  ]],
  ['tmp-cleanup', tmpCleanup, [
    [undefined, 'directory: expected the path of a folder, got nothing'],
    [{ directory: '' }, 'directory: expected the path of a folder, got ""'],
    [{ directory: '/tmp/a', maxAgeHours: '1d' }, 'maxAgeHours: expected a number of hours above 0, got "1d"'],
    [{ directory: '/tmp/a', maxAgeHours: NaN }, 'maxAgeHours: expected a number of hours above 0, got NaN'],
    [{ directory: '/tmp/a', maxAgeHours: 0 }, 'maxAgeHours: expected a number of hours above 0, got 0'],
    [{ directory: '/tmp/a', intervalHours: 1000 }, 'intervalHours: expected a number of hours above 0 and at most 596, got 1000']
  ]]
]

for (const [name, plugin, table] of tables) {
  t.test(`${name} names what is wrong with its options`, async (t) => {
    for (const [options, expected] of table) {
      const message = await refusal(t, plugin, options)
      t.equal(message, `OptionsError: ${name}: ${expected}`)
      t.notMatch(message, /hunter2|Zx9-/, 'no secret')
    }
  })
}

t.test('loggingOptions names what is wrong', async (t) => {
  const format = { level: 'INFO', format: 'json', environment: 'test', service: 's', version: '1' }
  const message = (options: Loose): string => {
    try {
      Reflect.apply(loggingOptions, undefined, [options])
      return 'accepted'
    } catch (error) {
      return String(error)
    }
  }
  t.equal(message(format), 'accepted')
  t.equal(message({ ...format, level: 'info' }), 'OptionsError: logging: level: expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, got "info"')
  t.equal(message({ ...format, format: 'xml', destination: {} }), 'OptionsError: logging: format: expected one of json, text, got "xml"; destination: expected an object with a method write, got an object')
})

t.test('what register takes itself is no option of a plugin', async (t) => {
  t.equal(await refusal(t, cors, { origins: [], prefix: '/api', logLevel: 'warn', logSerializers: {} }), 'accepted')
})

t.test('a URL with slashes at its end is one without', async (t) => {
  t.equal(await refusal(t, django, { ...aDjango, baseUrl: 'http://django:8000/sub//' }), 'accepted')
})

t.test('auth is strict where nothing is said: a token has to name the audience and lives a day at most', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(auth, { issuers: [{ type: 'secret', secrets: [secret] }], audience: ['a'] })
  app.get('/', { onRequest: app.authenticate }, async () => 'ok')
  const status = async (claims: Record<string, unknown>): Promise<number> => {
    return (await app.inject({ url: '/', headers: { authorization: `Bearer ${token(claims)}` } })).statusCode
  }
  t.equal(await status({ aud: 'a' }), 200)
  t.equal(await status({}), 401)
  const iat = fromNow(0)
  t.equal(await status({ aud: 'a', iat, exp: iat + 86_400 }), 200)
  t.equal(await status({ aud: 'a', iat, exp: iat + 86_401 }), 401)
})
