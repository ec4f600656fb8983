import { whyNotEmptied } from '../checks/folders.ts'
import type { Config } from '../config.ts'
import type { Source } from './file.ts'
import { publicUrl, resourceUrl } from './urls.ts'

/** A value that is sound by itself and refused all the same. */
export interface Refusal {
  /** The variable that has to change. */
  variable: keyof Config
  reason?: string
  /** What would be accepted. */
  expected?: string
}

/** Why a secret must not sign tokens, or undefined where it may. */
function weakness (secret: string): string | undefined {
  if (secret.includes('-----BEGIN')) return 'a PEM key is not a shared secret'
  if (/^\s*\{.*"kty"/s.test(secret)) return 'a JSON Web Key is not a shared secret'
  if (/change.?(me|it)|your.?secret|secret.?here|placeholder|example|openssl rand|django-insecure/i.test(secret)) return 'this is a placeholder'
  if (new Set(secret).size < 8) return 'too few different characters'
  return undefined
}

/** Whether a key is one that stands in a template for the real one. */
function isPlaceholder (key: string): boolean {
  return /change.?(me|it)|replace.?(me|it|this)|placeholder|^your\W?|your.*key|key.?here|^<.*>$|^\$\{.*\}$|^\W+$|^(x+|todo|none|null|undefined|api.?key|django.?api.?key|key|secret|test|dummy)$/i.test(key)
}

function secretRules (variable: 'JWT_SECRET' | 'JWT_SECRET_PREVIOUS', secret: string | undefined, source: Source): Refusal[] {
  if (secret === undefined) return []
  const reason = weakness(secret)
  return [
    ...(reason === undefined ? [] : [{ variable, reason, expected: 'a random text of at least 32 characters' }]),
    ...['DJANGO_API_KEY', 'DJANGO_SECRET_KEY', 'SECRET_KEY'].filter((other) => source[other] === secret)
      .map((other) => ({ variable, reason: `the same as ${other}`, expected: 'a secret of this service\'s own' }))
  ]
}

/** Folders that are read as one kind of definition each. */
const definitionFolders = ['TOOLS_DIR', 'RESOURCES_DIR', 'PROMPTS_DIR'] as const

function folderRules (config: { [Name in keyof Config]?: Config[Name] | undefined }): Refusal[] {
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
export function refusals (config: { [Name in keyof Config]?: Config[Name] | undefined }, source: Source): Refusal[] {
  const found: Refusal[] = []
  const production = config.ENVIRONMENT === 'production'

  if (config.AUTH_ENABLED === true && config.JWT_SECRET === undefined) {
    found.push({ variable: 'JWT_SECRET', expected: 'a text of at least 32 characters' })
  }
  if (config.AUTH_ENABLED === false && production && config.ALLOW_UNAUTHENTICATED !== true) {
    found.push({ variable: 'AUTH_ENABLED', reason: 'refused in production unless ALLOW_UNAUTHENTICATED=true says that it is meant' })
  }
  if (config.DJANGO_API_KEY !== undefined && isPlaceholder(config.DJANGO_API_KEY)) {
    found.push({ variable: 'DJANGO_API_KEY', reason: 'this is a placeholder', expected: 'a key that Django knows' })
  }
  found.push(...secretRules('JWT_SECRET', config.JWT_SECRET, source), ...secretRules('JWT_SECRET_PREVIOUS', config.JWT_SECRET_PREVIOUS, source))
  if (production && config.ALLOWED_ORIGINS?.includes('*') === true) {
    found.push({ variable: 'ALLOWED_ORIGINS', reason: 'refused in production', expected: 'the exact origins' })
  }
  if (production && config.JWT_ISSUER !== undefined && /^http:/i.test(config.JWT_ISSUER)) {
    found.push({ variable: 'JWT_ISSUER', reason: 'refused in production', expected: 'an https URL' })
  }
  return [...found, ...folderRules(config)]
}

/** Sentences about what is accepted and unsafe. */
export function warningsAbout (config: Config): string[] {
  const warnings: string[] = []
  if (!config.AUTH_ENABLED) warnings.push('AUTH_ENABLED=false: every caller may use every tool')
  if (config.ALLOWED_ORIGINS.includes('*')) warnings.push('ALLOWED_ORIGINS=*: web pages of any origin may call this service')
  if (config.ALLOWED_HOSTS.includes('*')) warnings.push('ALLOWED_HOSTS=*: pages whose name is made to resolve to this service may call it')
  if (config.AUTH_ENABLED && config.JWT_AUDIENCE === undefined && config.JWT_ISSUER === undefined) {
    warnings.push(`JWT_AUDIENCE is not set: the secret alone binds tokens to this service; a token with aud must name ${resourceUrl(config)}`)
  }
  if (config.AUTH_ENABLED && config.PUBLIC_URL === undefined) {
    warnings.push(`PUBLIC_URL is not set: challenges point clients to ${publicUrl(config)}`)
  }
  return warnings
}
