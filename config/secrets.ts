import type { Source } from './file.ts'

/** Why a secret must not sign tokens, or undefined where it may. */
function weakness (secret: string): string | undefined {
  if (secret.includes('-----BEGIN')) return 'a PEM key is not a shared secret'
  if (/^\s*\{.*"kty"/s.test(secret)) return 'a JSON Web Key is not a shared secret'
  if (/change.?(me|it)|your.?secret|secret.?here|placeholder|example|openssl rand|django-insecure/i.test(secret)) return 'this is a placeholder'
  if (new Set(secret).size < 8) return 'too few different characters'
  return undefined
}

/** What is wrong with a secret that tokens are signed with; undefined where nothing is. */
export function secretProblem (secret: string, source: Source): { reason: string, expected: string } | undefined {
  const reason = weakness(secret)
  if (reason !== undefined) return { reason, expected: 'a random text of at least 32 characters' }
  const other = ['DJANGO_API_KEY', 'DJANGO_SECRET_KEY', 'SECRET_KEY'].find((name) => source[name] === secret)
  return other === undefined ? undefined : { reason: `the same as ${other}`, expected: 'a secret of this service\'s own' }
}

/** Whether a key is one that stands in a template for the real one. */
export function isPlaceholder (key: string): boolean {
  return /change.?(me|it)|replace.?(me|it|this)|placeholder|^your\W?|your.*key|key.?here|^<.*>$|^\$\{.*\}$|^\W+$|^(x+|todo|none|null|undefined|api.?key|django.?api.?key|key|secret|test|dummy)$/i.test(key)
}
