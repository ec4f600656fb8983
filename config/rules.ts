import { whyNotEmptied } from '../checks/folders.ts'
import type { Config } from '../config.ts'
import type { Source } from './file.ts'
import { identityRules } from './identity-rules.ts'
import { issuerRules } from './issuer-rules.ts'
import { secretStandsForAudience } from './issuers.ts'
import { isPlaceholder } from './secrets.ts'
import { publicUrl, resourceUrl } from './urls.ts'

/** A value that is sound by itself and refused all the same. */
export interface Refusal {
  /** The variable that has to change. */
  variable: keyof Config
  reason?: string
  /** What would be accepted. */
  expected?: string
}

/** The variables that are sound by themselves. */
export type PartialConfig = { [Name in keyof Config]?: Config[Name] | undefined }

/** Folders that are read as one kind of definition each. */
const definitionFolders = ['TOOLS_DIR', 'RESOURCES_DIR', 'PROMPTS_DIR'] as const

function folderRules (config: PartialConfig): Refusal[] {
  const refusals: Refusal[] = definitionFolders.flatMap((variable, index) => {
    const other = definitionFolders.slice(0, index).find((name) => config[name] !== undefined && config[name] === config[variable])
    return other === undefined ? [] : [{ variable, reason: `the same as ${other}`, expected: 'a folder of its own' }]
  })
  const reason = config.TMP_DIR === undefined ? undefined : whyNotEmptied(config.TMP_DIR)
  if (reason !== undefined) refusals.push({ variable: 'TMP_DIR', reason, expected: 'a folder of this service alone' })
  return refusals
}

/**
 * Rules between variables, and what is unsafe in production.
 * @param config the variables that are sound by themselves
 * @param source all variables, also those that are not ours
 */
export function refusals (config: PartialConfig, source: Source): Refusal[] {
  const found: Refusal[] = []
  const production = config.ENVIRONMENT === 'production'

  if (config.AUTH_ENABLED === false && production && config.ALLOW_UNAUTHENTICATED !== true) {
    found.push({ variable: 'AUTH_ENABLED', reason: 'refused in production unless ALLOW_UNAUTHENTICATED=true says that it is meant' })
  }
  if (config.DJANGO_API_KEY !== undefined && isPlaceholder(config.DJANGO_API_KEY)) {
    found.push({ variable: 'DJANGO_API_KEY', reason: 'this is a placeholder', expected: 'a key that Django knows' })
  }
  for (const variable of ['REQUIRED_SCOPES', 'ADVERTISED_SCOPES'] as const) {
    // What a client needs to stay signed in is its own affair (basic/authorization, "Refresh Tokens").
    if (config[variable]?.includes('offline_access') === true) found.push({ variable, reason: 'offline_access is no scope of a resource', expected: 'scopes of this service' })
  }
  if (production && config.ALLOWED_ORIGINS?.includes('*') === true) {
    found.push({ variable: 'ALLOWED_ORIGINS', reason: 'refused in production', expected: 'the exact origins' })
  }
  if (config.TOOLS_UNAPPROVED === 'refuse' && source.TOOLS_LOCK === undefined) {
    found.push({ variable: 'TOOLS_LOCK', reason: 'needed with TOOLS_UNAPPROVED=refuse', expected: 'a file that `npm run tools` has written' })
  }
  return [...found, ...issuerRules(config, source), ...identityRules(config), ...folderRules(config)]
}

/** Sentences about what is accepted and unsafe. */
export function warningsAbout (config: Config): string[] {
  const warnings: string[] = []
  if (!config.AUTH_ENABLED) warnings.push('AUTH_ENABLED=false: every caller may use every tool')
  if (config.ALLOWED_ORIGINS.includes('*')) warnings.push('ALLOWED_ORIGINS=*: web pages of any origin may call this service')
  if (config.ALLOWED_HOSTS.includes('*')) warnings.push('ALLOWED_HOSTS=*: pages whose name is made to resolve to this service may call it')
  if (config.AUTH_ENABLED && config.JWT_SECRET !== undefined && secretStandsForAudience(config)) {
    warnings.push(`JWT_AUDIENCE is not set: the secret alone binds tokens to this service; a token with aud must name ${resourceUrl(config)}`)
  }
  if (config.AUTH_ENABLED && config.PUBLIC_URL === undefined) {
    warnings.push(`PUBLIC_URL is not set: challenges point clients to ${publicUrl(config)}`)
  }
  return warnings
}
