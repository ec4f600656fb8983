import { probablyMeant } from '../checks/spelling.ts'

/** Names that a deployment sets for other programs although they look like ours. */
const foreignNames = new Set(['TMPDIR', 'DJANGO_SETTINGS_MODULE', 'DJANGO_SECRET_KEY', 'DJANGO_CONFIGURATION', 'DJANGO_DEBUG', 'DJANGO_ALLOWED_HOSTS'])

/** An environment is full of names that have nothing to do with us: only what is very near counts. */
function tolerance (length: number): number {
  return length < 8 ? 1 : Math.min(3, Math.floor(length / 4))
}

/** The variable among `known` that `name` was probably meant to be, or undefined. */
export function variableMeant (name: string, known: readonly string[]): string | undefined {
  return name.length < 5 || foreignNames.has(name) ? undefined : probablyMeant(name, known, tolerance)
}
