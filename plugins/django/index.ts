import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, duration, serverPath, text, whole, type OptionsShape } from '../../checks/options.ts'
import { isHeaderText } from '../../checks/tokens.ts'
import { isBaseUrl, withoutTrailingSlash } from '../../checks/urls.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { DjangoClient, type AttemptReport } from './client.ts'
import { createEngine } from './engine.ts'
import { HealthProbe, type DjangoHealth } from './probe.ts'

export { DjangoClient, type AttemptReport, type DjangoCallContext, type DjangoResponse, type RequestOptions, type TypedRequestOptions } from './client.ts'
export type { CallIdentity } from './call-identity.ts'
export type { Method } from './exchange.ts'
export type { DjangoHealth } from './probe.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Client of the Django REST API. */
    readonly django: DjangoClient
    /** State of Django as a probe in the background last saw it. */
    readonly djangoHealth: DjangoHealthReport
  }
}

export interface DjangoHealthReport {
  /** What was last seen; waits only for the very first look. */
  latest: () => Promise<DjangoHealth>
  /** What was last seen, without waiting. */
  current: () => DjangoHealth
}

export interface DjangoOptions {
  /** Where Django answers; paths of the API are appended to it. */
  baseUrl: string
  /** Key of this service, sent as `Authorization: Api-Key <key>`. */
  apiKey: string
  /** Name and version for the User-Agent field. */
  userAgent: string
  /** Seconds for one call, retries included. */
  timeout?: number
  maxRetries?: number
  /** Connections at the same time. */
  poolSize?: number
  /** Bytes above which an answer is refused. */
  maxResponseBytes?: number
  healthPath?: string
  /** Milliseconds between two looks of the health probe. */
  healthInterval?: number
  /** Told of every request that was sent. */
  onAttempt?: (report: AttemptReport) => void
  /** Told of every request that is repeated. */
  onRetry?: (reason: 'network' | 'status') => void
}

const url = 'an http or https URL without credentials, query or fragment'
const key = 'visible ASCII characters without spaces'
const product = 'visible ASCII characters'

const optionsSchema = z.strictObject({
  baseUrl: z.string(url).refine(isBaseUrl, url).transform(withoutTrailingSlash),
  apiKey: z.string(key).refine(isHeaderText, key),
  userAgent: text(product).regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, product),
  timeout: duration('seconds').default(30),
  maxRetries: whole(0).default(3),
  poolSize: whole(1).default(20),
  maxResponseBytes: whole(1, 'bytes').default(10_485_760),
  healthPath: serverPath().default('/api/v1/core/stats/'),
  healthInterval: duration('milliseconds').optional(),
  onAttempt: callback<(report: AttemptReport) => void>().optional(),
  onRetry: callback<(reason: 'network' | 'status') => void>().optional()
} satisfies OptionsShape<DjangoOptions>)

/** A client for one Django REST API, and a probe that looks after its health. */
const django: FastifyPluginAsync<DjangoOptions> = async (app, options) => {
  const { baseUrl, apiKey, userAgent, onAttempt, onRetry, ...limits } = checkOptions('django', optionsSchema, options, ['apiKey'])
  const log = namedLogger(app.log, 'django')
  const headers = {
    authorization: `Api-Key ${apiKey}`,
    'user-agent': userAgent,
    accept: 'application/json',
    'accept-encoding': 'identity'
  }
  const engine = createEngine(app, limits.poolSize)

  const client = new DjangoClient({
    http: engine,
    log,
    baseUrl,
    headers,
    deadline: limits.timeout * 1000,
    maxRetries: limits.maxRetries,
    maxBytes: limits.maxResponseBytes,
    ...(onAttempt === undefined ? {} : { onAttempt }),
    ...(onRetry === undefined ? {} : { onRetry })
  })
  const probe = new HealthProbe({
    http: engine,
    log,
    url: `${baseUrl}${limits.healthPath}`,
    headers,
    ...(limits.healthInterval === undefined ? {} : { interval: limits.healthInterval })
  })

  app.decorate('django', client)
  app.decorate('djangoHealth', { latest: () => probe.health(), current: () => probe.current() })
  app.addHook('onReady', async () => { probe.start() })
  // Before the connections end, whose end is no news of Django.
  app.addHook('onClose', async () => { probe.stop() })
}

export default fp(django, { name: 'django', fastify: '5.x' })
