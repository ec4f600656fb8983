import { closest, distance } from 'fastest-levenshtein'

/**
 * The known name that `name` was probably meant to be, or undefined. Capital letters do not count.
 * @param tolerance how many letters may differ from a known name of this length
 */
export function probablyMeant (name: string, known: readonly string[], tolerance: (length: number) => number): string | undefined {
  if (known.length === 0) return undefined
  const folded = known.map((candidate) => candidate.toLowerCase())
  const nearest = closest(name.toLowerCase(), folded)
  return distance(name.toLowerCase(), nearest) <= tolerance(nearest.length) ? known[folded.indexOf(nearest)] : undefined
}
