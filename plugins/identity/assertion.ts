import { randomUUID } from 'node:crypto'
import { SignJWT, type JWK } from 'jose'
import { z } from 'zod'
import { privateKeyIn, publicKeyIn } from '../../checks/keys.ts'
import { text, type OptionsShape } from '../../checks/options.ts'
import { isBaseUrl, withoutTrailingSlash } from '../../checks/urls.ts'
import { publicJwk } from './key-set.ts'
import type { IdentityPrincipal } from './principal.ts'

export interface AssertionOptions {
  type: 'assertion'
  /** PEM of the private key of P-256 that signs. All replicas have the same one. */
  key: string
  /** PEM of a second key, private or public, that is published and signs nothing: the next one, or the one before. */
  otherKey?: string | undefined
  /** `iss`: URL of this service. */
  issuer: string
  /** `aud`: what Django takes for itself. */
  audience: string
}

const privateKey = 'the PEM of a private key of P-256'
const anyKey = 'the PEM of a key of P-256'
const url = 'an http or https URL without query'

export const assertionOptions = z.strictObject({
  type: z.literal('assertion'),
  key: z.string(privateKey).transform((pem, context) => privateKeyIn(pem) ?? (context.addIssue(privateKey), z.NEVER)),
  otherKey: z.string(anyKey).transform((pem, context) => publicKeyIn(pem) ?? (context.addIssue(anyKey), z.NEVER)).optional(),
  issuer: z.string(url).refine(isBaseUrl, url).transform(withoutTrailingSlash),
  audience: text()
} satisfies OptionsShape<AssertionOptions>)

/** Seconds that an assertion lives: long enough for a slow network, of no use to who finds it in a log. */
const lifetime = 60

/**
 * A type of its own (RFC 8725 §3.11): an assertion is no access token, and a resource server that looks at types does
 * not take it for one.
 */
const type = 'mcp-assertion+jwt'

/** Makes assertions, and has the keys that they are verified with. */
export interface Assertions {
  /** A JSON Web Key Set (RFC 7517 §5). */
  readonly keySet: { readonly keys: readonly JWK[] }
  readonly sign: (principal: IdentityPrincipal) => Promise<string>
}

/**
 * Assertions of who a call is made for, each signed with ES256 and good for one request: its `jti` is used once, so
 * that Django can refuse to see it twice. Signing anew each time costs about 0.1 ms of CPU, most of it beside the
 * event loop; an assertion that is used again would save that and could not be told from a stolen one.
 */
export async function createAssertions ({ key, otherKey, issuer, audience }: z.output<typeof assertionOptions>): Promise<Assertions> {
  const own = await publicJwk(key)
  const other = otherKey === undefined ? undefined : await publicJwk(otherKey)
  const header = { alg: 'ES256', kid: own.kid, typ: type }

  return {
    keySet: { keys: other === undefined || other.kid === own.kid ? [own] : [own, other] },
    async sign ({ subject, issuer: subjectIssuer, clientId, scopes }) {
      const now = Math.floor(Date.now() / 1000)
      return await new SignJWT({
        iss: issuer,
        aud: audience,
        sub: subject,
        // Subjects of two issuers may have the same name (RFC 9493 §3.2.3).
        ...subjectIssuer === undefined ? {} : { sub_id: { format: 'iss_sub', iss: subjectIssuer, sub: subject } },
        // Who acts for the subject (RFC 8693 §4.1): the OAuth client.
        ...clientId === undefined ? {} : { act: { sub: clientId } },
        scope: [...scopes].join(' '),
        // What djangorestframework-simplejwt looks for.
        token_type: 'access',
        user_id: subject,
        iat: now,
        exp: now + lifetime,
        jti: randomUUID()
      }).setProtectedHeader(header).sign(key)
    }
  }
}
