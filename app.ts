import { STATUS_CODES } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { FastifyHttpOptions, FastifyInstance, FastifyPluginOptions, RawServerDefault } from 'fastify'
import { authorizationServers, identityIssuer, identityWay, issuersOf, loadConfig, loadConfigOrExit, publicUrl, resourceUrl, type Config, type LoadedConfig } from './config.ts'
import audit from './plugins/audit.ts'
import auth, { AuthError, operationScopes } from './plugins/auth/index.ts'
import catalog, { type CatalogOptions } from './plugins/catalog/index.ts'
import correlation from './plugins/correlation.ts'
import cors from './plugins/cors.ts'
import django from './plugins/django/index.ts'
import drain from './plugins/drain.ts'
import health from './plugins/health.ts'
import host from './plugins/host.ts'
import identity from './plugins/identity/index.ts'
import loadShedding from './plugins/load-shedding.ts'
import logging, { loggingOptions } from './plugins/logging/index.ts'
import metrics, { type Instruments } from './plugins/metrics/index.ts'
import openapi, { lookResults, type OpenapiOptions } from './plugins/openapi/index.ts'
import rateLimit, { RateLimitError } from './plugins/rate-limit/index.ts'
import redis from './plugins/redis.ts'
import revocation from './plugins/revocation.ts'
import tasks from './plugins/tasks/index.ts'
import tmpCleanup from './plugins/tmp-cleanup.ts'
import mcp, { type McpOptions } from './routes/mcp/index.ts'
import wellKnown, { metadataUrl } from './routes/well-known.ts'

export { definePrompt, defineResource, defineTool, startTask, WithContent } from './plugins/catalog/definition.ts'
export type { CallContext, ContentBlock, ResourceContents, ResourceDefinition, ToolDefinition } from './plugins/catalog/definition.ts'
export { ConfigError, loadConfig, type Config, type LoadedConfig } from './config.ts'
export { CallError, type ErrorKind } from './errors.ts'

export interface AppOptions extends FastifyPluginOptions {
  /** What `loadConfig` gives; read from the environment where it is left out. */
  loaded?: LoadedConfig
  /** Tools, resources and prompts beside those in the folders. */
  definitions?: Pick<CatalogOptions, 'tools' | 'resources' | 'prompts'>
  /** @internal */
  extendLegacy?: McpOptions['extendLegacy']
}

/** Bytes of a request's body. */
const bodyLimit = 1_048_576
/** Milliseconds in which a client must have sent its request, so that slow ones do not hold connections. */
const requestTimeout = 30_000
/** Milliseconds in which its headers must have come, and between two looks for connections that take longer. */
const http = { headersTimeout: 10_000, connectionsCheckingInterval: 5_000 }
/** Connections at the same time; further ones are closed at once. */
const maxConnections = 5_000
/** Milliseconds that an idle connection is kept: more than load balancers keep theirs, so that it is they who close. */
const keepAliveTimeout = 72_000
/** Seconds that the start waits for the schema of a Django that is starting itself. */
const schemaPatience = 60
/** Milliseconds in which a plugin must be there: more than the longest wait that one is meant to have. */
const pluginTimeout = 120_000

/**
 * Sends URLs that cannot be decoded to where there is nothing. Fastify would answer them before any hook runs: without
 * a log line, a correlation id and a limit.
 */
function rewriteUrl ({ url = '/' }: { url?: string | undefined }): string {
  try {
    if (url.includes('%')) decodeURI(url)
    return url
  } catch {
    return '/malformed-url'
  }
}

/** What no setting changes. */
const fixed = {
  bodyLimit,
  requestTimeout,
  keepAliveTimeout,
  pluginTimeout,
  http,
  requestIdHeader: false,
  // Draining is ours: requests that arrive while load balancers still send some are served.
  return503OnClosing: false,
  routerOptions: { ignoreTrailingSlash: true },
  rewriteUrl
} as const satisfies FastifyHttpOptions<RawServerDefault>

/** Options of the server that this app is made for. */
export function serverOptions (config: Config) {
  return {
    ...loggingOptions({
      level: config.DEBUG ? 'DEBUG' : config.LOG_LEVEL,
      format: config.LOG_FORMAT,
      environment: config.ENVIRONMENT,
      service: config.SERVER_NAME,
      version: config.SERVER_VERSION
    }),
    ...fixed,
    trustProxy: config.TRUST_PROXY.length === 0 ? false : [...config.TRUST_PROXY]
  } satisfies FastifyHttpOptions<RawServerDefault>
}

let environment: LoadedConfig | undefined

function fromEnvironment (): LoadedConfig {
  environment ??= loadConfigOrExit()
  return environment
}

/**
 * Server options from the environment, for `fastify start -o`. They are read when the command asks for them, so that
 * importing this module reads nothing.
 */
export const options: FastifyHttpOptions<RawServerDefault> = {
  get logger () { return serverOptions(fromEnvironment().config).logger },
  get logController () { return serverOptions(fromEnvironment().config).logController },
  get trustProxy () { return serverOptions(fromEnvironment().config).trustProxy },
  ...fixed
}

/** Absolute path of a folder beside this file. */
function folder (name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

function given (value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}

/** The service: every plugin and route, in the order in which a request meets them. */
export default async function djangoMcpServer (app: FastifyInstance, options: AppOptions): Promise<void> {
  const { config, warnings } = options.loaded ?? environment ?? loadConfig()
  const name = config.SERVER_NAME
  const version = config.SERVER_VERSION
  const issuers = issuersOf(config)
  // What all replicas have, and nobody else.
  const stateSecret = config.JWT_SECRET ?? config.DJANGO_API_KEY
  for (const warning of warnings) app.log.warn(warning)

  app.server.maxConnections = maxConnections
  answerErrors(app)
  await app.register(correlation)
  await app.register(logging)
  await app.register(audit, { enabled: config.AUDIT_LOG, secret: stateSecret, principalOf: ({ principal }) => principal })
  await app.register(metrics, { version, token: config.METRICS_TOKEN, rateLimitClients: () => app.limits.clients() })
  const { instruments } = app
  await app.register(host, {
    names: [new URL(publicUrl(config)).hostname, ...config.ALLOWED_HOSTS],
    onRefused: (request, reply) => app.limits.refused(request, reply)
  })
  await app.register(loadShedding, { onShed: instruments.shed })
  await app.register(cors, { origins: config.ALLOWED_ORIGINS, headers: () => app.catalog.parameterHeaders })
  if (config.REDIS_URL !== undefined) await app.register(redis, { url: config.REDIS_URL, keyPrefix: 'django-mcp-server:' })
  const shared = config.REDIS_URL === undefined ? undefined : app.redis
  await app.register(rateLimit, {
    requests: config.RATE_LIMIT_REQUESTS,
    addressRequests: config.RATE_LIMIT_ADDRESS_REQUESTS ?? config.RATE_LIMIT_REQUESTS * 10,
    window: config.RATE_LIMIT_WINDOW,
    principalOf: (request) => config.AUTH_ENABLED ? request.principal?.key : undefined,
    onLimited: instruments.rateLimited,
    redis: shared
  })
  await app.register(auth, {
    issuers,
    audience: config.JWT_AUDIENCE ?? [resourceUrl(config)],
    maxLifetime: config.JWT_MAX_LIFETIME,
    // In production the configuration has refused it.
    allowHttp: config.ENVIRONMENT !== 'production',
    requiredScopes: config.REQUIRED_SCOPES,
    resourceMetadataUrl: metadataUrl(resourceUrl(config)),
    revokedTokenIds: config.REVOKED_TOKEN_IDS,
    redis: shared,
    async onRefused (failure, request, reply) {
      instruments.authFailed(failure)
      // That tokens cannot be verified is nobody's fault who sends one.
      if (failure !== 'unavailable') await app.limits.refused(request, reply)
    }
  })
  await app.register(identity, { way: identityWay(config), principalOf: ({ principal }) => principal, issuer: identityIssuer(config) })
  if (config.ADMIN_SOCKET !== undefined) await app.register(revocation, { socket: config.ADMIN_SOCKET, denyList: app.denyList })
  await app.register(django, {
    baseUrl: config.DJANGO_BASE_URL,
    apiKey: config.DJANGO_API_KEY,
    userAgent: `${name.replaceAll(/[^\w.-]/g, '-')}/${version.replaceAll(/[^\w.-]/g, '-')}`,
    timeout: config.DJANGO_TIMEOUT,
    maxRetries: config.DJANGO_MAX_RETRIES,
    poolSize: config.DJANGO_POOL_SIZE,
    maxResponseBytes: config.DJANGO_MAX_RESPONSE_BYTES,
    healthPath: config.DJANGO_HEALTH_PATH,
    onAttempt: instruments.djangoRequest,
    onRetry: instruments.djangoRetry
  })
  // What is built in fits one API. Whoever brings the schema of another one should not have to take it out.
  const builtIn = (config.BUILT_IN_TOOLS ?? config.DJANGO_SCHEMA === undefined) ? folder : () => undefined
  await app.register(catalog, {
    ...options.definitions,
    toolFolders: [...given(builtIn('tools')), ...given(config.TOOLS_DIR)],
    resourceFolders: [...given(builtIn('resources')), ...given(config.RESOURCES_DIR)],
    promptFolders: [...given(builtIn('prompts')), ...given(config.PROMPTS_DIR)],
    scopesToAskFor: config.AUTH_ENABLED ? (scopes) => operationScopes(config.REQUIRED_SCOPES, scopes) : undefined,
    secret: stateSecret,
    lock: config.TOOLS_LOCK,
    unapproved: config.TOOLS_UNAPPROVED
  })
  if (config.DJANGO_SCHEMA !== undefined) await app.register(openapi, schemaOptions(config, config.DJANGO_SCHEMA, instruments))
  await app.register(tasks, { redis: shared })
  await app.register(drain, { seconds: config.DRAIN_SECONDS })
  await app.register(health, {
    version,
    backend: app.djangoHealth.latest,
    readyRequiresBackend: config.READY_REQUIRES_DJANGO,
    draining: app.draining,
    schema: config.DJANGO_SCHEMA === undefined ? undefined : app.openapi.health
  })
  await app.register(tmpCleanup, { directory: config.TMP_DIR })

  instruments.gauge('mcp_django_up', 'Whether Django was healthy when the probe last looked', () => Number(app.djangoHealth.current().healthy))
  instruments.gauge('mcp_django_probe_age_seconds', 'Seconds since the probe last looked', () => app.djangoHealth.current().ageSeconds ?? undefined)
  instruments.gauge('mcp_draining', 'Whether the server is shutting down', () => Number(app.draining()))
  instruments.labelledGauge('mcp_catalog_items', 'Tools and resources by kind', 'kind', () => app.catalog.sizes)
  if (config.DJANGO_SCHEMA !== undefined) {
    instruments.gauge('mcp_schema_age_seconds', 'Seconds since the schema in use was last found to be the current one', () => app.openapi.health().ageSeconds)
  }
  if (config.TOOLS_LOCK !== undefined) {
    instruments.labelledGauge('mcp_unapproved_tools', 'Tools that are not as the lock file approves them, by where they come from', 'origin', () => ({
      code: app.catalogs.unapproved(),
      ...config.DJANGO_SCHEMA === undefined ? {} : { schema: app.openapi.unapproved() }
    }))
  }

  await app.register(mcp, {
    server: { name, version },
    allowedOrigins: [...config.ALLOWED_ORIGINS, new URL(publicUrl(config)).origin],
    stateSecret,
    redis: shared,
    timeout: config.CALL_TIMEOUT,
    identityOf: app.identityOf,
    extendLegacy: options.extendLegacy
  })
  if (issuers !== null) {
    const servers = authorizationServers(config)
    if (servers.length === 0) app.log.info('no issuer is a URL: the metadata names no authorization server, so clients are given their tokens by hand')
    await app.register(wellKnown, {
      resource: resourceUrl(config),
      authorizationServers: servers,
      scopes: config.ADVERTISED_SCOPES ?? [...new Set([...config.REQUIRED_SCOPES, 'read', 'write'])]
    })
  }
}

/** Answers for what no route answers. Set before routes are: a scope takes over its parent's handler when it is made. */
function answerErrors (app: FastifyInstance): void {
  app.setNotFoundHandler(async (request, reply) => {
    await app.limits.refused(request, reply)
    reply.code(404)
    return { error: 'Not found', message: 'There is nothing at this address. The MCP endpoint is /mcp.' }
  })
  app.setErrorHandler(async (error, request, reply) => {
    if (error instanceof RateLimitError) {
      reply.code(error.statusCode)
      return { error: 'Rate limit exceeded', message: error.message }
    }
    if (error instanceof AuthError) {
      reply.code(error.statusCode)
      return { error: error.code, message: error.message }
    }
    const given = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
    const status = given >= 400 && given <= 599 ? given : 500
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    else request.log.info({ status }, 'request refused')
    reply.code(status)
    // The error's own text may hold what a client must not see.
    return { error: STATUS_CODES[status] ?? 'Error', message: `The request could not be served. Correlation id: ${request.id}` }
  })
}

function schemaOptions (config: Config, schema: string, instruments: Instruments) {
  const drifted = instruments.counter('mcp_schema_tools_total', 'Tools that a newer schema has changed, by how', 'change', ['added', 'removed', 'changed'])
  return {
    schema,
    djangoUrl: config.DJANGO_BASE_URL,
    copy: config.SCHEMA_COPY,
    refreshSeconds: config.SCHEMA_REFRESH_SECONDS,
    patience: schemaPatience,
    // In a terminal it says that the terminal is gone, and ends the process.
    reloadSignal: process.stdout.isTTY ? undefined : 'SIGHUP',
    methods: config.OPENAPI_METHODS,
    include: config.OPENAPI_INCLUDE,
    exclude: config.OPENAPI_EXCLUDE,
    overlay: config.OPENAPI_OVERLAY,
    lock: config.TOOLS_LOCK,
    unapproved: config.TOOLS_UNAPPROVED,
    outputSchemas: config.TOOL_OUTPUT_SCHEMAS,
    tokenBudget: config.TOOL_TOKEN_BUDGET,
    maxResultBytes: config.TOOL_RESULT_BYTES,
    honoursIdempotencyKeys: config.DJANGO_IDEMPOTENCY_KEYS,
    onLook: instruments.counter('mcp_schema_reloads_total', 'Looks for a newer schema by result', 'result', lookResults),
    onDrift ({ added, removed, changed }) {
      drifted('added', added.length)
      drifted('removed', removed.length)
      drifted('changed', changed.length)
    }
  } satisfies OpenapiOptions
}
