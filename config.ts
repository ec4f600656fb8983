import { z } from 'zod'
import { keySetAlgorithms, profileNames } from './checks/issuers.ts'
import { defaulted, documentation, optional, required, type Documentation } from './config/documentation.ts'
import { ConfigError, shown } from './config/errors.ts'
import { readFile, type Source } from './config/file.ts'
import { absolutePath, addressRange, endpoint, flag, headerText, hostName, integer, issuers, list, methodSelector, oneOf, origin, path, privateKey, publicKey, redisUrl, scope, socketPath, selector, text, url } from './config/formats.ts'
import { refusals, warningsAbout, type Refusal } from './config/rules.ts'
import { variableMeant } from './config/spelling.ts'
import { version } from './version.ts'

export { documentation, type Documentation } from './config/documentation.ts'
export { ConfigError, type ConfigProblem } from './config/errors.ts'
export { authorizationServers, identityIssuer, identityWay } from './config/identity.ts'
export { issuersOf } from './config/issuers.ts'
export { publicUrl, resourceUrl } from './config/urls.ts'

/** Every variable, declared once: the type, the checks, `.env.example` and the table in the documentation follow from it. */
export const configSchema = z.object({
  DJANGO_BASE_URL: required(url(), {
    group: 'Django', description: 'Where the Django project answers; paths of the API are appended to it.', example: 'http://django:8000'
  }),
  DJANGO_API_KEY: required(headerText(), {
    group: 'Django', description: 'Key of this service, sent as `Authorization: Api-Key <key>`.', example: 'prefix.secret', secret: true
  }),
  DJANGO_TIMEOUT: defaulted(integer(5, 300), 30, {
    group: 'Django', description: 'Seconds that one call may take, retries included.'
  }),
  DJANGO_MAX_RETRIES: defaulted(integer(0, 10), 3, {
    group: 'Django', description: 'How often a safe request is tried again after a network error or a 408, 429, 500, 502, 503 or 504.'
  }),
  DJANGO_POOL_SIZE: defaulted(integer(1, 100), 20, {
    group: 'Django', description: 'Connections to Django at the same time.'
  }),
  DJANGO_MAX_RESPONSE_BYTES: defaulted(integer(1024, 104_857_600), 10_485_760, {
    group: 'Django', description: 'Size of an answer above which it is refused.'
  }),
  DJANGO_HEALTH_PATH: defaulted(path(), '/api/v1/core/stats/', {
    group: 'Django', description: 'What the background probe requests; 200 means healthy.'
  }),

  DJANGO_IDENTITY: defaulted(oneOf(['service', 'assertion', 'exchange']), 'service', {
    group: 'Identity', description: 'Whom Django takes a caller for: the owner of `DJANGO_API_KEY`, whoever calls (`service`), or the user, by an assertion that this service signs or by a token of the authorization server\'s; see docs/identity.md.'
  }),
  DJANGO_AUDIENCE: optional(text(), {
    group: 'Identity', description: 'What names Django in `aud` of assertions, and for the authorization server; `DJANGO_BASE_URL` where it is not set.', example: 'https://api.example.com'
  }),
  IDENTITY_ISSUER: optional(text(), {
    group: 'Identity', description: 'Issuer whose users are users of Django; callers that signed in elsewhere are refused. Needed where `ISSUERS` has several.', example: 'https://auth.example.com'
  }),
  ASSERTION_KEY: optional(privateKey(), {
    group: 'Identity', description: 'Key that assertions are signed with. `generated` makes one at start, which no other replica has and no restart keeps; refused in production.', secret: true
  }),
  ASSERTION_KEY_OTHER: optional(publicKey(), {
    group: 'Identity', description: 'A second key, private or public, that is published and signs nothing: the next one before a rotation, the previous one after it.', secret: true
  }),
  EXCHANGE_URL: optional(endpoint(), {
    group: 'Identity', description: 'Token endpoint of that issuer, where tokens of callers are exchanged (RFC 8693).', example: 'https://auth.example.com/token'
  }),
  EXCHANGE_CLIENT_ID: optional(text(), {
    group: 'Identity', description: 'With what this service authenticates there.', example: 'django-mcp-server'
  }),
  EXCHANGE_CLIENT_SECRET: optional(text(), {
    group: 'Identity', description: 'The secret of that client.', example: 'the secret that was shown when it was registered', secret: true
  }),

  JWT_SECRET: optional(text(32), {
    group: 'Authentication', description: 'Secret that bearer tokens are signed with; this service\'s own, not Django\'s `SECRET_KEY`. While `AUTH_ENABLED` is true it is required, unless tokens come from an authorization server: then `JWT_ISSUER`, `INTROSPECTION_URL` or `ISSUERS` says which.', example: 'output of: openssl rand -base64 48', secret: true
  }),
  JWT_SECRET_PREVIOUS: optional(text(32), {
    group: 'Authentication', description: 'Secret that was in use before, still accepted during a rotation.', secret: true
  }),
  JWT_ALGORITHM: optional(oneOf(['HS256', ...keySetAlgorithms]), {
    group: 'Authentication', description: 'The one signature algorithm that is accepted: `HS256` with `JWT_SECRET`, and with the keys of an issuer `RS256` where it is not set.', example: 'RS256'
  }),
  JWT_ISSUER: optional(text(), {
    group: 'Authentication', description: 'The `iss` that every token must have, compared exactly. A URL is also published as the authorization server, and without `JWT_SECRET` and `INTROSPECTION_URL` its keys are found by its metadata.', example: 'https://auth.example.com'
  }),
  JWT_JWKS_URL: optional(endpoint(), {
    group: 'Authentication', description: 'Where the keys of `JWT_ISSUER` are; found by its metadata where it is not set.', example: 'https://auth.example.com/jwks.json'
  }),
  JWT_AUDIENCE: optional(list('audiences', z.string().min(1)), {
    group: 'Authentication', description: 'Values of which every token must have one in `aud`. Without it the audience is `PUBLIC_URL` followed by `/mcp`, and only with `JWT_SECRET` and without `JWT_ISSUER` may a token lack `aud`.'
  }),
  INTROSPECTION_URL: optional(endpoint(), {
    group: 'Authentication', description: 'Where `JWT_ISSUER` is asked about every token (RFC 7662), for tokens that cannot be read here.', example: 'https://django.example.com/o/introspect/'
  }),
  INTROSPECTION_CLIENT_ID: optional(text(), {
    group: 'Authentication', description: 'With what this service authenticates there.', example: 'django-mcp-server'
  }),
  INTROSPECTION_CLIENT_SECRET: optional(text(), {
    group: 'Authentication', description: 'The secret of that client.', example: 'the secret that was shown when it was registered', secret: true
  }),
  TOKEN_PROFILE: optional(oneOf(profileNames), {
    group: 'Authentication', description: 'What the claims of tokens look like; see docs/authentication.md. Without it `generic` with `JWT_SECRET`, and `rfc9068` otherwise.', example: 'keycloak'
  }),
  ISSUERS: optional(issuers(), {
    group: 'Authentication', description: 'Several issuers, in the place of `JWT_SECRET`, `JWT_ISSUER`, `INTROSPECTION_URL` and what belongs to them; see docs/authentication.md.', example: '[{"type":"jwks","issuer":"https://auth.example.com"}]', secret: true
  }),
  REQUIRED_SCOPES: defaulted(list('scopes', scope), ['read'], {
    group: 'Authentication', description: 'Scopes that every call needs; `write` includes `read`.'
  }),
  ADVERTISED_SCOPES: optional(list('scopes', scope), {
    group: 'Authentication', description: 'Scopes that clients are told of in the metadata, and that many ask for when a user signs in; `REQUIRED_SCOPES`, `read` and `write` where it is not set.', example: 'read'
  }),
  JWT_MAX_LIFETIME: defaulted(integer(60, 31_536_000), 86_400, {
    group: 'Authentication', description: 'Seconds that a token may live at most; longer ones are refused.'
  }),
  REVOKED_TOKEN_IDS: defaulted(list('values of jti', z.string().min(1)), [], {
    group: 'Authentication', description: 'The `jti` of tokens that are refused although they have not expired.'
  }),
  ADMIN_SOCKET: optional(socketPath(), {
    group: 'Authentication', description: 'Unix socket on which `npm run revoke` reaches the running service, to revoke tokens; only the user that it runs as may open it.', example: '/tmp/mcp_server/admin.sock'
  }),
  AUTH_ENABLED: defaulted(flag(), true, {
    group: 'Authentication', description: 'Whether callers need a token. Switching it off in production also needs `ALLOW_UNAUTHENTICATED`.'
  }),
  ALLOW_UNAUTHENTICATED: defaulted(flag(), false, {
    group: 'Authentication', description: 'Says by name that `AUTH_ENABLED=false` is meant in production.'
  }),

  RATE_LIMIT_REQUESTS: defaulted(integer(1, Number.MAX_SAFE_INTEGER), 100, {
    group: 'Limits', description: 'Requests of one principal in a window; also refused and unknown requests of one address.'
  }),
  RATE_LIMIT_WINDOW: defaulted(integer(60, Number.MAX_SAFE_INTEGER), 3600, {
    group: 'Limits', description: 'Length of the window in seconds.'
  }),
  RATE_LIMIT_ADDRESS_REQUESTS: optional(integer(1, Number.MAX_SAFE_INTEGER), {
    group: 'Limits', description: 'Requests of one address in a window, counted before authentication; ten times `RATE_LIMIT_REQUESTS` where it is not set, so that users behind one address do not block each other.'
  }),

  PORT: defaulted(integer(1024, 65535), 8080, {
    group: 'Server', description: 'Port to listen on.'
  }),
  MCP_HOST: defaulted(text(), '0.0.0.0', {
    group: 'Server', description: 'Address to listen on.'
  }),
  PUBLIC_URL: optional(url(), {
    group: 'Server', description: 'URL under which clients reach this service, without `/mcp`; `http://localhost:<PORT>` where it is not set.', example: 'https://mcp.example.com'
  }),
  ALLOWED_HOSTS: defaulted(list('host names without ports, or *', hostName), [], {
    group: 'Server', description: 'Further names in `Host` under which this service may be reached; that of `PUBLIC_URL`, `localhost` and addresses always may.'
  }),
  ALLOWED_ORIGINS: defaulted(list('origins such as https://app.example.com, or *', origin), [], {
    group: 'Server', description: 'Origins of web pages that may call this service; requests with any other `Origin` are refused. `*` is refused in production.'
  }),
  TRUST_PROXY: defaulted(list('IP addresses or CIDR ranges', addressRange), [], {
    group: 'Server', description: 'Proxies whose `X-Forwarded-For` is believed.'
  }),
  CALL_TIMEOUT: defaulted(integer(5, 300), 60, {
    group: 'Server', description: 'Seconds that one call of a tool, resource or prompt may take, whatever it does.'
  }),
  DRAIN_SECONDS: defaulted(integer(0, 300), 0, {
    group: 'Server', description: 'Seconds between the first sign of shutdown (`/ready/` answers 503) and the end of listening, for load balancers to notice.'
  }),
  READY_REQUIRES_DJANGO: defaulted(flag(), true, {
    group: 'Server', description: 'Whether `/ready/` answers 503 while Django is unhealthy; with false it answers 200 and `degraded`.'
  }),
  SERVER_NAME: defaulted(text(), 'django-mcp-server', {
    group: 'Server', description: 'Name in the MCP handshake and in the logs.'
  }),
  SERVER_VERSION: defaulted(text(), version, {
    group: 'Server', description: 'Version in the MCP handshake, the logs and the health endpoints.'
  }),
  ENVIRONMENT: defaulted(oneOf(['production', 'staging', 'development', 'test'], (value) => value.toLowerCase()), 'production', {
    group: 'Server', description: 'Where this runs; in production unsafe settings are refused.'
  }),
  METRICS_TOKEN: optional(headerText(16), {
    group: 'Server', description: 'Bearer token that `/metrics` asks for; without it everybody who reaches the service may read them.', secret: true
  }),
  TMP_DIR: defaulted(absolutePath(), '/tmp/mcp_server', {
    group: 'Server', description: 'Folder for temporary files of this service alone; what is older than 24 hours is removed every 6 hours.'
  }),

  TOOLS_DIR: optional(text(), {
    group: 'Catalog', description: 'Folder with tools of your own, beside the built-in ones.', example: '/app/custom/tools'
  }),
  RESOURCES_DIR: optional(text(), {
    group: 'Catalog', description: 'Folder with resources of your own, beside the built-in ones.', example: '/app/custom/resources'
  }),
  PROMPTS_DIR: optional(text(), {
    group: 'Catalog', description: 'Folder with prompts of your own, beside the built-in ones.', example: '/app/custom/prompts'
  }),

  BUILT_IN_TOOLS: optional(flag(), {
    group: 'Catalog', description: 'Whether the built-in tool, resource and prompt are there, which fit an API with opportunities and clients; where it is not set, they are unless `DJANGO_SCHEMA` is.'
  }),

  TOOLS_LOCK: optional(text(), {
    group: 'Catalog', description: 'JSON file with digests of the texts of tools that have been approved, and with the names that tools of the schema keep when it changes; `npm run tools` writes it.', example: '/app/custom/tools.lock.json'
  }),
  TOOLS_UNAPPROVED: defaulted(oneOf(['warn', 'refuse']), 'warn', {
    group: 'Catalog', description: 'What becomes of tools that `TOOLS_LOCK` has no entry for, or another text: a warning in the log and a metric, or they are left out as well.'
  }),

  DJANGO_SCHEMA: optional(text(), {
    group: 'Schema', description: 'OpenAPI document of the API (2.0, 3.0 or 3.1) that tools are made from: a path on the Django host, a URL or a file. Below `DJANGO_BASE_URL` it is fetched with the API key.', example: '/api/schema/'
  }),
  SCHEMA_REFRESH_SECONDS: defaulted(integer(0, 604_800), 0, {
    group: 'Schema', description: 'Seconds between two looks for a newer document; 0 for none. It is also looked for on SIGHUP.'
  }),
  SCHEMA_COPY: optional(text(), {
    group: 'Schema', description: 'File that every good document is saved to, and that is read where there is none at the start.', example: '/var/lib/django-mcp-server/schema.json'
  }),
  OPENAPI_METHODS: defaulted(list('methods, each alone or before a path, "tag:NAME" or an operation id, or "all"', methodSelector), ['GET'], {
    group: 'Schema', description: 'What may become tools: everything that reads by default, `all` for what writes too, `POST tag:Orders` for a part of it.'
  }),
  OPENAPI_INCLUDE: defaulted(list('selectors', selector), [], {
    group: 'Schema', description: 'Of what may become tools, only this: `/api/books/**`, `tag:Books`, `books_*` (operation ids), `GET`, or a method and one of these. Everything where it is empty.'
  }),
  OPENAPI_EXCLUDE: defaulted(list('selectors', selector), [], {
    group: 'Schema', description: 'What becomes no tool, likewise.'
  }),
  OPENAPI_OVERLAY: optional(text(), {
    group: 'Schema', description: 'YAML file with what the document does not say: names, descriptions, defaults and more for single operations.', example: '/app/custom/overlay.yaml'
  }),
  TOOL_OUTPUT_SCHEMAS: defaulted(flag(), false, {
    group: 'Schema', description: 'Whether the tools of the schema tell the form of their answers, which multiplies what a list costs.'
  }),
  TOOL_TOKEN_BUDGET: optional(integer(0, Number.MAX_SAFE_INTEGER), {
    group: 'Schema', description: 'Tokens up to which the tools of the schema are listed; above, they are found with search tools. Where it is not set: 10,000 tokens, 40 tools, and 8 KB for each.'
  }),
  TOOL_RESULT_BYTES: defaulted(integer(1_000, 10_485_760), 40_000, {
    group: 'Schema', description: 'UTF-8 bytes of an answer that the tools of the schema show. What is longer is cut along its structure, with a word on what gets the rest. The default stays below 25,000 tokens, where clients cut.'
  }),
  DJANGO_IDEMPOTENCY_KEYS: defaulted(flag(), false, {
    group: 'Schema', description: 'Whether the API does nothing twice that comes with the same `Idempotency-Key`, which tools of the schema send with POST and PATCH. Only then are these tried again after a failure; Django REST Framework by itself does not know the header.'
  }),

  REDIS_URL: optional(redisUrl(), {
    group: 'State', description: 'Redis or Valkey in which tasks, revoked tokens, what was used once and the counters of rate limits are kept, so that all replicas share them; in the memory of each where it is not set. While it cannot be reached, requests with a token are answered with 503.', example: 'rediss://user:password@redis:6379/0', secret: true
  }),

  LOG_LEVEL: defaulted(oneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'], (value) => value.toUpperCase()), 'INFO', {
    group: 'Logs', description: 'Least level that is logged.'
  }),
  LOG_FORMAT: defaulted(oneOf(['json', 'text'], (value) => value.toLowerCase()), 'json', {
    group: 'Logs', description: 'One JSON object a line, or text for people.'
  }),
  AUDIT_LOG: defaulted(flag(), true, {
    group: 'Logs', description: 'Whether a line says who called what, and who was refused, whatever `LOG_LEVEL` says.'
  }),
  DEBUG: defaulted(flag(), false, {
    group: 'Logs', description: 'Logs at level DEBUG whatever `LOG_LEVEL` says.'
  })
})

/** The whole configuration under the names of its variables. */
export type Config = Readonly<z.output<typeof configSchema>>

type VariableName = keyof Config

const variableNames = configSchema.keyof().options

/** The documentation of one variable. */
export function documentationOf (name: VariableName): Documentation {
  const found = documentation.get(configSchema.shape[name])
  if (found === undefined) throw new Error(`${name} is not documented`)
  return found
}

/** Values that are empty in the environment count as not set, as Compose and Kubernetes write them. */
function withoutEmpty (source: Source): Source {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== '' && value !== null))
}

/** A configuration that passed, and what the operator should know about it all the same. */
export interface LoadedConfig {
  config: Config
  /** Sentences for the log at start: what is unsafe, what was probably misspelt. */
  warnings: readonly string[]
}

/** Names that are set and unknown, each with the variable among `candidates` that was probably meant. */
function misspeltIn (environment: Source, candidates: readonly string[]): Array<{ name: string, meant: string }> {
  return Object.keys(environment).filter((name) => !Object.hasOwn(configSchema.shape, name)).flatMap((name) => {
    const meant = variableMeant(name, candidates)
    return meant === undefined ? [] : [{ name, meant }]
  })
}

/**
 * Reads and checks the configuration: the JSON file that CONFIG_FILE names, if any, and over it the environment.
 * @throws {ConfigError} naming every variable that is wrong
 */
export function loadConfig (environment: Source = process.env): LoadedConfig {
  const file = environment.CONFIG_FILE
  const fromFile = typeof file === 'string' && file !== '' ? readFile(file, variableNames) : { values: {}, problems: [] }
  const source: Source = { ...withoutEmpty(fromFile.values), ...withoutEmpty(environment) }

  const parsed = configSchema.safeParse(source)
  const wrong = new Set(parsed.error?.issues.map((issue) => String(issue.path[0])))
  // Checked on what is valid by itself, so that one start names all problems.
  const sound = Object.fromEntries(Object.entries(source).filter(([name]) => !wrong.has(name)))
  const refused: Refusal[] = [
    ...variableNames.filter((name) => wrong.has(name)).map((variable) => malformed(variable, parsed.error?.issues ?? [])),
    ...refusals(configSchema.partial().parse(sound), source).filter(({ variable }) => !wrong.has(variable))
  ]
  const problems = [...fromFile.problems, ...refused.map(({ variable, reason, expected }) => ({
    variable,
    message: [shown(documentationOf(variable), source[variable]), ...given(reason), ...given(expected).map((text) => `expected ${text}`)].join('; ')
  }))]
  // One that is set and sound was not meant by another name.
  const unsettled = new Set<string>(refused.map(({ variable }) => variable))
  const misspelt = misspeltIn(environment, variableNames.filter((name) => source[name] === undefined || unsettled.has(name)))

  if (parsed.success && problems.length === 0) {
    const config = Object.freeze(parsed.data)
    return { config, warnings: [...misspelt.map(({ name, meant }) => `${name} is set but unknown; did you mean ${meant}?`), ...warningsAbout(config)] }
  }
  throw new ConfigError([...problems, ...misspelt.map(({ name, meant }) => ({ variable: name, message: `unknown; did you mean ${meant}?` }))])
}

/** A variable that is wrong by itself; where it holds a structure, with what is wrong inside it. */
function malformed (variable: VariableName, issues: readonly z.core.$ZodIssue[]): Refusal {
  const { expected } = documentationOf(variable)
  const inside = issues.filter(({ code, path }) => path[0] === variable && (path.length > 2 || code === 'unrecognized_keys')).flatMap((issue) => {
    const place = issue.path.slice(1).join('.')
    return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => `${place}.${key}: there is no such option`) : [`${place}: expected ${issue.message}`]
  })
  return inside.length === 0 ? { variable, expected } : { variable, reason: inside.join('; '), expected }
}

function given (text: string | undefined): string[] {
  return text === undefined ? [] : [text]
}

/**
 * The configuration, or the end of the process: what a program does that cannot run without it.
 * The message goes to standard error, since there is no logger yet, and the exit code is 1.
 */
export function loadConfigOrExit (): LoadedConfig {
  try {
    return loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return process.exit(1)
  }
}
