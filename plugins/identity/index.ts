import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, text, type OptionsShape } from '../../checks/options.ts'
import type { CallIdentity } from '../django/call-identity.ts'
import { createEngine } from '../django/engine.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { assertionOptions, createAssertions, type AssertionOptions } from './assertion.ts'
import { identityHeader, known, type IdentityPrincipal } from './principal.ts'
import { exchangeOptions, TokenExchange, type ExchangeOptions } from './token-exchange.ts'

export { identityHeader, type IdentityPrincipal } from './principal.ts'
export type { AssertionOptions } from './assertion.ts'
export type { ExchangeOptions } from './token-exchange.ts'
export type { CallIdentity } from '../django/call-identity.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** How Django is told whom a request of ours is made for; undefined where it is told of this service alone. */
    readonly identityOf: (request: FastifyRequest) => CallIdentity | undefined
  }
}

export interface IdentityOptions {
  /** How Django is told; null for not at all: then every caller is this service to it. */
  way: AssertionOptions | ExchangeOptions | null
  /** Who makes a request. */
  principalOf: (request: FastifyRequest) => IdentityPrincipal | null | undefined
  /** The token that a request came with, for an exchange; without the word before it. */
  tokenOf?: (request: FastifyRequest) => string | undefined
  /** The issuer whose subjects are users of Django; principals of others are refused. Any where it is left out. */
  issuer?: string | undefined
}

function bearerToken ({ headers }: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

const optionsSchema = z.strictObject({
  way: z.discriminatedUnion('type', [assertionOptions, exchangeOptions], 'an object whose type is assertion or exchange, or null').nullable(),
  principalOf: callback<IdentityOptions['principalOf']>(),
  tokenOf: callback<NonNullable<IdentityOptions['tokenOf']>>().default(() => bearerToken),
  issuer: text().optional()
} satisfies OptionsShape<IdentityOptions>)

/** Where the public keys are, below the URL that assertions name as their issuer. */
const keySetPath = '/.well-known/jwks.json'
/** Seconds for which others may keep them. */
const keySetAge = 300

function publish (app: FastifyInstance, keySet: unknown): void {
  // Public, and as important as what is verified with it: without it Django refuses every call.
  app.get(keySetPath, { config: { quiet: true, neverShed: true, anyHost: true } }, async (_request, reply) => {
    reply.header('Cache-Control', `public, max-age=${keySetAge}`).type('application/jwk-set+json')
    return JSON.stringify(keySet)
  })
}

/** Connections to the authorization server at the same time. */
const maxSockets = 20

/**
 * Tells Django whom a request is made for, in a header beside the key of this service: by an assertion that this
 * service signs, or by a token that the authorization server gives for that of the caller.
 */
const identity: FastifyPluginAsync<IdentityOptions> = async (app, options) => {
  const { way, principalOf, tokenOf, issuer } = checkOptions('identity', optionsSchema, options, ['key', 'otherKey', 'clientSecret'])

  if (way === null) {
    namedLogger(app.log, 'identity').warn('Django sees one shared identity, whoever calls: that of the API key')
    app.decorate('identityOf', () => undefined)
    return
  }

  if (way.type === 'assertion') {
    const { keySet, sign } = await createAssertions(way)
    publish(app, keySet)
    app.decorate('identityOf', (request) => ({
      headers: async () => ({ [identityHeader]: `Bearer ${await sign(known(principalOf(request), issuer))}` })
    }))
    return
  }

  const tokens = new TokenExchange(way, createEngine(app, maxSockets), namedLogger(app.log, 'identity'))
  app.decorate('identityOf', (request) => {
    let used: string | undefined
    return {
      async headers () {
        const token = tokenOf(request)
        const principal = known(token === undefined ? null : principalOf(request), issuer)
        used = await tokens.tokenFor(principal, token ?? '')
        return { [identityHeader]: `Bearer ${used}` }
      },
      refused () {
        const principal = principalOf(request)
        if (used !== undefined && principal !== null && principal !== undefined) tokens.forget(principal, used)
      }
    }
  })
}

export default fp(identity, { name: 'identity', fastify: '5.x' })
