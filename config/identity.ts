import { generatedKey } from '../checks/keys.ts'
import { isBaseUrl } from '../checks/urls.ts'
import type { Config } from '../config.ts'
import type { AssertionOptions, ExchangeOptions } from '../plugins/identity/index.ts'
import type { PartialConfig } from './rules.ts'
import { publicUrl } from './urls.ts'

/** How Django is told whom a call is made for; null where it is not told. The rules of the configuration see to it that nothing is missing. */
export function identityWay (config: Config): AssertionOptions | ExchangeOptions | null {
  const { DJANGO_IDENTITY, DJANGO_AUDIENCE: audience = config.DJANGO_BASE_URL } = config
  if (DJANGO_IDENTITY === 'assertion') {
    const { ASSERTION_KEY: key = '', ASSERTION_KEY_OTHER: otherKey } = config
    return { type: 'assertion', key: key === 'generated' ? generatedKey() : key, otherKey, issuer: publicUrl(config), audience }
  }
  if (DJANGO_IDENTITY === 'exchange') {
    const { EXCHANGE_URL: url = '', EXCHANGE_CLIENT_ID: clientId = '', EXCHANGE_CLIENT_SECRET: clientSecret = '' } = config
    return { type: 'exchange', url, clientId, clientSecret, audience }
  }
  return null
}

/** Names of the issuers whose tokens are accepted, of those that have one. */
export function issuerNames ({ ISSUERS, JWT_ISSUER }: PartialConfig): readonly string[] {
  return ISSUERS?.flatMap(({ issuer }) => issuer ?? []) ?? (JWT_ISSUER === undefined ? [] : [JWT_ISSUER])
}

/** Issuers that clients can find out about: an issuer is a URL (RFC 8414 §2), and what is only a name leads nowhere. */
export function authorizationServers (config: PartialConfig): readonly string[] {
  return issuerNames(config).filter(isBaseUrl)
}

/** The issuer whose subjects are users of Django; undefined where the one there is has no name. */
export function identityIssuer (config: PartialConfig): string | undefined {
  const names = issuerNames(config)
  return config.IDENTITY_ISSUER ?? (names.length === 1 ? names[0] : undefined)
}
