import { isPlainHttp } from '../checks/urls.ts'
import { identityIssuer, issuerNames } from './identity.ts'
import type { PartialConfig, Refusal } from './rules.ts'

const needs = {
  assertion: ['ASSERTION_KEY', 'PUBLIC_URL'],
  exchange: ['EXCHANGE_URL', 'EXCHANGE_CLIENT_ID', 'EXCHANGE_CLIENT_SECRET']
} as const

/** Whose users they are has to be said: the same name at another issuer is somebody else, and a token is exchanged only where it came from. */
function issuerRules (config: PartialConfig, way: 'assertion' | 'exchange'): Refusal[] {
  const names = issuerNames(config)
  const variable = 'IDENTITY_ISSUER'
  if (config.IDENTITY_ISSUER !== undefined) return names.includes(config.IDENTITY_ISSUER) ? [] : [{ variable, reason: 'no such issuer is configured', expected: 'one of the issuers whose tokens are accepted' }]
  if (identityIssuer(config) !== undefined || (way === 'assertion' && names.length < 2)) return []
  return [{ variable, reason: `needed while DJANGO_IDENTITY is ${way}, unless there is one issuer with a name`, expected: 'one of the issuers whose tokens are accepted' }]
}

/** Rules about telling Django who calls. */
export function identityRules (config: PartialConfig): Refusal[] {
  const { DJANGO_IDENTITY: way, ENVIRONMENT } = config
  if (way === undefined || way === 'service') return []
  const found: Refusal[] = needs[way].filter((variable) => config[variable] === undefined)
    .map((variable) => ({ variable, reason: `needed while DJANGO_IDENTITY is ${way}` }))
  if (config.AUTH_ENABLED === false) found.push({ variable: 'DJANGO_IDENTITY', reason: 'nobody signs in while AUTH_ENABLED is false', expected: 'service' })
  else found.push(...issuerRules(config, way))
  if (ENVIRONMENT === 'production' && way === 'assertion' && config.ASSERTION_KEY === 'generated') {
    found.push({ variable: 'ASSERTION_KEY', reason: 'refused in production', expected: 'a key that all replicas have' })
  }
  if (ENVIRONMENT === 'production' && way === 'exchange' && isPlainHttp(config.EXCHANGE_URL ?? '')) {
    found.push({ variable: 'EXCHANGE_URL', reason: 'refused in production', expected: 'an https URL' })
  }
  return found
}
