import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, flag, text, type OptionsShape } from '../checks/options.ts'

/** What a background probe last saw of the backend. */
export interface BackendHealth {
  healthy: boolean
  /** Seconds since the probe looked, null before its first look ended. */
  ageSeconds: number | null
  /** What was wrong, in words that may be shown to anyone. */
  reason?: string
}

export interface HealthOptions {
  /** Version of the service. */
  version: string
  /** The last known state of the backend; it must answer from memory. */
  backend?: () => Promise<BackendHealth>
  /** Whether `/ready/` answers 503 while the backend is unhealthy. */
  readyRequiresBackend?: boolean
  /** State of the API's schema, where there is one. An old one still serves, so `/health` is degraded by it, and answers 200. */
  schema?: (() => BackendHealth) | undefined
  /** Whether the server is shutting down. */
  draining?: () => boolean
}

function timestamp (): string {
  return new Date().toISOString()
}

const optionsSchema = z.strictObject({
  version: text(),
  backend: callback<() => Promise<BackendHealth>>().default(() => async () => ({ healthy: true, ageSeconds: null })),
  readyRequiresBackend: flag().default(true),
  schema: callback<() => BackendHealth>().optional(),
  draining: callback<() => boolean>().default(() => () => false)
} satisfies OptionsShape<HealthOptions>)

/**
 * Endpoints for probes and people, without authentication: `/live/` (the process turns), `/ready/` (send traffic)
 * and `/health` (state with reasons). None of them waits for the backend.
 */
const health: FastifyPluginAsync<HealthOptions> = async (app, options) => {
  const { version, backend, readyRequiresBackend, schema, draining } = checkOptions('health', optionsSchema, options)
  const route = { config: { quiet: true, neverShed: true, anyHost: true } }

  app.get('/live/', route, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store')
    return { status: 'alive', timestamp: timestamp(), version }
  })

  app.get('/ready/', route, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store')
    const { healthy } = await backend()
    const serving = draining() ? 'draining' : 'ok'
    const ready = serving === 'ok' && (healthy || !readyRequiresBackend)
    reply.code(ready ? 200 : 503)
    return {
      status: !ready ? 'not_ready' : healthy ? 'ready' : 'degraded',
      checks: { server: serving, api_backend: healthy ? 'ok' : 'error' },
      timestamp: timestamp()
    }
  })

  app.get('/health', route, async (_request, reply) => {
    reply.header('Cache-Control', 'no-store')
    const { healthy, ageSeconds, reason } = await backend()
    const document = schema?.()
    reply.code(healthy ? 200 : 503)
    return {
      status: healthy && document?.healthy !== false ? 'healthy' : 'degraded',
      timestamp: timestamp(),
      version,
      api_status: healthy ? 'healthy' : 'unhealthy',
      api_checked_seconds_ago: ageSeconds,
      ...(reason === undefined ? {} : { api_reason: reason }),
      ...(document === undefined ? {} : {
        schema_status: document.healthy ? 'healthy' : 'unhealthy',
        schema_checked_seconds_ago: document.ageSeconds,
        ...(document.reason === undefined ? {} : { schema_reason: document.reason })
      })
    }
  })
}

export default fp(health, { name: 'health', fastify: '5.x' })
