import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { z } from 'zod'
import { whyNotEmptied } from './checks/folders.ts'
import { version } from './version.ts'

/** How a variable is shown in the generated documentation and in error messages. */
export interface Documentation {
  group: string
  description: string
  /** What a valid value looks like, completing the sentence "expected …". */
  expected: string
  /** Shown in `.env.example` where there is no default to show. */
  example?: string
  /** The value is masked wherever it would be shown. */
  secret?: boolean
}

/** The documentation of every variable, by its schema. */
export const documentation = z.registry<Documentation>()

/** A type of value: how to read it from text or JSON, and how to say what is expected. */
interface Format<Schema extends z.ZodType> {
  schema: Schema
  expected: string
}

const integer = (min: number, max: number): Format<z.ZodType<number>> => ({
  schema: z.union([z.number(), z.string().trim().regex(/^-?\d+$/).transform(Number)]).pipe(z.int().min(min).max(max)),
  expected: max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
})

const flag = (): Format<z.ZodType<boolean>> => ({
  schema: z.union([z.boolean(), z.stringbool()]),
  expected: 'true or false'
})

const oneOf = <const Value extends string>(values: readonly Value[], fold: (text: string) => string = (text) => text): Format<z.ZodType<Value>> => ({
  schema: z.string().trim().transform(fold).pipe(z.enum(values)),
  expected: `one of ${values.join(', ')}`
})

const text = (min = 1): Format<z.ZodType<string>> => ({
  schema: z.string().min(min),
  expected: min === 1 ? 'a text' : `a text of at least ${min} characters`
})

/** A header value that is sent as it is must be visible ASCII (RFC 9110 §5.5). */
const headerText = (): Format<z.ZodType<string>> => ({
  schema: z.string().trim().regex(/^[\x21-\x7e]+$/),
  expected: 'visible ASCII characters without spaces'
})

const path = (): Format<z.ZodType<string>> => ({
  schema: z.string().regex(/^\/[^\s?#]*$/),
  expected: 'a path that starts with /'
})

const absolutePath = (): Format<z.ZodType<string>> => ({
  schema: z.string().refine(isAbsolute),
  expected: 'an absolute path'
})

const url = (): Format<z.ZodType<string>> => ({
  schema: z.url({ protocol: /^https?$/ })
    .refine((value) => {
      // Also asked about a value that is no URL at all.
      const parsed = URL.parse(value)
      return parsed !== null && parsed.username === '' && parsed.password === '' && parsed.search === '' && parsed.hash === ''
    })
    .transform((value) => value.replace(/\/+$/, '')),
  expected: 'an http or https URL without credentials, query or fragment'
})

const redisUrl = (): Format<z.ZodType<string>> => ({
  schema: z.url({ protocol: /^rediss?$/ }).refine((value) => URL.canParse(value) && new URL(value).hostname !== ''),
  expected: 'a redis or rediss URL, with user, password and number of the database where they are needed'
})

/** Entries separated by commas, or a JSON array in a configuration file. */
const list = (what: string, entry: z.ZodType<string, string> = z.string()): Format<z.ZodType<readonly string[]>> => ({
  schema: z.union([z.array(z.string()), z.string().transform((value) => value.split(','))])
    .transform((entries) => entries.map((value) => value.trim()).filter((value) => value !== ''))
    .pipe(z.array(entry)),
  expected: `${what}, separated by commas`
})

const origin = z.string().refine((value) => value === '*' || (URL.canParse(value) && new URL(value).origin === value))

const addressRange = z.string().refine((value) => {
  const [address = '', prefix, ...rest] = value.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits))
})

const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)

type Meta = Omit<Documentation, 'expected'>

function required<Value> (format: Format<z.ZodType<Value>>, meta: Meta) {
  return format.schema.register(documentation, { ...meta, expected: format.expected })
}

function optional<Value> (format: Format<z.ZodType<Value>>, meta: Meta) {
  return format.schema.optional().register(documentation, { ...meta, expected: format.expected })
}

function defaulted<Value> (format: Format<z.ZodType<Value>>, value: z.util.NoUndefined<Value>, meta: Meta) {
  return format.schema.default(value).register(documentation, { ...meta, expected: format.expected })
}

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

  JWT_SECRET: optional(text(32), {
    group: 'Authentication', description: 'Secret that bearer tokens are signed with; this service\'s own, not Django\'s `SECRET_KEY`. Required while `AUTH_ENABLED` is true.', example: 'output of: openssl rand -base64 48', secret: true
  }),
  JWT_SECRET_PREVIOUS: optional(text(32), {
    group: 'Authentication', description: 'Secret that was in use before, still accepted during a rotation.', secret: true
  }),
  JWT_ALGORITHM: defaulted(oneOf(['HS256']), 'HS256', {
    group: 'Authentication', description: 'The one signature algorithm that is accepted.'
  }),
  JWT_ISSUER: optional(text(), {
    group: 'Authentication', description: 'The `iss` that every token must have, compared exactly. A URL is also published as the authorization server.', example: 'https://auth.example.com'
  }),
  JWT_AUDIENCE: optional(list('audiences', z.string().min(1)), {
    group: 'Authentication', description: 'Values of which every token must have one in `aud`. Without it the audience is `PUBLIC_URL` followed by `/mcp`, and only without `JWT_ISSUER` may a token lack `aud`.'
  }),
  REQUIRED_SCOPES: defaulted(list('scopes', scope), ['read'], {
    group: 'Authentication', description: 'Scopes that every call needs; `write` includes `read`.'
  }),
  JWT_MAX_LIFETIME: defaulted(integer(60, 31_536_000), 86_400, {
    group: 'Authentication', description: 'Seconds that a token may live at most; longer ones are refused.'
  }),
  REVOKED_TOKEN_IDS: defaulted(list('values of jti', z.string().min(1)), [], {
    group: 'Authentication', description: 'The `jti` of tokens that are refused although they have not expired.'
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

  REDIS_URL: optional(redisUrl(), {
    group: 'State', description: 'Redis or Valkey in which tasks are kept, so that every replica serves them and they outlive a restart; in memory where it is not set.', example: 'rediss://user:password@redis:6379/0', secret: true
  }),

  LOG_LEVEL: defaulted(oneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'], (value) => value.toUpperCase()), 'INFO', {
    group: 'Logs', description: 'Least level that is logged.'
  }),
  LOG_FORMAT: defaulted(oneOf(['json', 'text'], (value) => value.toLowerCase()), 'json', {
    group: 'Logs', description: 'One JSON object a line, or text for people.'
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

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  variable: string
  message: string
}

/** Names every wrong variable at once; the message is made to be read on a terminal. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor (problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable}: ${message}`)
    super(`Configuration is not valid (${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}):\n${lines.join('\n')}\nEvery variable is described in .env.example.`)
    this.problems = problems
  }
}

type Source = Readonly<Record<string, unknown>>

/** Names that a deployment sets for other programs although they look like ours. */
const foreignNames = new Set(['TMPDIR', 'DJANGO_SETTINGS_MODULE', 'DJANGO_SECRET_KEY', 'DJANGO_CONFIGURATION', 'DJANGO_DEBUG', 'DJANGO_ALLOWED_HOSTS'])

function isKnown (name: string): name is VariableName {
  return Object.hasOwn(configSchema.shape, name)
}

/** The known variable that `name` was probably meant to be, or undefined. */
function probablyMeant (name: string, known: readonly string[]): string | undefined {
  if (name.length < 5 || known.length === 0 || foreignNames.has(name)) return undefined
  const nearest = closest(name.toUpperCase(), known)
  const allowed = nearest.length < 8 ? 1 : Math.min(3, Math.floor(nearest.length / 4))
  return distance(name.toUpperCase(), nearest) <= allowed ? nearest : undefined
}

function shown (name: VariableName, value: unknown): string {
  if (value === undefined) return 'not set'
  const printed = typeof value === 'string' ? value : JSON.stringify(value)
  if (documentationOf(name).secret === true) return `given ******** (${printed.length} characters)`
  // Credentials in a URL are refused, and must not be printed while saying so: neither where they belong, nor where
  // a character that ends the host or a missing scheme hides them from a parser, nor in a query or fragment.
  const harmless = printed.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1********@').replace(/([?#]).+/s, '$1********')
  return `given ${JSON.stringify(harmless.length > 100 ? `${harmless.slice(0, 100)}…` : harmless)}`
}

/** Why a secret must not sign tokens, or undefined where it may. */
function weakness (secret: string): string | undefined {
  if (secret.includes('-----BEGIN')) return 'a PEM key is not a shared secret'
  if (/^\s*\{.*"kty"/s.test(secret)) return 'a JSON Web Key is not a shared secret'
  if (/change.?(me|it)|your.?secret|secret.?here|placeholder|example|openssl rand|django-insecure/i.test(secret)) return 'this is a placeholder'
  if (new Set(secret).size < 8) return 'too few different characters'
  return undefined
}

/** Rules between variables, each refused by the variable that has to change. */
function contradictions (config: { [Name in VariableName]?: Config[Name] | undefined }, source: Source): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const production = config.ENVIRONMENT === 'production'

  if (config.AUTH_ENABLED === true && config.JWT_SECRET === undefined) {
    problems.push({ variable: 'JWT_SECRET', message: `not set; expected ${documentationOf('JWT_SECRET').expected}` })
  }
  if (config.AUTH_ENABLED === false && production && config.ALLOW_UNAUTHENTICATED !== true) {
    problems.push({ variable: 'AUTH_ENABLED', message: 'given "false"; refused in production unless ALLOW_UNAUTHENTICATED=true says that it is meant' })
  }
  for (const name of ['JWT_SECRET', 'JWT_SECRET_PREVIOUS'] as const) {
    const secret = config[name]
    if (secret === undefined) continue
    const weak = weakness(secret)
    if (weak !== undefined) problems.push({ variable: name, message: `${shown(name, secret)}; ${weak}; expected a random text of at least 32 characters` })
    for (const other of ['DJANGO_API_KEY', 'DJANGO_SECRET_KEY', 'SECRET_KEY']) {
      if (source[other] === secret) problems.push({ variable: name, message: `${shown(name, secret)}; the same as ${other}; expected a secret of this service's own` })
    }
  }
  if (production && config.ALLOWED_ORIGINS?.includes('*') === true) {
    problems.push({ variable: 'ALLOWED_ORIGINS', message: 'given "*"; refused in production; expected the exact origins' })
  }
  if (production && config.JWT_ISSUER !== undefined && /^http:/i.test(config.JWT_ISSUER)) {
    problems.push({ variable: 'JWT_ISSUER', message: `${shown('JWT_ISSUER', config.JWT_ISSUER)}; refused in production; expected an https URL` })
  }
  if (config.TOOLS_DIR !== undefined && config.TOOLS_DIR === config.RESOURCES_DIR) {
    problems.push({ variable: 'RESOURCES_DIR', message: `${shown('RESOURCES_DIR', config.RESOURCES_DIR)}; the same as TOOLS_DIR; expected a folder of its own` })
  }
  const notEmptied = config.TMP_DIR === undefined ? undefined : whyNotEmptied(config.TMP_DIR)
  if (notEmptied !== undefined) {
    problems.push({ variable: 'TMP_DIR', message: `${shown('TMP_DIR', config.TMP_DIR)}; ${notEmptied}; expected a folder of this service alone` })
  }
  return problems
}

function readFile (file: string): { values: Source, problems: ConfigProblem[] } {
  let values: Source
  try {
    values = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it is not a JSON object' : error instanceof SyntaxError ? 'it is not valid JSON' : 'it cannot be read'
    return { values: {}, problems: [{ variable: 'CONFIG_FILE', message: `given ${JSON.stringify(file)}; ${reason}; expected a JSON object with variables as keys` }] }
  }
  const problems = Object.keys(values).filter((name) => !isKnown(name)).map((name) => {
    const meant = probablyMeant(name, variableNames)
    return { variable: name, message: `unknown in ${file}${meant === undefined ? '' : `; did you mean ${meant}?`}` }
  })
  return { values, problems }
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

function warningsFor (config: Config, misspelt: ReadonlyMap<string, string>): string[] {
  const warnings = [...misspelt].map(([name, meant]) => `${name} is set but unknown; did you mean ${meant}?`)
  if (!config.AUTH_ENABLED) warnings.push('AUTH_ENABLED=false: every caller may use every tool')
  if (config.ALLOWED_ORIGINS.includes('*')) warnings.push('ALLOWED_ORIGINS=*: web pages of any origin may call this service')
  if (config.AUTH_ENABLED && config.JWT_AUDIENCE === undefined && config.JWT_ISSUER === undefined) {
    warnings.push(`JWT_AUDIENCE is not set: the secret alone binds tokens to this service; a token with aud must name ${resourceUrl(config)}`)
  }
  if (config.AUTH_ENABLED && config.PUBLIC_URL === undefined) {
    warnings.push(`PUBLIC_URL is not set: challenges point clients to ${publicUrl(config)}`)
  }
  return warnings
}

/**
 * Reads and checks the configuration: the JSON file that CONFIG_FILE names, if any, and over it the environment.
 * @throws {ConfigError} naming every variable that is wrong
 */
export function loadConfig (environment: Source = process.env): LoadedConfig {
  const file = environment.CONFIG_FILE
  const fromFile = typeof file === 'string' && file !== '' ? readFile(file) : { values: {}, problems: [] }
  const source: Source = { ...withoutEmpty(fromFile.values), ...withoutEmpty(environment) }
  const problems = [...fromFile.problems]

  const unset = variableNames.filter((name) => source[name] === undefined)
  const misspelt = new Map<string, string>()
  for (const name of Object.keys(environment)) {
    const meant = isKnown(name) ? undefined : probablyMeant(name, unset)
    if (meant !== undefined) misspelt.set(name, meant)
  }

  const parsed = configSchema.safeParse(source)
  const wrong = new Set(parsed.error?.issues.map((issue) => String(issue.path[0])))
  for (const name of variableNames.filter((name) => wrong.has(name))) {
    problems.push({ variable: name, message: `${shown(name, source[name])}; expected ${documentationOf(name).expected}` })
  }
  // Checked on what is valid by itself, so that one start names all problems.
  const sound = Object.fromEntries(Object.entries(source).filter(([name]) => !wrong.has(name)))
  problems.push(...contradictions(configSchema.partial().parse(sound), source).filter(({ variable }) => !wrong.has(variable)))

  if (parsed.success && problems.length === 0) {
    const config = Object.freeze(parsed.data)
    return { config, warnings: warningsFor(config, misspelt) }
  }
  problems.push(...[...misspelt].map(([name, meant]) => ({ variable: name, message: `unknown; did you mean ${meant}?` })))
  throw new ConfigError(problems)
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

/** URL under which clients reach this service, without a trailing slash. */
export function publicUrl (config: Config): string {
  return config.PUBLIC_URL ?? `http://localhost:${config.PORT}`
}

/** Canonical identifier of the protected resource (RFC 8707): what a token's `aud` names. */
export function resourceUrl (config: Config): string {
  return `${publicUrl(config)}/mcp`
}
