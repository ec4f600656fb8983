import { realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join, resolve, sep } from 'node:path'

/** A path without symbolic links, as far as it exists. */
function real (path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = resolve(path, '..')
    return parent === path ? path : join(real(parent), path.slice(parent.length))
  }
}

/** Folders whose content is not ours to remove, each with what it is. */
const places: ReadonlyArray<readonly [what: string, pathOf: () => string]> = [
  ['the root of the file system', () => '/'],
  ['the working directory', () => process.cwd()],
  ['the home folder', homedir],
  ['the system\'s folder for temporary files', tmpdir],
  ['the system\'s folder for temporary files', () => '/tmp'],
  ['the system\'s folder for temporary files', () => '/var/tmp']
]

/** A path by both names: a link may lead to such a place, and such a place may be a link. */
function namesOf (pathOf: () => string): string[] {
  try {
    const path = resolve(pathOf())
    return [path, real(path)]
  } catch {
    // A user without an entry has no home, and a working directory may have been removed.
    return []
  }
}

/** Why a folder must not be emptied, or undefined where it may. */
export function whyNotEmptied (folder: string): string | undefined {
  const names = namesOf(() => folder)
  const others = places.map(([what, pathOf]) => ({ what, names: namesOf(pathOf) }))
  const same = others.find((other) => other.names.some((name) => names.includes(name)))
  if (same !== undefined) return `it is ${same.what}`
  const held = others.find((other) => other.names.some((name) => names.some((folder) => name.startsWith(`${folder}${sep}`))))
  return held === undefined ? undefined : `it holds ${held.what}`
}

/** Whether this can be the path of a Unix socket: systems keep it in a field of little more than 100 bytes, and cut it off. */
export function isSocketPath (path: string): boolean {
  return isAbsolute(path) && Buffer.byteLength(path) <= 100
}
