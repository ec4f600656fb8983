import { z } from 'zod'
import { flag, list, text, type OptionsShape } from './options.ts'
import { isBaseUrl, isEndpoint } from './urls.ts'

/** Names of the profiles: what tokens look like differs between kinds of authorization servers. */
export const profileNames = ['rfc9068', 'generic', 'django-oauth-toolkit', 'simplejwt', 'keycloak', 'auth0', 'entra', 'workos'] as const
export type ProfileName = typeof profileNames[number]

/** Algorithms of keys in a key set (RFC 7518 §3.1, RFC 8037 §3.1). No HMAC: a public key must never become a secret. */
export const keySetAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const
export type KeySetAlgorithm = typeof keySetAlgorithms[number]

interface IssuerBase {
  /** What the claims of its tokens look like. */
  profile?: ProfileName | undefined
  /** Values of which `aud` must have one, in the place of those for all issuers. */
  audience?: readonly string[] | undefined
}

/** Tokens signed with HS256 and a secret that is shared with whoever issues them. */
export interface SecretIssuer extends IssuerBase {
  type: 'secret'
  /** Secrets of 32 bytes or more that a token may be signed with: the current one, and during a rotation the one before. */
  secrets: readonly [string, ...string[]]
  /** The `iss` that a token must have. Without it any or none is accepted: the secret alone says who issued. */
  issuer?: string | undefined
  /** Whether a token without `aud` is refused, as it is unless this is false: then the secret alone says whom it is for. */
  audienceRequired?: boolean | undefined
}

/** Tokens signed with keys that their issuer publishes. */
export interface KeySetIssuer extends IssuerBase {
  type: 'jwks'
  /** The issuer's URL, exactly as in `iss`. */
  issuer: string
  /** Where its keys are; asked of the issuer's metadata where it is left out (RFC 8414, OpenID Connect Discovery). */
  jwksUrl?: string | undefined
  /** The one signature algorithm that is accepted; RS256 where it is left out. */
  algorithm?: KeySetAlgorithm | undefined
}

/** Tokens that their issuer is asked about (RFC 7662). */
export interface IntrospectionIssuer extends IssuerBase {
  type: 'introspection'
  /** The issuer's URL. An answer that names another one is refused. */
  issuer: string
  /** The introspection endpoint. */
  url: string
  /** With what this service authenticates there (RFC 6749 §2.3.1, HTTP Basic). */
  clientId: string
  clientSecret: string
}

export type IssuerOptions = SecretIssuer | KeySetIssuer | IntrospectionIssuer

const minSecretBytes = 32
const secretExpected = `a secret of at least ${minSecretBytes} bytes`
const issuerExpected = 'the URL of an issuer, without credentials, query or fragment'
const endpointExpected = 'an http or https URL without credentials and fragment'

/** A secret must not be shorter than the digest (RFC 7518 §3.2). */
const secret = z.string(secretExpected).refine((value) => Buffer.byteLength(value) >= minSecretBytes, secretExpected)
const issuerUrl = z.string(issuerExpected).refine(isBaseUrl, issuerExpected)
const endpoint = z.string(endpointExpected).refine(isEndpoint, endpointExpected)

function oneOf<const Value extends string> (values: readonly Value[]) {
  return z.enum(values, `one of ${values.join(', ')}`)
}

const base = {
  profile: oneOf(profileNames).optional(),
  audience: z.array(text(), 'a list of audiences').min(1, 'a list with at least one audience').readonly().optional()
}

const kinds = 'a type of issuer: secret, jwks or introspection'

const issuerOptions = z.discriminatedUnion('type', [
  z.strictObject({
    ...base,
    type: z.literal('secret'),
    secrets: z.tuple([secret], secret, 'a list of secrets with at least one').readonly(),
    issuer: text().optional(),
    audienceRequired: flag().default(true)
  } satisfies OptionsShape<SecretIssuer>),
  z.strictObject({
    ...base,
    type: z.literal('jwks'),
    issuer: issuerUrl,
    jwksUrl: endpoint.optional(),
    algorithm: oneOf(keySetAlgorithms).default('RS256')
  } satisfies OptionsShape<KeySetIssuer>),
  z.strictObject({
    ...base,
    type: z.literal('introspection'),
    issuer: issuerUrl,
    url: endpoint,
    clientId: text(),
    clientSecret: text()
  } satisfies OptionsShape<IntrospectionIssuer>)
], kinds)

/** An issuer, checked and with its defaults. */
export type CheckedIssuer = z.output<typeof issuerOptions>

/** What is wrong between issuers: a token must lead to one of them, whatever it says. */
function conflictsIn (issuers: readonly CheckedIssuer[]): Array<{ path: [number, string], message: string }> {
  return issuers.flatMap(({ type, issuer }, index) => {
    const before = issuers.slice(0, index)
    if (issuer === undefined && issuers.length > 1) return [{ path: [index, 'issuer'], message: 'an issuer, since there are several' }]
    if (before.some((other) => other.issuer === issuer)) return [{ path: [index, 'issuer'], message: 'an issuer that no other entry has' }]
    // A token that is no JWT does not say whose it is, and must not be shown to the wrong one.
    if (type === 'introspection' && before.some((other) => other.type === type)) return [{ path: [index, 'type'], message: 'one issuer with introspection at most' }]
    return []
  })
}

/** Issuers whose tokens are accepted. The message of every check says what is expected. */
export const issuersSchema = list(issuerOptions, 'a list of issuers').refine((issuers) => issuers.length > 0, 'at least one issuer').superRefine((issuers, context) => {
  for (const { path, message } of conflictsIn(issuers)) context.addIssue({ code: 'custom', path, message })
})

/** URLs of an issuer that something is fetched from or sent to, by the names of their options. */
export function urlsOf (issuer: CheckedIssuer): ReadonlyArray<readonly [option: string, url: string]> {
  if (issuer.type === 'secret') return issuer.issuer === undefined ? [] : [['issuer', issuer.issuer]]
  if (issuer.type === 'introspection') return [['issuer', issuer.issuer], ['url', issuer.url]]
  return issuer.jwksUrl === undefined ? [['issuer', issuer.issuer]] : [['issuer', issuer.issuer], ['jwksUrl', issuer.jwksUrl]]
}
