import { closest, distance } from 'fastest-levenshtein'

function aThird (length: number): number {
  return Math.max(1, Math.floor(length / 3))
}

const sorted = (text: string): string => Array.from(text).toSorted().join('')

/** Whether two letters have changed places, which is two changes and one mistake. */
function isSwapped (name: string, candidate: string): boolean {
  return name.length === candidate.length && distance(name, candidate) === 2 && sorted(name) === sorted(candidate)
}

/**
 * The known name that `name` was probably meant to be, or undefined. Capital letters do not count.
 * @param tolerance how many letters may differ from a known name of this length; a third of them where it is left out
 */
export function probablyMeant (name: string, known: readonly string[], tolerance = aThird): string | undefined {
  if (known.length === 0) return undefined
  const folded = known.map((candidate) => candidate.toLowerCase())
  const given = name.toLowerCase()
  const nearest = closest(given, folded)
  if (distance(given, nearest) <= tolerance(nearest.length)) return known[folded.indexOf(nearest)]
  const swapped = folded.findIndex((candidate) => isSwapped(given, candidate))
  return swapped === -1 ? undefined : known[swapped]
}
