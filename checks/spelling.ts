import { closest, distance } from 'fastest-levenshtein'

function aThird (length: number): number {
  return Math.max(1, Math.floor(length / 3))
}

/**
 * The known name that `name` was probably meant to be, or undefined. Capital letters do not count.
 * @param tolerance how many letters may differ from a known name of this length; a third of them where it is left out
 */
export function probablyMeant (name: string, known: readonly string[], tolerance = aThird): string | undefined {
  if (known.length === 0) return undefined
  const folded = known.map((candidate) => candidate.toLowerCase())
  const nearest = closest(name.toLowerCase(), folded)
  return distance(name.toLowerCase(), nearest) <= tolerance(nearest.length) ? known[folded.indexOf(nearest)] : undefined
}
