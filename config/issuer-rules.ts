import { urlsOf } from '../checks/issuers.ts'
import { isBaseUrl, isPlainHttp } from '../checks/urls.ts'
import type { Config } from '../config.ts'
import { singleIssuer } from './issuers.ts'
import type { PartialConfig, Refusal } from './rules.ts'
import { secretProblem } from './secrets.ts'
import type { Source } from './file.ts'

const secretExpected = 'a text of at least 32 characters, or an issuer in JWT_ISSUER or ISSUERS'
const issuerExpected = 'the URL of the issuer'
const introspection = ['INTROSPECTION_URL', 'INTROSPECTION_CLIENT_ID', 'INTROSPECTION_CLIENT_SECRET'] as const
const urls = ['JWT_ISSUER', 'JWT_JWKS_URL', 'INTROSPECTION_URL'] as const

/** What belongs to one way of verifying tokens and is set beside another. */
function misplaced (config: PartialConfig): Refusal[] {
  if (config.ISSUERS !== undefined) {
    return singleIssuer.filter((variable) => config[variable] !== undefined)
      .map((variable) => ({ variable, reason: 'ISSUERS is set and takes its place', expected: 'an entry of ISSUERS, or no ISSUERS' }))
  }
  const found: Refusal[] = []
  const way = config.JWT_SECRET === undefined ? config.INTROSPECTION_URL === undefined ? undefined : 'INTROSPECTION_URL' : 'JWT_SECRET'
  const others = way === 'JWT_SECRET' ? ['JWT_JWKS_URL', ...introspection] as const : way === undefined ? [] : ['JWT_JWKS_URL'] as const
  for (const variable of others) {
    if (config[variable] !== undefined) found.push({ variable, reason: `${way} is set as well`, expected: 'one way to verify tokens, or several issuers in ISSUERS' })
  }
  if (config.JWT_SECRET === undefined && config.JWT_SECRET_PREVIOUS !== undefined) found.push({ variable: 'JWT_SECRET_PREVIOUS', reason: 'JWT_SECRET is not set', expected: 'a secret beside the current one' })
  if (config.JWT_ALGORITHM !== undefined && config.AUTH_ENABLED === true) {
    const expected = way === 'JWT_SECRET' ? 'HS256 with JWT_SECRET' : way === undefined ? 'an algorithm of public keys, since JWT_SECRET is not set' : 'no algorithm with INTROSPECTION_URL'
    const fits = way === 'JWT_SECRET' ? config.JWT_ALGORITHM === 'HS256' : way === undefined && config.JWT_ALGORITHM !== 'HS256'
    if (!fits) found.push({ variable: 'JWT_ALGORITHM', expected })
  }
  return found
}

/** What a way of verifying tokens needs and is not there. */
function missing (config: PartialConfig, source: Source): Refusal[] {
  const { JWT_SECRET, JWT_ISSUER, JWT_JWKS_URL, ISSUERS } = config
  if (ISSUERS !== undefined || source.ISSUERS !== undefined) return []
  const given = introspection.filter((variable) => source[variable] !== undefined)
  const found: Refusal[] = given.length === 0 ? [] : introspection.filter((variable) => source[variable] === undefined)
    .map((variable) => ({ variable, reason: `needed with ${given[0]}` }))
  if (JWT_SECRET !== undefined || source.JWT_SECRET !== undefined) return found
  if (JWT_ISSUER !== undefined && !isBaseUrl(JWT_ISSUER)) found.push({ variable: 'JWT_ISSUER', expected: issuerExpected })
  if (source.JWT_ISSUER !== undefined) return found
  const needs = given[0] ?? (JWT_JWKS_URL === undefined ? undefined : 'JWT_JWKS_URL')
  return [...found, needs === undefined ? { variable: 'JWT_SECRET', expected: secretExpected } : { variable: 'JWT_ISSUER', reason: `needed with ${needs}`, expected: issuerExpected }]
}

/** What could be read or changed on the way. */
function unprotected (config: PartialConfig): Refusal[] {
  const found: Refusal[] = urls.filter((variable) => isPlainHttp(config[variable] ?? ''))
    .map((variable) => ({ variable, reason: 'refused in production', expected: 'an https URL' }))
  const inside = config.ISSUERS?.flatMap((issuer, index) => urlsOf(issuer).filter(([, url]) => isPlainHttp(url)).map(([option]) => `${index}.${option}`)) ?? []
  return inside.length === 0 ? found : [...found, { variable: 'ISSUERS', reason: `${inside.join(', ')}: refused in production`, expected: 'https URLs' }]
}

function secretRules (config: PartialConfig, source: Source): Refusal[] {
  const named: Array<readonly [keyof Config, string, string | undefined]> = [
    ['JWT_SECRET', '', config.JWT_SECRET],
    ['JWT_SECRET_PREVIOUS', '', config.JWT_SECRET_PREVIOUS],
    ...config.ISSUERS?.flatMap((issuer, index) => issuer.type === 'secret' ? issuer.secrets.map((secret) => ['ISSUERS', `${index}.secrets: `, secret] as const) : []) ?? []
  ]
  return named.flatMap(([variable, place, secret]) => {
    const problem = secret === undefined ? undefined : secretProblem(secret, source)
    return problem === undefined ? [] : [{ variable, reason: `${place}${problem.reason}`, expected: problem.expected }]
  })
}

/** Rules about who issues tokens. */
export function issuerRules (config: PartialConfig, source: Source): Refusal[] {
  return [
    ...misplaced(config),
    ...config.AUTH_ENABLED === true ? missing(config, source) : [],
    ...config.ENVIRONMENT === 'production' ? unprotected(config) : [],
    ...secretRules(config, source)
  ]
}
