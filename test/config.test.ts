import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { generatedKey } from '../checks/keys.ts'
import { ConfigError, configSchema, documentationOf, identityIssuer, identityWay, issuersOf, loadConfig, publicUrl, resourceUrl } from '../config.ts'
import { freePort } from '../demo/free-port.ts'
import { apiKey, environment, secret } from './helper.ts'
import { programs, run } from './starting.ts'

const names = configSchema.keyof().options

/** A value for every variable that is wrong for it, in the types that a JSON file can hold. */
const wrong: Record<string, unknown> = {
  DJANGO_BASE_URL: 'ftp://django:8000',
  DJANGO_API_KEY: 'has a space',
  DJANGO_TIMEOUT: '4',
  DJANGO_MAX_RETRIES: 11,
  DJANGO_POOL_SIZE: '0',
  DJANGO_MAX_RESPONSE_BYTES: 1023,
  DJANGO_HEALTH_PATH: 'health',
  DJANGO_IDENTITY: 'user',
  DJANGO_AUDIENCE: 5,
  IDENTITY_ISSUER: 6,
  ASSERTION_KEY: 'hunter3',
  ASSERTION_KEY_OTHER: '/nowhere/hunter4.pem',
  EXCHANGE_URL: 'auth.example.com/token',
  EXCHANGE_CLIENT_ID: true,
  EXCHANGE_CLIENT_SECRET: ['hunter5'],
  JWT_SECRET: 'hunter2-hunter2',
  JWT_SECRET_PREVIOUS: 'hunter1-hunter1',
  JWT_ALGORITHM: 'none',
  JWT_ISSUER: 1,
  JWT_JWKS_URL: 'auth.example.com/jwks',
  JWT_AUDIENCE: { name: 'audience' },
  INTROSPECTION_URL: '/o/introspect/',
  INTROSPECTION_CLIENT_ID: 1,
  INTROSPECTION_CLIENT_SECRET: { secret: 'hunter2' },
  TOKEN_PROFILE: 'okta',
  ISSUERS: 'hunter2',
  REQUIRED_SCOPES: 'read "write"',
  ADVERTISED_SCOPES: '"',
  JWT_MAX_LIFETIME: 59,
  REVOKED_TOKEN_IDS: 5,
  ADMIN_SOCKET: 'admin.sock',
  AUTH_ENABLED: 'maybe',
  ALLOW_UNAUTHENTICATED: 2,
  RATE_LIMIT_REQUESTS: '0',
  RATE_LIMIT_WINDOW: '59',
  RATE_LIMIT_ADDRESS_REQUESTS: '1.5',
  PORT: '1023',
  MCP_HOST: 7,
  PUBLIC_URL: 'mcp.example.com',
  ALLOWED_HOSTS: 'https://mcp.example.com',
  ALLOWED_ORIGINS: 'https://app.example.com/path',
  TRUST_PROXY: '1',
  CALL_TIMEOUT: '4',
  DRAIN_SECONDS: '-1',
  REDIS_URL: 'http://hunter2@redis:6379',
  READY_REQUIRES_DJANGO: 'perhaps',
  SERVER_NAME: 1,
  SERVER_VERSION: 1,
  ENVIRONMENT: 'prod',
  METRICS_TOKEN: 'short',
  TMP_DIR: [],
  TOOLS_DIR: 1,
  RESOURCES_DIR: false,
  PROMPTS_DIR: 0,
  BUILT_IN_TOOLS: 'perhaps',
  TOOLS_LOCK: false,
  TOOLS_UNAPPROVED: 'ignore',
  DJANGO_SCHEMA: 5,
  SCHEMA_REFRESH_SECONDS: '-1',
  SCHEMA_COPY: {},
  OPENAPI_METHODS: 'FETCH',
  OPENAPI_INCLUDE: 'tag:',
  OPENAPI_EXCLUDE: 5,
  OPENAPI_OVERLAY: 1,
  TOOL_OUTPUT_SCHEMAS: 'some',
  TOOL_TOKEN_BUDGET: 'many',
  TOOL_RESULT_BYTES: 999,
  DJANGO_IDEMPOTENCY_KEYS: 'perhaps',
  LOG_LEVEL: 'LOUD',
  LOG_FORMAT: 'xml',
  AUDIT_LOG: 'some',
  DEBUG: 'nope'
}

/** What `loadConfig` throws for these variables. */
function refusal (variables: Record<string, unknown>): ConfigError {
  try {
    loadConfig(variables)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

/** The problems by variable. */
function problemsOf (variables: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(refusal(variables).problems.map(({ variable, message }) => [variable, message]))
}

function file (t: Test, content: unknown): string {
  return join(t.testdir({ 'config.json': typeof content === 'string' ? content : JSON.stringify(content) }), 'config.json')
}

t.test('a sound configuration gets every default', (t) => {
  const { config } = loadConfig(environment({ TMP_DIR: undefined, LOG_LEVEL: undefined }))
  t.match(config, {
    DJANGO_TIMEOUT: 30, DJANGO_MAX_RETRIES: 3, DJANGO_POOL_SIZE: 20, DJANGO_HEALTH_PATH: '/api/v1/core/stats/',
    REQUIRED_SCOPES: ['read'], JWT_MAX_LIFETIME: 86_400, AUTH_ENABLED: true, ALLOW_UNAUTHENTICATED: false,
    RATE_LIMIT_REQUESTS: 100, RATE_LIMIT_WINDOW: 3600, PORT: 8080, MCP_HOST: '0.0.0.0', ALLOWED_ORIGINS: [], TRUST_PROXY: [],
    DRAIN_SECONDS: 0, READY_REQUIRES_DJANGO: true, ENVIRONMENT: 'production', TMP_DIR: '/tmp/mcp_server', LOG_LEVEL: 'INFO',
    LOG_FORMAT: 'json', DEBUG: false
  })
  t.equal(publicUrl(config), 'http://localhost:8080')
  t.equal(resourceUrl(config), 'http://localhost:8080/mcp')
  t.end()
})

t.test('the result cannot be changed', (t) => {
  const { config } = loadConfig(environment())
  t.ok(Object.isFrozen(config))
  t.throws(() => { Object.assign(config, { PORT: 1 }) }, TypeError)
  t.end()
})

t.test('all variables wrong at once are all named in one error, with what was given and what is expected', (t) => {
  t.same(Object.keys(wrong).toSorted(), names.toSorted(), 'the table covers every variable')
  const error = refusal(wrong)
  const problems = Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]))
  t.same(Object.keys(problems).toSorted(), names.toSorted())
  t.equal(error.problems.length, names.length, 'each once')
  t.match(error.message, `Configuration is not valid (${names.length} problems):`)
  for (const name of names) {
    t.match(problems[name], `expected ${documentationOf(name).expected}`, `${name}: what is expected`)
    t.match(error.message, `  ${name}: ${problems[name]}\n`, `${name}: in the message`)
    const given = typeof wrong[name] === 'string' ? wrong[name] : JSON.stringify(wrong[name])
    if (documentationOf(name).secret === true) {
      t.match(problems[name], `given ******** (${given.length} characters)`, `${name}: masked`)
      t.notMatch(error.message, given, `${name}: not printed`)
    } else {
      t.match(problems[name], `given ${JSON.stringify(given)}`, `${name}: what was given`)
    }
  }
  t.end()
})

t.test('what is required and not set is named', (t) => {
  t.same(problemsOf({}), {
    DJANGO_BASE_URL: 'not set; expected an http or https URL without credentials, query or fragment',
    DJANGO_API_KEY: 'not set; expected visible ASCII characters without spaces',
    JWT_SECRET: 'not set; expected a text of at least 32 characters, or an issuer in JWT_ISSUER or ISSUERS'
  })
  t.match(refusal(environment({ JWT_SECRET: undefined })).message, 'Configuration is not valid (1 problem):')
  t.end()
})

t.test('credentials in a URL are refused and not printed', (t) => {
  for (const url of [
    'http://admin:hunter2@django:8000',
    'http://hunter2@django:8000',
    'http://admin:hunter2@x@django:8000',
    'http://admin:hunter2/x@django:8000',
    'http://admin:hunter2/x?y@django:8000',
    'admin:hunter2@django:8000',
    'http://django:8000/?api_key=hunter2',
    'http://django:8000/#hunter2'
  ]) {
    for (const variable of ['DJANGO_BASE_URL', 'PUBLIC_URL', 'ALLOWED_ORIGINS', 'TRUST_PROXY']) {
      const error = refusal(environment({ [variable]: url }))
      t.same(error.problems.map(({ variable }) => variable), [variable], `${variable}=${url}`)
      t.notMatch(error.message, 'hunter2', `${variable}=${url}: not printed`)
    }
  }
  t.match(problemsOf(environment({ DJANGO_BASE_URL: 'http://admin:hunter2@django:8000' })).DJANGO_BASE_URL, 'given "http://********@django:8000"')
  t.notMatch(refusal(environment({ ALLOWED_ORIGINS: ['https://a.example', 'https://admin:hunter2@b.example'] })).message, 'hunter2')
  t.end()
})

t.test('a long value is cut in the message', (t) => {
  const { LOG_LEVEL } = problemsOf(environment({ LOG_LEVEL: 'x'.repeat(10_000) }))
  t.match(LOG_LEVEL, `given "${'x'.repeat(100)}…"`)
  t.notMatch(LOG_LEVEL, 'x'.repeat(101))
  t.end()
})

t.test('bounds are part of the range', (t) => {
  const bounds: Array<[string, number, number]> = [
    ['PORT', 1024, 65_535], ['DJANGO_TIMEOUT', 5, 300], ['DJANGO_MAX_RETRIES', 0, 10], ['DJANGO_POOL_SIZE', 1, 100],
    ['RATE_LIMIT_REQUESTS', 1, Number.MAX_SAFE_INTEGER], ['RATE_LIMIT_WINDOW', 60, Number.MAX_SAFE_INTEGER], ['DRAIN_SECONDS', 0, 300],
    ['JWT_MAX_LIFETIME', 60, 31_536_000]
  ]
  for (const [name, min, max] of bounds) {
    for (const value of [min, max]) {
      const { config } = loadConfig(environment({ [name]: String(value) }))
      t.match(config, { [name]: value }, `${name}=${value}`)
    }
    for (const value of [min - 1, max + 1]) t.match(problemsOf(environment({ [name]: String(value) }))[name], 'expected a whole number', `${name}=${value}`)
  }
  t.end()
})

t.test('numbers that are not written as whole numbers are refused', (t) => {
  for (const value of ['8080.5', '1e4', '0x1f90', '8_080', '8080 and more', 'NaN', 'Infinity', 8080.5, true]) {
    t.match(problemsOf(environment({ PORT: value })).PORT, 'expected a whole number from 1024 to 65535', String(value))
  }
  t.equal(loadConfig(environment({ PORT: ' 9090 ' })).config.PORT, 9090)
  t.end()
})

t.test('names of levels, formats and environments may be written in any case', (t) => {
  const { config } = loadConfig(environment({ LOG_LEVEL: 'warning', LOG_FORMAT: 'TEXT', ENVIRONMENT: 'Staging' }))
  t.match(config, { LOG_LEVEL: 'WARNING', LOG_FORMAT: 'text', ENVIRONMENT: 'staging' })
  t.end()
})

t.test('URLs lose their trailing slash', (t) => {
  const { config } = loadConfig(environment({ DJANGO_BASE_URL: 'http://django:8000/sub//', PUBLIC_URL: 'https://mcp.example.com/' }))
  t.equal(config.DJANGO_BASE_URL, 'http://django:8000/sub')
  t.equal(resourceUrl(config), 'https://mcp.example.com/mcp')
  t.end()
})

t.test('lists are split at commas, trimmed, and lose empty entries', (t) => {
  const { config } = loadConfig(environment({ ALLOWED_ORIGINS: ' https://a.example , https://b.example:8443,,', TRUST_PROXY: '10.0.0.0/8, ::1,fd00::/8' }))
  t.same(config.ALLOWED_ORIGINS, ['https://a.example', 'https://b.example:8443'])
  t.same(config.TRUST_PROXY, ['10.0.0.0/8', '::1', 'fd00::/8'])
  t.end()
})

t.test('[attack 67] [requirement 19] a hop count, true or every address as trusted proxy is refused', (t) => {
  for (const value of ['1', 'true', true, 1, '*', '0.0.0.0/0', '::/0', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', '10.0.0.0/', 'loopback', 'proxy.example']) {
    t.match(problemsOf(environment({ TRUST_PROXY: value })).TRUST_PROXY, 'expected IP addresses or CIDR ranges', String(value))
  }
  t.end()
})

t.test('origins must be origins', (t) => {
  for (const value of ['https://app.example.com/', 'https://app.example.com/path', 'app.example.com', 'null', 'HTTPS://app.example.com', 'https://app.example.com:443']) {
    t.match(problemsOf(environment({ ALLOWED_ORIGINS: value })).ALLOWED_ORIGINS, 'expected origins', value)
  }
  t.end()
})

t.test('empty values count as not set', (t) => {
  const { config } = loadConfig(environment({ PORT: '', JWT_ISSUER: '', JWT_AUDIENCE: '', ALLOWED_ORIGINS: '', DEBUG: '', CONFIG_FILE: '', SERVER_NAME: '' }))
  t.match(config, { PORT: 8080, ALLOWED_ORIGINS: [], DEBUG: false, SERVER_NAME: 'django-mcp-server' })
  t.equal(config.JWT_ISSUER, undefined)
  t.equal(config.JWT_AUDIENCE, undefined)
  t.match(problemsOf(environment({ JWT_SECRET: '' })).JWT_SECRET, 'not set')
  t.end()
})

t.test('a Redis URL may carry a password, which is not printed', (t) => {
  for (const url of ['redis://redis', 'redis://redis:6379/0', 'rediss://user:hunter2@redis.example.com:6380/1', 'redis://:hunter2@[::1]:6379']) {
    t.equal(loadConfig(environment({ REDIS_URL: url })).config.REDIS_URL, url)
  }
  for (const url of ['redis', 'redis:6379', '//:hunter2@redis', 'redis://', 'redis:///0', 'http://:hunter2@redis', 'redis://:hunter2@redis:99999', 'unix:///hunter2', 5]) {
    const { message, problems } = refusal(environment({ REDIS_URL: url }))
    t.match(problems, [{ variable: 'REDIS_URL', message: /^given \*{8} \(\d+ characters\); expected a redis or rediss URL/ }], String(url))
    t.notMatch(message, 'hunter2')
  }
  t.end()
})

t.test('[attack 93] [requirement 18] a secret that is no secret is refused', (t) => {
  const table: Array<[string, string, RegExp]> = [
    ['short', 'Zx9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg', /expected a text of at least 32 characters/],
    ['PEM', '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----', /a PEM key is not a shared secret/],
    ['PEM behind a line break', '\n  -----BEGIN PRIVATE KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PRIVATE KEY-----', /a PEM key is not a shared secret/],
    ['JWK', '{ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ" }', /a JSON Web Key is not a shared secret/],
    ['JWK set', '{\n"keys": [{ "kty": "RSA", "n": "AyM1SysPpbyDfgZld3umj1qzKObwV" }] }', /a JSON Web Key is not a shared secret/],
    ['the sentence of .env.example', 'output of: openssl rand -base64 48', /this is a placeholder/],
    ['placeholder', 'change-me-change-me-change-me-0123456789', /this is a placeholder/],
    ['changeit', 'changeit-changeit-0123456789-abcdef', /this is a placeholder/],
    ['your secret', 'your_secret_key_goes_here_0123456789abc', /this is a placeholder/],
    ['Django\'s default', 'django-insecure-8d7f6g5h4j3k2l1z0x9c8v7b6n5m', /this is a placeholder/],
    ['one character', 'a'.repeat(64), /too few different characters/],
    ['pattern', '12341234'.repeat(8), /too few different characters/]
  ]
  for (const [name, value, expected] of table) {
    for (const variable of ['JWT_SECRET', 'JWT_SECRET_PREVIOUS']) {
      const error = refusal(environment({ [variable]: value }))
      t.same(error.problems.map(({ variable }) => variable), [variable], `${variable}: ${name}`)
      t.match(error.message, expected, `${variable}: ${name}`)
      t.notMatch(error.message, value, `${variable}: ${name} is not printed`)
    }
  }
  t.end()
})

t.test('a key that stands for another is refused', (t) => {
  for (const key of ['changeme', 'CHANGE-ME', 'changeit', 'your-django-api-key', 'your_api_key_here', 'yourkey', '<key>', '<your-key>', '${DJANGO_API_KEY}', 'xxxx', '...', 'placeholder', 'replace-me', 'todo', 'api-key', 'DJANGO_API_KEY', 'test']) {
    const error = refusal(environment({ DJANGO_API_KEY: key }))
    t.match(error.problems, [{ variable: 'DJANGO_API_KEY', message: `given ******** (${key.length} characters); this is a placeholder; expected a key that Django knows` }], key)
  }
  for (const key of [apiKey, 'prefix.secret', 'demo.this-key-opens-sample-data-only', 'Xy12ab34.yourQ7x', 'sk_test_1', 'a']) t.equal(loadConfig(environment({ DJANGO_API_KEY: key })).config.DJANGO_API_KEY, key)
  t.end()
})

t.test('[attack 93] a secret that Django uses too is refused', (t) => {
  for (const other of ['DJANGO_SECRET_KEY', 'SECRET_KEY', 'DJANGO_API_KEY']) {
    for (const variable of ['JWT_SECRET', 'JWT_SECRET_PREVIOUS']) {
      const shared = 'Qp7Rs1Tv8Wb3Nc6Dh5Fg0Zx9-uY2kLm4'
      const error = refusal(environment({ [other]: shared, [variable]: shared }))
      t.same(error.problems.map(({ variable }) => variable), [variable], `${variable} = ${other}`)
      t.match(error.message, `the same as ${other}`)
      t.notMatch(error.message, shared)
    }
  }
  t.equal(loadConfig(environment({ DJANGO_SECRET_KEY: 'Qp7Rs1Tv8Wb3Nc6Dh5Fg0Zx9-uY2kLm4' })).config.JWT_SECRET, secret)
  t.end()
})

t.test('[requirement 19] [authorization 28] production refuses what is unsafe unless it is asked for by name', (t) => {
  t.match(problemsOf(environment({ AUTH_ENABLED: 'false' })).AUTH_ENABLED, 'refused in production unless ALLOW_UNAUTHENTICATED=true')
  t.match(problemsOf(environment({ AUTH_ENABLED: false })).AUTH_ENABLED, 'refused in production unless ALLOW_UNAUTHENTICATED=true')
  t.match(problemsOf(environment({ ALLOWED_ORIGINS: '*' })).ALLOWED_ORIGINS, 'refused in production')
  t.match(problemsOf(environment({ ALLOWED_ORIGINS: 'https://a.example,*' })).ALLOWED_ORIGINS, 'refused in production')
  t.match(problemsOf(environment({ JWT_ISSUER: 'http://auth.example.com' })).JWT_ISSUER, 'expected an https URL')
  t.match(problemsOf(environment({ JWT_ISSUER: 'HTTP://auth.example.com' })).JWT_ISSUER, 'expected an https URL')
  t.same(Object.keys(problemsOf(environment({ AUTH_ENABLED: 'false', ALLOWED_ORIGINS: '*', JWT_ISSUER: 'http://auth.example.com' }))).toSorted(),
    ['ALLOWED_ORIGINS', 'AUTH_ENABLED', 'JWT_ISSUER'], 'all at once')

  t.match(loadConfig(environment({ AUTH_ENABLED: 'false', ALLOW_UNAUTHENTICATED: 'true' })).config, { AUTH_ENABLED: false })
  for (const ENVIRONMENT of ['staging', 'development', 'test']) {
    t.match(loadConfig(environment({ ENVIRONMENT, AUTH_ENABLED: 'false', ALLOWED_ORIGINS: '*', JWT_ISSUER: 'http://localhost:9000', JWT_SECRET: undefined })).config,
      { AUTH_ENABLED: false, ALLOWED_ORIGINS: ['*'], JWT_ISSUER: 'http://localhost:9000' }, ENVIRONMENT)
  }
  t.end()
})

t.test('a key is a PEM, one with its line ends written out, or a file; what it is not is not printed', (t) => {
  const key = generatedKey()
  const file = join(t.testdir({ 'key.pem': key, 'public.pem': createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString() }), 'key.pem')
  for (const given of [key, key.replaceAll('\n', '\\n'), file]) {
    t.equal(loadConfig(environment({ ASSERTION_KEY: given })).config.ASSERTION_KEY?.trim(), key.trim())
  }
  t.match(loadConfig(environment({ ASSERTION_KEY_OTHER: file.replace('key.pem', 'public.pem') })).config.ASSERTION_KEY_OTHER, '-----BEGIN PUBLIC KEY-----')
  const wrong = key.replace('-----END', 'hunter2-----END')
  t.match(problemsOf(environment({ ASSERTION_KEY: wrong })), { ASSERTION_KEY: /^given \*{8} \(\d+ characters\); expected the PEM of a private key of P-256/ })
  t.match(problemsOf(environment({ ASSERTION_KEY: `${file}.missing` })).ASSERTION_KEY, 'expected the PEM')
  t.end()
})

t.test('[requirement 22] telling Django about users takes what it takes', (t) => {
  const assertion = { DJANGO_IDENTITY: 'assertion', ASSERTION_KEY: generatedKey(), PUBLIC_URL: 'https://mcp.example.com' }
  const exchange = { DJANGO_IDENTITY: 'exchange', EXCHANGE_URL: 'https://auth.example.com/token/', EXCHANGE_CLIENT_ID: 'a', EXCHANGE_CLIENT_SECRET: 'b', JWT_ISSUER: 'https://auth.example.com' }
  t.equal(identityWay(loadConfig(environment()).config), null)
  t.match(identityWay(loadConfig(environment(assertion)).config), { type: 'assertion', issuer: 'https://mcp.example.com', audience: 'http://127.0.0.1:9', otherKey: undefined })
  t.match(identityWay(loadConfig(environment({ ...exchange, DJANGO_AUDIENCE: 'django' })).config), { type: 'exchange', url: 'https://auth.example.com/token/', audience: 'django' })
  t.same(problemsOf(environment({ DJANGO_IDENTITY: 'assertion' })), {
    ASSERTION_KEY: 'not set; needed while DJANGO_IDENTITY is assertion', PUBLIC_URL: 'not set; needed while DJANGO_IDENTITY is assertion'
  })
  t.same(Object.keys(problemsOf(environment({ DJANGO_IDENTITY: 'exchange' }))), ['EXCHANGE_URL', 'EXCHANGE_CLIENT_ID', 'EXCHANGE_CLIENT_SECRET', 'IDENTITY_ISSUER'])
  t.match(problemsOf(environment({ ...assertion, AUTH_ENABLED: 'false', ALLOW_UNAUTHENTICATED: 'true' })).DJANGO_IDENTITY, 'nobody signs in while AUTH_ENABLED is false')
  t.match(problemsOf(environment({ ...assertion, ASSERTION_KEY: 'generated' })).ASSERTION_KEY, 'refused in production; expected a key that all replicas have')
  t.match(identityWay(loadConfig(environment({ ...assertion, ASSERTION_KEY: 'generated', ENVIRONMENT: 'development' })).config), { key: /BEGIN PRIVATE KEY/ })
  const ISSUERS = [{ type: 'jwks', issuer: 'https://a.example.com' }, { type: 'jwks', issuer: 'https://b.example.com' }]
  const several = { ...assertion, JWT_SECRET: undefined, ISSUERS }
  t.match(problemsOf(environment(several)).IDENTITY_ISSUER, 'needed while DJANGO_IDENTITY is assertion, unless there is one issuer with a name')
  t.match(problemsOf(environment({ ...several, IDENTITY_ISSUER: 'https://c.example.com' })).IDENTITY_ISSUER, 'no such issuer is configured')
  t.equal(identityIssuer(loadConfig(environment({ ...several, IDENTITY_ISSUER: 'https://b.example.com' })).config), 'https://b.example.com')
  t.equal(identityIssuer(loadConfig(environment({ ...several, ISSUERS: ISSUERS.slice(1) })).config), 'https://b.example.com')
  t.match(problemsOf(environment({ ...exchange, EXCHANGE_URL: 'http://auth.example.com/token' })).EXCHANGE_URL, 'refused in production; expected an https URL')
  t.end()
})

/** A sound configuration without a secret. */
function issuerEnvironment (overrides: Record<string, unknown>): Record<string, unknown> {
  return environment({ JWT_SECRET: undefined, ...overrides })
}

const issuer = 'https://auth.example.com'
const introspection = { JWT_ISSUER: issuer, INTROSPECTION_URL: 'https://django.example.com/o/introspect/', INTROSPECTION_CLIENT_ID: 'mcp', INTROSPECTION_CLIENT_SECRET: 'p4ss' }

t.test('one issuer is configured by variables', async (t) => {
  const issuers = (variables: Record<string, unknown>) => issuersOf(loadConfig(variables).config)
  t.strictSame(issuers(environment()), [{ type: 'secret', secrets: [secret], issuer: undefined, audienceRequired: false, profile: undefined }])
  t.match(issuers(environment({ JWT_SECRET_PREVIOUS: `${secret}1` })), [{ secrets: [secret, `${secret}1`] }])
  for (const variables of [{ JWT_AUDIENCE: 'a' }, { JWT_ISSUER: 'me' }, { TOKEN_PROFILE: 'simplejwt' }]) t.match(issuers(environment(variables)), [{ audienceRequired: true }], JSON.stringify(variables))
  t.strictSame(issuers(issuerEnvironment({ JWT_ISSUER: `${issuer}/` })), [{ type: 'jwks', issuer: `${issuer}/`, jwksUrl: undefined, algorithm: undefined, profile: undefined }], 'as it is, with its slash')
  t.match(issuers(issuerEnvironment({ JWT_ISSUER: issuer, JWT_JWKS_URL: `${issuer}/keys?p=1`, JWT_ALGORITHM: 'ES256', TOKEN_PROFILE: 'keycloak' })), [{ type: 'jwks', jwksUrl: `${issuer}/keys?p=1`, algorithm: 'ES256', profile: 'keycloak' }])
  t.strictSame(issuers(issuerEnvironment({ ...introspection, TOKEN_PROFILE: 'django-oauth-toolkit' })), [{ type: 'introspection', issuer, url: introspection.INTROSPECTION_URL, clientId: 'mcp', clientSecret: 'p4ss', profile: 'django-oauth-toolkit' }])
  t.equal(issuers(environment({ ENVIRONMENT: 'test', AUTH_ENABLED: 'false', JWT_SECRET: undefined })), null)
})

t.test('several issuers are configured as JSON, in the environment or in a file', async (t) => {
  const entries = [{ type: 'secret', issuer: 'me', secrets: [secret] }, { type: 'jwks', issuer, audience: ['guid'], profile: 'entra' }, { type: 'introspection', issuer: 'https://django.example.com/o', url: introspection.INTROSPECTION_URL, clientId: 'mcp', clientSecret: 'p4ss' }]
  for (const ISSUERS of [JSON.stringify(entries), entries]) {
    t.match(issuersOf(loadConfig(issuerEnvironment({ ISSUERS })).config), entries)
    t.match(issuersOf(loadConfig({ CONFIG_FILE: file(t, issuerEnvironment({ ISSUERS })) }).config), entries)
  }
})

t.test('[requirement 10] variables of two ways to verify tokens do not go together', async (t) => {
  const named = (variables: Record<string, unknown>): string[] => Object.keys(problemsOf(variables)).toSorted()
  t.strictSame(named(environment({ JWT_ISSUER: issuer, JWT_JWKS_URL: issuer })), ['JWT_JWKS_URL'])
  t.strictSame(named(environment(introspection)), ['INTROSPECTION_CLIENT_ID', 'INTROSPECTION_CLIENT_SECRET', 'INTROSPECTION_URL'])
  t.strictSame(named(issuerEnvironment({ ...introspection, JWT_JWKS_URL: issuer })), ['JWT_JWKS_URL'])
  t.strictSame(named(environment({ JWT_ALGORITHM: 'RS256' })), ['JWT_ALGORITHM'])
  t.strictSame(named(issuerEnvironment({ JWT_ISSUER: issuer, JWT_ALGORITHM: 'HS256' })), ['JWT_ALGORITHM'])
  t.strictSame(named(issuerEnvironment({ ...introspection, JWT_ALGORITHM: 'RS256' })), ['JWT_ALGORITHM'])
  t.strictSame(named(issuerEnvironment({ JWT_ISSUER: issuer, JWT_SECRET_PREVIOUS: `${secret}1` })), ['JWT_SECRET_PREVIOUS'])
  t.strictSame(named(environment({ ...introspection, JWT_ALGORITHM: 'HS256', ISSUERS: [{ type: 'jwks', issuer }] })),
    ['INTROSPECTION_CLIENT_ID', 'INTROSPECTION_CLIENT_SECRET', 'INTROSPECTION_URL', 'JWT_ALGORITHM', 'JWT_ISSUER', 'JWT_SECRET'])
  t.equal(problemsOf(environment({ ISSUERS: [{ type: 'jwks', issuer }] })).JWT_SECRET, 'given ******** (32 characters); ISSUERS is set and takes its place; expected an entry of ISSUERS, or no ISSUERS')
})

t.test('what a way to verify tokens needs is named', async (t) => {
  t.match(problemsOf(issuerEnvironment({ INTROSPECTION_URL: introspection.INTROSPECTION_URL })), {
    INTROSPECTION_CLIENT_ID: 'not set; needed with INTROSPECTION_URL', INTROSPECTION_CLIENT_SECRET: 'not set; needed with INTROSPECTION_URL',
    JWT_ISSUER: 'not set; needed with INTROSPECTION_URL; expected the URL of the issuer'
  })
  t.strictSame(Object.keys(problemsOf(issuerEnvironment({ JWT_ISSUER: issuer, INTROSPECTION_CLIENT_ID: 'mcp' }))).toSorted(), ['INTROSPECTION_CLIENT_SECRET', 'INTROSPECTION_URL'])
  t.strictSame(problemsOf(issuerEnvironment({ JWT_JWKS_URL: issuer })), { JWT_ISSUER: 'not set; needed with JWT_JWKS_URL; expected the URL of the issuer' })
  for (const JWT_ISSUER of ['me', `${issuer}?a=b`, 'ftp://auth.example.com', 'https://u:hunter2@auth.example.com']) t.match(problemsOf(issuerEnvironment({ JWT_ISSUER })), { JWT_ISSUER: /expected the URL of the issuer$/ }, JWT_ISSUER)
})

t.test('everything that is wrong in ISSUERS is named by its place, and no secret is printed', async (t) => {
  const wrongIssuers = [{ type: 'jwks', issuer: 'auth', algorithm: 'HS256', colour: 'blue' }, { type: 'saml' }, { type: 'secret', secrets: ['hunter2'] }, { type: 'introspection', issuer, url: 'x', clientId: 'a' }]
  for (const ISSUERS of [wrongIssuers, JSON.stringify(wrongIssuers)]) {
    const { message } = refusal(issuerEnvironment({ ISSUERS }))
    for (const part of [
      '0.issuer: expected the URL of an issuer', '0.algorithm: expected one of RS256', '0.colour: there is no such option', '1.type: expected a type of issuer', '2.secrets.0: expected a secret of at least 32 bytes',
      '3.url: expected an http or https URL', '3.clientSecret: expected a text', 'expected a JSON list of issuers'
    ]) t.match(message, part, part)
    t.notMatch(message, 'hunter2')
    t.notMatch(message, 'JWT_SECRET', 'it is not that none is given')
  }
  for (const ISSUERS of ['', '[', 'null', '{}', '[]', '[1]', [null], 5, {}]) t.notSame(problemsOf(issuerEnvironment({ ISSUERS })), {}, JSON.stringify(ISSUERS))
  t.match(problemsOf(issuerEnvironment({ ISSUERS: [{ type: 'jwks', issuer }, { type: 'jwks', issuer }] })).ISSUERS, '1.issuer: expected an issuer that no other entry has')
  t.match(problemsOf(issuerEnvironment({ ISSUERS: [{ type: 'jwks', issuer }, { type: 'secret', secrets: [secret] }] })).ISSUERS, '1.issuer: expected an issuer, since there are several')
})

t.test('[attack 93] [requirement 18] secrets in ISSUERS are held to the same', async (t) => {
  const problem = (secrets: string[], more = {}): string | undefined => problemsOf(issuerEnvironment({ ISSUERS: [{ type: 'secret', secrets }], ...more })).ISSUERS
  t.match(problem([secret, 'change-me-change-me-change-me-0123456789']), '0.secrets: this is a placeholder')
  t.match(problem(['{ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ" }']), '0.secrets: a JSON Web Key')
  t.match(problem([secret], { DJANGO_SECRET_KEY: secret }), '0.secrets: the same as DJANGO_SECRET_KEY')
  t.match(problem(['-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A']), '0.secrets: a PEM key')
})

t.test('[requirement 16] [requirement 19] [authorization 28] production refuses to reach issuers without TLS', async (t) => {
  t.strictSame(Object.keys(problemsOf(issuerEnvironment({ JWT_ISSUER: issuer, JWT_JWKS_URL: 'http://auth.example.com/jwks' }))), ['JWT_JWKS_URL'])
  t.strictSame(Object.keys(problemsOf(issuerEnvironment({ ...introspection, INTROSPECTION_URL: 'HTTP://django.example.com/o/introspect/' }))), ['INTROSPECTION_URL'])
  const ISSUERS = [{ type: 'jwks', issuer: 'http://a.example.com', jwksUrl: 'http://a.example.com/jwks' }, { type: 'introspection', issuer, url: 'http://a.example.com', clientId: 'a', clientSecret: 'b' }]
  t.match(problemsOf(issuerEnvironment({ ISSUERS })).ISSUERS, '0.issuer, 0.jwksUrl, 1.url: refused in production; expected https URLs')
  t.equal(loadConfig(issuerEnvironment({ ISSUERS, ENVIRONMENT: 'development' })).config.ISSUERS?.length, 2)
})

t.test('[requirement 2] [authorization 16] offline_access is no scope of this service', async (t) => {
  t.match(problemsOf(environment({ REQUIRED_SCOPES: 'read,offline_access' })).REQUIRED_SCOPES, 'offline_access is no scope of a resource')
  t.match(problemsOf(environment({ ADVERTISED_SCOPES: 'offline_access' })).ADVERTISED_SCOPES, 'offline_access is no scope of a resource')
})

t.test('one folder for tools and resources is refused', (t) => {
  t.match(problemsOf(environment({ TOOLS_DIR: '/app/custom', RESOURCES_DIR: '/app/custom' })).RESOURCES_DIR, 'the same as TOOLS_DIR')
  t.end()
})

t.test('refusing what is not approved takes a file that says what is', (t) => {
  t.match(problemsOf(environment({ TOOLS_UNAPPROVED: 'refuse' })).TOOLS_LOCK, 'needed with TOOLS_UNAPPROVED=refuse')
  t.equal(loadConfig(environment({ TOOLS_UNAPPROVED: 'refuse', TOOLS_LOCK: '/app/custom/tools.lock.json' })).config.TOOLS_UNAPPROVED, 'refuse')
  t.end()
})

t.test('a folder for temporary files that holds anything else is refused', (t) => {
  const { TMP_DIR } = problemsOf(environment({ TMP_DIR: 'tmp' }))
  t.equal(TMP_DIR, 'given "tmp"; expected an absolute path')
  t.equal(problemsOf(environment({ TMP_DIR: '/' })).TMP_DIR, 'given "/"; it is the root of the file system; expected a folder of this service alone')
  t.match(problemsOf(environment({ TMP_DIR: '/tmp/' })).TMP_DIR, 'it is the system\'s folder for temporary files')
  t.match(problemsOf(environment({ TMP_DIR: process.cwd() })).TMP_DIR, 'it is the working directory')
  t.end()
})

t.test('warnings say what is unsafe', (t) => {
  const quiet = { PUBLIC_URL: 'https://mcp.example.com', JWT_ISSUER: 'https://auth.example.com' }
  t.same(loadConfig(environment(quiet)).warnings, [])
  t.same(loadConfig(environment({ ...quiet, ENVIRONMENT: 'test', AUTH_ENABLED: 'false', ALLOWED_ORIGINS: '*', ALLOWED_HOSTS: '*' })).warnings, [
    'AUTH_ENABLED=false: every caller may use every tool',
    'ALLOWED_ORIGINS=*: web pages of any origin may call this service',
    'ALLOWED_HOSTS=*: pages whose name is made to resolve to this service may call it'
  ])
  t.same(loadConfig(environment({ PORT: '9090' })).warnings, [
    'JWT_AUDIENCE is not set: the secret alone binds tokens to this service; a token with aud must name http://localhost:9090/mcp',
    'PUBLIC_URL is not set: challenges point clients to http://localhost:9090'
  ])
  t.end()
})

t.test('a misspelt variable is a warning when the rest is sound, and part of the error when it is not', (t) => {
  const { warnings } = loadConfig(environment({ RATE_LIMIT_REQUEST: '5', DJANGO_TIMOUT: '5', django_pool_size: '5' }))
  t.ok(warnings.includes('RATE_LIMIT_REQUEST is set but unknown; did you mean RATE_LIMIT_REQUESTS?'))
  t.ok(warnings.includes('DJANGO_TIMOUT is set but unknown; did you mean DJANGO_TIMEOUT?'))
  t.ok(warnings.includes('django_pool_size is set but unknown; did you mean DJANGO_POOL_SIZE?'))

  const error = refusal(environment({ DJANGO_API_KEY: undefined, DJANGO_APIKEY: 'prefix.hunter2' }))
  t.match(error.problems, [{ variable: 'DJANGO_API_KEY', message: /^not set/ }, { variable: 'DJANGO_APIKEY', message: 'unknown; did you mean DJANGO_API_KEY?' }])
  t.notMatch(error.message, 'hunter2')
  t.end()
})

t.test('a misspelt variable is mentioned also where the one that was meant is set and wrong', (t) => {
  const messages = (variables: Record<string, unknown>): string => refusal(environment(variables)).message
  t.match(messages({ PORTT: '9090', PORT: 'http' }), 'PORTT: unknown; did you mean PORT?')
  t.match(messages({ JWT_SECRETS: secret, JWT_SECRET: 'changeme-changeme-changeme-0123456789' }), 'JWT_SECRETS: unknown; did you mean JWT_SECRET?')
  t.notMatch(messages({ PORTT: '9090', PORT: '9090', DEBUG: 'nope' }), 'PORTT', 'the one that was meant is set and sound')
  t.end()
})

t.test('variables of other programs are not taken for misspelt ones', (t) => {
  const others = { PATH: '/bin', HOME: '/', POST: '1', HOST: 'x', LOGNAME: 'x', TMPDIR: '/tmp', DJANGO_SETTINGS_MODULE: 'x', DJANGO_SECRET_KEY: 'x', DJANGO_DEBUG: '1', KUBERNETES_PORT: '1' }
  t.same(loadConfig(environment({ ...others, PUBLIC_URL: 'https://mcp.example.com', JWT_ISSUER: 'https://auth.example.com' })).warnings, [])
  t.notMatch(loadConfig(environment({ RATE_LIMIT_REQUEST: '5', RATE_LIMIT_REQUESTS: '6' })).warnings.join('\n'), 'RATE_LIMIT_REQUEST ', 'the variable that was meant is set')
  t.end()
})

t.test('CONFIG_FILE takes the place of variables, with values in their JSON types', (t) => {
  const CONFIG_FILE = file(t, {
    DJANGO_BASE_URL: 'http://django:8000', DJANGO_API_KEY: apiKey, JWT_SECRET: secret, PORT: 9000, DEBUG: true, READY_REQUIRES_DJANGO: false,
    ALLOWED_ORIGINS: ['https://a.example', ' https://b.example '], REQUIRED_SCOPES: ['read', 'write'], JWT_ISSUER: null, DJANGO_TIMEOUT: '60'
  })
  const { config } = loadConfig({ CONFIG_FILE })
  t.match(config, {
    DJANGO_BASE_URL: 'http://django:8000', PORT: 9000, DEBUG: true, READY_REQUIRES_DJANGO: false,
    ALLOWED_ORIGINS: ['https://a.example', 'https://b.example'], REQUIRED_SCOPES: ['read', 'write'], DJANGO_TIMEOUT: 60
  })
  t.equal(config.JWT_ISSUER, undefined)
  t.end()
})

t.test('the environment goes over the file, except where it is empty', (t) => {
  const CONFIG_FILE = file(t, { PORT: 9000, DEBUG: true, SERVER_NAME: 'from-file' })
  t.match(loadConfig(environment({ CONFIG_FILE, PORT: '9001', SERVER_NAME: '' })).config, { PORT: 9001, DEBUG: true, SERVER_NAME: 'from-file' })
  t.end()
})

t.test('a file that cannot be used is one problem among the others', (t) => {
  const folder = t.testdir({ 'broken.json': '{ "PORT": 1', 'array.json': '[]', 'text.json': '"PORT"', 'null.json': 'null' })
  const table: Array<[string, string]> = [
    ['missing.json', 'it cannot be read'], ['.', 'it cannot be read'], ['broken.json', 'it is not valid JSON'],
    ['array.json', 'it is not a JSON object'], ['text.json', 'it is not a JSON object'], ['null.json', 'it is not a JSON object']
  ]
  for (const [name, reason] of table) {
    const problems = problemsOf(environment({ CONFIG_FILE: join(folder, name), PORT: '1' }))
    t.match(problems.CONFIG_FILE, `${reason}; expected a JSON object with variables as keys`, name)
    t.match(problems.CONFIG_FILE, name)
    t.match(problems.PORT, 'given "1"', 'the others are named too')
  }
  t.end()
})

t.test('an unknown key in the file is refused, with a hint where one is near', (t) => {
  const CONFIG_FILE = file(t, { PROT: 9000, LOG_LEVLE: 'INFO', COLOUR: 'hunter2', constructor: 1 })
  const error = refusal(environment({ CONFIG_FILE }))
  const problems = Object.fromEntries(error.problems.map(({ variable, message }) => [variable, message]))
  t.same(problems, {
    PROT: `unknown in ${CONFIG_FILE}`,
    LOG_LEVLE: `unknown in ${CONFIG_FILE}; did you mean LOG_LEVEL?`,
    COLOUR: `unknown in ${CONFIG_FILE}`,
    constructor: `unknown in ${CONFIG_FILE}`
  })
  t.notMatch(error.message, 'hunter2')
  t.end()
})

t.test('a secret from the file is compared with Django\'s from the environment', (t) => {
  const CONFIG_FILE = file(t, { JWT_SECRET: secret })
  t.match(problemsOf(environment({ JWT_SECRET: undefined, CONFIG_FILE, DJANGO_SECRET_KEY: secret })).JWT_SECRET, 'the same as DJANGO_SECRET_KEY')
  t.end()
})

t.test('every variable has a description, a group and an expected form', (t) => {
  for (const name of names) {
    const { group, description, expected } = documentationOf(name)
    t.ok(group.length > 0 && description.endsWith('.') && expected.length > 0, name)
  }
  t.end()
})

for (const [name, args] of Object.entries(programs)) {
  t.test(`${name} with every variable wrong names all of them, ends with 1 and never listens`, async (t) => {
    const port = await freePort()
    const CONFIG_FILE = file(t, { ...wrong, COLOUR: 'blue' })
    const { code, stdout, stderr, tries, opened } = await run(t, args, { CONFIG_FILE, PORT: String(port) }, port)
    t.equal(code, 1)
    t.notOk(opened)
    t.ok(tries > 1, 'connecting was tried while it ran')
    for (const variable of names) {
      if (variable !== 'PORT') t.match(stderr, `\n  ${variable}: `, variable)
    }
    t.match(stderr, /^Configuration is not valid \(\d+ problems\):\n/)
    t.match(stderr, '  COLOUR: unknown in ')
    t.notMatch(stderr, /^\s+at .*[:)]\d*/m, 'no stack trace')
    t.notMatch(stderr, 'hunter', 'no secret')
    t.equal(stdout, '')
  })

  t.test(`${name} with a wrong port ends with 1`, async (t) => {
    t.testdir({})
    const variables = { DJANGO_BASE_URL: 'http://127.0.0.1:9', DJANGO_API_KEY: apiKey, JWT_SECRET: secret }
    const { code, stderr } = await run(t, args, { ...variables, PORT: 'http' }, await freePort())
    t.equal(code, 1)
    t.equal(stderr, 'Configuration is not valid (1 problem):\n  PORT: given "http"; expected a whole number from 1024 to 65535\nEvery variable is described in .env.example.\n')
  })

  t.test(`${name} with a sound configuration listens and ends with 0`, async (t) => {
    t.testdir({})
    const port = await freePort()
    const { code, stderr, opened } = await run(t, args, {
      DJANGO_BASE_URL: 'http://127.0.0.1:9', DJANGO_API_KEY: apiKey, JWT_SECRET: secret, PORT: String(port), MCP_HOST: '127.0.0.1',
      FASTIFY_ADDRESS: '127.0.0.1', TMP_DIR: join(t.testdirName, 'tmp'), FASTIFY_CLOSE_GRACE_DELAY: '10000'
    }, port)
    t.ok(opened)
    t.equal(code, 0)
    t.equal(stderr, '')
  })
}
