import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathOf } from '../generated.ts'

/** A test, or a check of a program that CI runs. */
export interface Proof {
  /** Path from the root of the repository. */
  file: string
  /** The title without its tags. */
  title: string
  /** Names of entries: `attack 15`. */
  tags: readonly string[]
}

const tag = /\[((?:attack|requirement|authorization) \d+)\]\s*/g
/** A title that is written out, in any quotation marks. */
const testTitle = /\btest\(\s*(?:'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`)/g
/** Programs have no titles; a comment before the check takes their place. */
const comment = /^\s*(?:\/\/|#) (\[(?:attack|requirement|authorization) \d+\].*)$/gm

const folders = ['test', 'demo/tests', '.ci']

/** The titles of a file's tests, and tagged comments. */
export function titlesIn (text: string): string[] {
  return [
    ...[...text.matchAll(testTitle)].map(([, quoted, template]) => quoted?.replaceAll("\\'", "'") ?? template?.replaceAll(/\$\{[^}]*\}/g, '…') ?? ''),
    ...[...text.matchAll(comment)].map(([, title = '']) => title)
  ]
}

/** What a title says it proves; undefined where it says nothing. */
export function proofOf (file: string, title: string): Proof | undefined {
  const tags = [...title.matchAll(tag)].map(([, name = '']) => name)
  return tags.length === 0 ? undefined : { file, title: title.replaceAll(tag, '').trim(), tags }
}

/** Everything in the repository that is tagged, in the order of files and lines. */
export function proofs (): Proof[] {
  return folders.flatMap((folder) => readdirSync(pathOf(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^[^.].*\.(ts|py|sh)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(pathOf('').length)))
    .toSorted()
    .flatMap((file) => titlesIn(readFileSync(pathOf(file), 'utf8')).map((title) => proofOf(file, title)))
    .filter((proof) => proof !== undefined)
}
