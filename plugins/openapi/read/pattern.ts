/** Characters of a pattern that is kept: longer ones tell a model nothing, and cost much. */
const longest = 200

function compiles (pattern: string): boolean {
  try {
    // Validators use either.
    return [new RegExp(pattern), new RegExp(pattern, 'u')].length === 2
  } catch {
    return false
  }
}

/**
 * A pattern as every validator of JSON Schema takes it, or undefined where it cannot be had. Django writes Python's
 * expressions, and escapes characters that need none, which the `u` flag does not allow.
 */
export function portablePattern (pattern: string): string | undefined {
  if (pattern.length > longest) return undefined
  const translated = pattern
    .replaceAll(/\(\?P<\w+>/g, '(')
    .replaceAll(/\\([AZz])/g, (_, letter) => letter === 'A' ? '^' : '$')
  if (compiles(translated)) return translated
  const unescaped = translated.replaceAll(/\\([^\w\s^$\\.*+?()[\]{}|/-])/g, '$1')
  if (compiles(unescaped)) return unescaped
  // A hyphen may only be escaped between brackets.
  const plainer = unescaped.replaceAll(/\[(?:\\.|[^\]\\])*\]|\\-/g, (part) => part === String.raw`\-` ? '-' : part)
  return compiles(plainer) ? plainer : undefined
}
