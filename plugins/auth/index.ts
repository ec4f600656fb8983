import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { fieldCount } from '../../checks/fields.ts'
import { issuersSchema, urlsOf, type IssuerOptions } from '../../checks/issuers.ts'
import { callback, checkOptions, flag, list, text, whole, type OptionsShape } from '../../checks/options.ts'
import { isScope } from '../../checks/tokens.ts'
import { isBaseUrl, isPlainHttp } from '../../checks/urls.ts'
import { namedLogger } from '../logging/named-logger.ts'
import { createVerifier } from './create-verifier.ts'
import { MemoryDenyList, type DenyList } from './deny-list.ts'
import { AuthError, TokenRefused, VerifierUnavailable, type AuthFailure, type BearerError } from './errors.ts'
import { anonymous, grants, operationScopes, type Principal } from './principal.ts'
import { SharedDenyList } from './shared-deny-list.ts'

export type { IssuerOptions } from '../../checks/issuers.ts'
export { AuthError, VerifierUnavailable, type AuthFailure } from './errors.ts'
export { anonymous, grants, operationScopes, type Principal } from './principal.ts'
export { digestOf, type DenyList, type Revocation } from './deny-list.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook that lets only requests with a valid token pass. */
    readonly identify: onRequestAsyncHookHandler
    /** An `onRequest` hook that lets only requests with a valid token and the required scopes pass. */
    readonly authenticate: onRequestAsyncHookHandler
    /**
     * Rejects with an `AuthError` of status 403 where the request's principal lacks one of the scopes, or one of those
     * that every request needs.
     */
    readonly requireScopes: (request: FastifyRequest, reply: FastifyReply, scopes: readonly string[]) => Promise<void>
    /** Tokens that are refused although they are valid. */
    readonly denyList: DenyList
    /**
     * Whether the token of a request that has passed is refused by now: for answers that go on for long. So it is where
     * that cannot be said.
     */
    readonly isRevoked: (request: FastifyRequest) => Promise<boolean>
  }
  interface FastifyRequest {
    /** Who makes this request; null before `identify` or `authenticate` has run. */
    principal: Principal | null
  }
}

export interface AuthOptions {
  /** Who issues tokens, and how they are verified; null switches authentication off, and everyone may do everything. */
  issuers: readonly IssuerOptions[] | null
  /** Values of which `aud` must have one; an issuer may have others. */
  audience?: readonly string[]
  /** Seconds that a token may live at most, from `iat` or, without it, from now to `exp`; a day where it is left out. */
  maxLifetime?: number
  /** Whether issuers may be reached without TLS, as in development. */
  allowHttp?: boolean
  /** Scopes that every request needs. */
  requiredScopes?: readonly string[]
  /** URL of the protected resource metadata (RFC 9728 §5.1), for challenges. */
  resourceMetadataUrl?: string
  /** `jti` of tokens that are revoked from the start. */
  revokedTokenIds?: readonly string[]
  /** Where the deny-list is kept; in memory where it is left out. */
  redis?: Redis | undefined
  /** Told of every refusal before it is sent; what it throws is sent in its place. */
  onRefused?: (failure: AuthFailure, request: FastifyRequest, reply: FastifyReply) => Promise<void>
}

const scope = 'a scope without spaces and quotes'
const url = 'an http or https URL without query'

const optionsSchema = z.strictObject({
  issuers: issuersSchema.nullable(),
  audience: list(text(), 'a list of audiences').default([]),
  maxLifetime: whole(1, 'seconds').default(86_400),
  allowHttp: flag().default(false),
  requiredScopes: list(z.string(scope).refine(isScope, scope), 'a list of scopes').default(['read']),
  resourceMetadataUrl: z.string(url).refine((value) => isBaseUrl(value) && !/["\\]/.test(value), url).optional(),
  revokedTokenIds: list(text(), 'a list of values of jti').default([]),
  redis: z.custom<Redis>((value) => typeof value === 'object' && value !== null && 'status' in value, 'a connection to Redis').optional(),
  onRefused: callback<NonNullable<AuthOptions['onRefused']>>().optional()
} satisfies OptionsShape<AuthOptions>).superRefine(({ issuers, audience, allowHttp }, context) => {
  issuers?.forEach((issuer, index) => {
    const bound = issuer.type === 'secret' && !issuer.audienceRequired
    if (!bound && issuer.audience === undefined && audience.length === 0) {
      context.addIssue({ code: 'custom', path: ['audience'], message: 'at least one audience, since tokens must name one' })
    }
    for (const [option, url] of allowHttp ? [] : urlsOf(issuer)) {
      if (isPlainHttp(url)) context.addIssue({ code: 'custom', path: ['issuers', index, option], message: 'an https URL, unless allowHttp is true' })
    }
  })
})

/** Token of RFC 6750 §2.1, nothing else in the header. */
const bearerToken = /^Bearer ([\w.~+/-]+=*)$/i

const maxTokenLength = 8192

/** Seconds after which a client may try again while tokens cannot be verified. */
const retryAfter = 5

/**
 * Authenticates requests by bearer token (RFC 6750). Tokens are taken from the Authorization header only; a
 * token in a URL, a body or a cookie is not looked at (OAuth 2.1 §5.1.1).
 */
const auth: FastifyPluginAsync<AuthOptions> = async (app, options) => {
  const { issuers, audience, maxLifetime, allowHttp, requiredScopes, resourceMetadataUrl, revokedTokenIds, redis, onRefused } = checkOptions('auth', optionsSchema, options, ['issuers'])
  const log = namedLogger(app.log, 'auth')
  const verifier = issuers === null ? null : await createVerifier(app, { issuers, audience, maxLifetime, allowHttp, log })
  const own = new MemoryDenyList(revokedTokenIds)
  const denyList: DenyList = redis === undefined ? own : new SharedDenyList(redis, own)

  /** The WWW-Authenticate field of RFC 6750 §3 with the parameter of RFC 9728 §5.1. */
  function challenge (bearerError: BearerError, scopes: readonly string[]): string {
    const parameters = [
      ...(bearerError === undefined ? [] : [`error="${bearerError}"`]),
      ...(resourceMetadataUrl === undefined ? [] : [`resource_metadata="${resourceMetadataUrl}"`]),
      // It names one scope at least where it is there (RFC 6750 §3).
      ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`])
    ]
    return ['Bearer', parameters.join(', ')].filter((part) => part !== '').join(' ')
  }

  function refused (reply: FastifyReply, failure: AuthFailure, bearerError: BearerError, scopes = requiredScopes, cause?: unknown): AuthError {
    reply.header('WWW-Authenticate', challenge(bearerError, scopes))
    return new AuthError(failure, bearerError, scopes, cause)
  }

  /** A list that cannot be asked is no fault of the token's, and lets nobody in. */
  async function isListed (token: string, principal: Principal): Promise<boolean> {
    try {
      return await denyList.isRevoked(token, principal)
    } catch (cause) {
      throw cause instanceof VerifierUnavailable ? cause : new VerifierUnavailable('the deny-list cannot be asked', cause)
    }
  }

  async function principalOf (request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
    if (verifier === null) return anonymous
    const { authorization } = request.headers
    // Node keeps the first of several; a proxy in front of us may have looked at another one.
    if (fieldCount(request.raw.rawHeaders, 'authorization') > 1) throw refused(reply, 'malformed', 'invalid_request')
    if (authorization === undefined || !/^bearer\b/i.test(authorization)) throw refused(reply, 'missing', undefined)
    const token = bearerToken.exec(authorization)?.[1]
    if (token === undefined) throw refused(reply, 'malformed', 'invalid_request')
    if (token.length > maxTokenLength) throw refused(reply, 'malformed', 'invalid_token')

    try {
      const { principal } = await verifier.verify(token)
      if (!await isListed(token, principal)) return principal
      throw new TokenRefused('revoked', 'on the deny-list')
    } catch (error) {
      if (error instanceof VerifierUnavailable) {
        reply.header('Retry-After', retryAfter)
        throw new AuthError('unavailable', 'temporarily_unavailable', [], error)
      }
      // Whatever else a token brings about is its own fault, and no failure of ours.
      throw refused(reply, error instanceof TokenRefused ? error.failure : 'malformed', 'invalid_token', requiredScopes, error)
    }
  }

  /** Runs a check, and reports and passes on what it refuses. */
  async function reporting (request: FastifyRequest, reply: FastifyReply, check: () => void | Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      const reason = error.cause instanceof Error ? error.cause.message : undefined
      const fields = { correlation_id: request.id, failure: error.failure, reason, subject: request.principal?.subject }
      if (error.failure === 'unavailable') log.warn(fields, 'credentials cannot be verified')
      else log.info(fields, 'credentials refused')
      await onRefused?.(error.failure, request, reply)
      throw error
    }
  }

  function checkScopes ({ principal }: FastifyRequest, reply: FastifyReply, own: readonly string[]): void {
    const scopes = operationScopes(requiredScopes, own)
    if (principal === null || !grants(principal, scopes)) throw refused(reply, 'scope', 'insufficient_scope', scopes)
  }

  app.decorateRequest('principal', null)
  app.decorate('denyList', denyList)
  app.decorate('isRevoked', async ({ headers, principal }) => {
    const token = bearerToken.exec(headers.authorization ?? '')?.[1]
    if (token === undefined || principal === null) return false
    try {
      return await denyList.isRevoked(token, principal)
    } catch (error) {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'it cannot be said whether a token is revoked')
      return true
    }
  })
  app.decorate('requireScopes', (request, reply, scopes) => reporting(request, reply, () => { checkScopes(request, reply, scopes) }))
  app.decorate('identify', (request, reply) => reporting(request, reply, async () => {
    request.principal = await principalOf(request, reply)
  }))
  app.decorate('authenticate', (request, reply) => reporting(request, reply, async () => {
    request.principal = await principalOf(request, reply)
    checkScopes(request, reply, [])
  }))
}

export default fp(auth, { name: 'auth', fastify: '5.x' })
