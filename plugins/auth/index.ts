import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { callback, checkOptions, list, text, type OptionsShape } from '../../checks/options.ts'
import { isScope } from '../../checks/tokens.ts'
import { isBaseUrl } from '../../checks/urls.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { createMemoryDenyList, type DenyList } from './deny-list.ts'
import { AuthError, TokenRefused, type AuthFailure, type BearerError } from './errors.ts'
import { anonymous, grants, type Principal } from './principal.ts'
import { remembering } from './remembering.ts'
import { sharedSecretOptions, sharedSecretVerifier, type SharedSecretOptions } from './shared-secret.ts'

export { AuthError, type AuthFailure } from './errors.ts'
export { anonymous, grants, type Principal } from './principal.ts'
export type { DenyList } from './deny-list.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook that lets only requests with a valid token and the required scopes pass. */
    readonly authenticate: onRequestAsyncHookHandler
    /** Rejects with an `AuthError` of status 403 where the request's principal lacks one of the scopes. */
    readonly requireScopes: (request: FastifyRequest, reply: FastifyReply, scopes: readonly string[]) => Promise<void>
    /** Tokens that are refused although they are valid. */
    readonly denyList: DenyList
    /** Whether the token of a request that has passed was revoked since: for answers that go on for long. */
    readonly isRevoked: (request: FastifyRequest) => boolean
  }
  interface FastifyRequest {
    /** Who makes this request; null before `authenticate` has run. */
    principal: Principal | null
  }
}

export interface AuthOptions {
  /** How tokens are verified; null switches authentication off, and everyone may do everything. */
  verifier: SharedSecretOptions | null
  /** Scopes that every request needs. */
  requiredScopes?: readonly string[]
  /** URL of the protected resource metadata (RFC 9728 §5.1), for challenges. */
  resourceMetadataUrl?: string
  /** `jti` of tokens that are revoked from the start. */
  revokedTokenIds?: readonly string[]
  /** Told of every refusal before it is sent; what it throws is sent in its place. */
  onRefused?: (failure: AuthFailure, request: FastifyRequest, reply: FastifyReply) => Promise<void>
}

const scope = 'a scope without spaces and quotes'
const url = 'an http or https URL without query'

const optionsSchema = z.strictObject({
  verifier: sharedSecretOptions.nullable(),
  requiredScopes: list(z.string(scope).refine(isScope, scope), 'a list of scopes').default(['read']),
  resourceMetadataUrl: z.string(url).refine((value) => isBaseUrl(value) && !/["\\]/.test(value), url).optional(),
  revokedTokenIds: list(text(), 'a list of values of jti').default([]),
  onRefused: callback<NonNullable<AuthOptions['onRefused']>>().optional()
} satisfies OptionsShape<AuthOptions>)

/** Token of RFC 6750 §2.1, nothing else in the header. */
const bearerToken = /^Bearer ([\w.~+/-]+=*)$/i

const maxTokenLength = 8192

function authorizationHeaders (request: FastifyRequest): number {
  const { rawHeaders } = request.raw
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'authorization') found += 1
  }
  return found
}

/**
 * Authenticates requests by bearer token (RFC 6750). Tokens are taken from the Authorization header only; a
 * token in a URL, a body or a cookie is not looked at (OAuth 2.1 §5.1.1).
 */
const auth: FastifyPluginAsync<AuthOptions> = async (app, options) => {
  const { requiredScopes, resourceMetadataUrl, revokedTokenIds, onRefused, ...checked } = checkOptions('auth', optionsSchema, options, ['verifier'])
  const log = namedLogger(app.log, 'auth')
  const verifier = checked.verifier === null ? null : remembering(await sharedSecretVerifier(app, checked.verifier))
  const denyList = createMemoryDenyList(revokedTokenIds)

  /** The WWW-Authenticate field of RFC 6750 §3 with the parameter of RFC 9728 §5.1. */
  function challenge (bearerError: BearerError, scopes: readonly string[]): string {
    const parameters = [
      ...(bearerError === undefined ? [] : [`error="${bearerError}"`]),
      ...(resourceMetadataUrl === undefined ? [] : [`resource_metadata="${resourceMetadataUrl}"`]),
      `scope="${scopes.join(' ')}"`
    ]
    return `Bearer ${parameters.join(', ')}`
  }

  function refused (reply: FastifyReply, failure: AuthFailure, bearerError: BearerError, scopes = requiredScopes, cause?: unknown): AuthError {
    reply.header('WWW-Authenticate', challenge(bearerError, scopes))
    return new AuthError(failure, bearerError, scopes, cause)
  }

  async function principalOf (request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
    if (verifier === null) return anonymous
    const { authorization } = request.headers
    // Node keeps the first of several; a proxy in front of us may have looked at another one.
    if (authorizationHeaders(request) > 1) throw refused(reply, 'malformed', 'invalid_request')
    if (authorization === undefined || !/^bearer\b/i.test(authorization)) throw refused(reply, 'missing', undefined)
    const token = bearerToken.exec(authorization)?.[1]
    if (token === undefined) throw refused(reply, 'malformed', 'invalid_request')
    if (token.length > maxTokenLength) throw refused(reply, 'malformed', 'invalid_token')

    const principal = await verifier.verify(token).catch((error: unknown) => {
      throw refused(reply, error instanceof TokenRefused ? error.failure : 'malformed', 'invalid_token', requiredScopes, error)
    })
    // Not caught: a list that cannot be asked is no fault of the token's, and lets nobody in.
    if (denyList.isRevoked(token, principal)) {
      throw refused(reply, 'revoked', 'invalid_token', requiredScopes, new TokenRefused('revoked', 'on the deny-list'))
    }
    return principal
  }

  /** Runs a check, and reports and passes on what it refuses. */
  async function reporting (request: FastifyRequest, reply: FastifyReply, check: () => void | Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      const reason = error.cause instanceof Error ? error.cause.message : undefined
      log.info({ correlation_id: request.id, failure: error.failure, reason, subject: request.principal?.subject }, 'credentials refused')
      await onRefused?.(error.failure, request, reply)
      throw error
    }
  }

  function checkScopes (request: FastifyRequest, reply: FastifyReply, scopes: readonly string[]): void {
    if (request.principal === null || !grants(request.principal, scopes)) throw refused(reply, 'scope', 'insufficient_scope', scopes)
  }

  app.decorateRequest('principal', null)
  app.decorate('denyList', denyList)
  app.decorate('isRevoked', ({ headers, principal }) => {
    const token = bearerToken.exec(headers.authorization ?? '')?.[1]
    return token !== undefined && principal !== null && denyList.isRevoked(token, principal)
  })
  app.decorate('requireScopes', (request, reply, scopes) => reporting(request, reply, () => { checkScopes(request, reply, scopes) }))
  app.decorate('authenticate', (request, reply) => reporting(request, reply, async () => {
    request.principal = await principalOf(request, reply)
    checkScopes(request, reply, requiredScopes)
  }))
}

export default fp(auth, { name: 'auth', fastify: '5.x' })
