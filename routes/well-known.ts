import type { FastifyPluginCallback } from 'fastify'

export interface WellKnownOptions {
  /** Canonical URL of the protected resource, as clients use it (RFC 9728 §3.3): never taken from a request. */
  resource: string
  /** Issuers whose tokens are accepted. */
  authorizationServers: readonly string[]
  /** Scopes that a client may ask for. */
  scopes: readonly string[]
}

const path = '/.well-known/oauth-protected-resource'

/** Seconds for which a browser may remember that it may ask. */
const preflightMaxAge = 86_400

/** URL of the metadata of a resource (RFC 9728 §3.1: the resource's path goes behind the well-known one). */
export function metadataUrl (resource: string): string {
  const { origin, pathname } = new URL(resource)
  return `${origin}${path}${pathname}`
}

/** Protected resource metadata, at the path that challenges name and at the root for clients that guess. */
const wellKnown: FastifyPluginCallback<WellKnownOptions> = (app, { resource, authorizationServers, scopes }, done) => {
  const metadata = {
    resource,
    ...(authorizationServers.length === 0 ? {} : { authorization_servers: authorizationServers }),
    scopes_supported: scopes,
    bearer_methods_supported: ['header']
  }
  for (const url of new Set([new URL(metadataUrl(resource)).pathname, `${path}/mcp`, path])) {
    // Public, so every page may read it, whatever origins may call the endpoint itself.
    const route = { config: { cors: false }, onRequest: app.limits.address } as const
    app.get(url, route, async (_request, reply) => {
      reply.header('Access-Control-Allow-Origin', '*').header('Cache-Control', 'public, max-age=3600')
      return metadata
    })
    // Clients in pages send their revision of the protocol along, for which browsers ask first.
    app.options(url, route, async (_request, reply) => {
      reply.code(204).headers({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': 'GET', 'Access-Control-Allow-Headers': '*', 'Access-Control-Max-Age': preflightMaxAge })
    })
  }
  done()
}

export default wellKnown
