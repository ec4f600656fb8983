import { performance } from 'node:perf_hooks'
import client from '@prometheus-io/client'
import type { FastifyPluginAsync } from 'fastify'
import fastifyMetrics from 'fastify-metrics'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, serverPath, text, type OptionsShape } from '../../checks/options.ts'
import { sameSecret } from '../../checks/secrets.ts'
import { isHeaderText } from '../../checks/tokens.ts'
import { createInstruments, type Instruments } from './instruments.ts'

export type { DjangoRequestMeasurement, Instruments, OperationMeasurement, Outcome } from './instruments.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The service's own counters, histograms and gauges. */
    readonly instruments: Instruments
  }
}

export interface MetricsOptions {
  /** Version of the service, for `mcp_build_info`. */
  version: string
  /** Path of the endpoint. */
  path?: string
  /** Asked for as a bearer token where it is given; without it everybody may read the metrics. */
  token?: string | undefined
  /** Number of clients that a rate limit keeps count of, for the JSON form. */
  rateLimitClients?: () => number
}

const bearer = /^Bearer (.+)$/i
const minToken = 16
const token = `at least ${minToken} visible ASCII characters without spaces`

const optionsSchema = z.strictObject({
  version: text(),
  path: serverPath().default('/metrics'),
  token: z.string(token).min(minToken, token).refine(isHeaderText, token).optional(),
  rateLimitClients: callback<() => number>().default(() => () => 0)
} satisfies OptionsShape<MetricsOptions>)

/** The one format that default metrics are typed for. */
const textFormat = 'text/plain; version=0.0.4; charset=utf-8'
const httpBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Prometheus metrics on a registry of this instance's own, so that two apps can live in one process.
 * Register it before plugins that answer requests themselves, which it would not see otherwise.
 */
const metrics: FastifyPluginAsync<MetricsOptions> = async (app, options) => {
  const { version, path, token, rateLimitClients } = checkOptions('metrics', optionsSchema, options, ['token'])
  const registry = new client.Registry<typeof textFormat>()

  await app.register(fastifyMetrics.default, {
    promClient: client,
    endpoint: null,
    defaultMetrics: { enabled: true, register: registry },
    routeMetrics: {
      enabled: { histogram: true, summary: false },
      registeredRoutesOnly: false,
      invalidRouteGroup: '__unknown__',
      overrides: {
        histogram: { registers: [registry], buckets: httpBuckets },
        // Made even when it is switched off; on our registry it would be exposed without samples.
        summary: { registers: [new client.Registry()] }
      }
    }
  })

  const instruments = createInstruments(registry)
  let lastUtilization = performance.eventLoopUtilization()
  instruments.gauge('mcp_metrics_timestamp', 'When these metrics were read, in seconds since the epoch', () => Math.floor(Date.now() / 1000))
  instruments.gauge('mcp_rate_limit_clients', 'Clients that a rate limit keeps count of', rateLimitClients)
  instruments.gauge('mcp_event_loop_utilization', 'Share of time the event loop was busy since the last reading', () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, lastUtilization)
    lastUtilization = now
    return utilization
  })
  instruments.info('mcp_build_info', 'What is running', { version, node: process.version })

  app.decorate('instruments', instruments)
  app.get(path, { config: { quiet: true, neverShed: true, anyHost: true } }, async (request, reply) => {
    if (token !== undefined && !sameSecret(bearer.exec(request.headers.authorization ?? '')?.[1] ?? '', token)) {
      reply.code(401).header('WWW-Authenticate', 'Bearer')
      return { error: 'Unauthorized', message: 'The metrics need their token.' }
    }
    reply.header('Vary', 'Accept').header('Cache-Control', 'no-store')
    if (request.headers.accept?.includes('application/json') === true) {
      const totals = instruments.totals()
      return {
        requests_total: totals.requests,
        errors_total: totals.errors,
        rate_limit_clients: rateLimitClients(),
        timestamp: Math.floor(Date.now() / 1000),
        metrics: await registry.getMetricsAsJSON()
      }
    }
    reply.type(registry.contentType)
    return await registry.metrics()
  })
}

export default fp(metrics, { name: 'metrics', fastify: '5.x' })
