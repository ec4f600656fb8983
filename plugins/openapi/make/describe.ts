import type { Operation } from '../operation.ts'
import { shortened } from '../text.ts'
import { digest } from './names.ts'
import { sentenceFor } from './sentence.ts'

/** Characters of a tool's description. What a model needs to choose is in the first sentences. */
export const longestToolDescription = 240
/** Characters of a path that tells two operations apart which the document describes with the same words. */
const longestPath = 100
const letters = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')

function told (operation: Operation): string {
  return toldOf(operation) || sentenceFor(operation)
}

function ended (text: string): string {
  return text === '' || /[.!?:…]$/.test(text) ? text : `${text}.`
}

/** What the document says of an operation, in one line; empty where it says nothing. */
function toldOf ({ summary, description }: Operation): string {
  const said = letters(description).startsWith(letters(summary)) ? description : letters(summary).startsWith(letters(description)) ? summary : `${ended(summary)} ${description}`
  // A method and a path, or a word, say nothing that the name does not.
  return /^[A-Z]+ \/\S*$/.test(said) || letters(said).length < 4 ? '' : said
}

/** @param room characters that are left for something else */
function cut (text: string, { deprecated }: Operation, room = 0): string {
  return ended(shortened(`${deprecated ? 'Deprecated. ' : ''}${text}`, longestToolDescription - 1 - room))
}

function endOf (path: string): string {
  return path.length <= longestPath ? path : `…${path.slice(-longestPath)}`
}

function partsOf ({ path }: Operation): string[] {
  return path.split('/').filter((part) => part !== '')
}

/** The parts of its path that an operation does not share with all of these others. */
function ownParts (operation: Operation, others: readonly Operation[]): string {
  const shared = others.map((other) => new Set(partsOf(other)))
  return partsOf(operation).filter((part) => !shared.every((parts) => parts.has(part))).join(' ')
}

/**
 * Descriptions of operations by their key, each different from the others: first what the document says; where several
 * say the same, as actions of one view set do, a sentence of our own before it, or what is different in their paths
 * behind it.
 */
export function descriptionsFor (operations: readonly Operation[]): Map<string, string> {
  const ways: ReadonlyArray<(operation: Operation, others: readonly Operation[]) => string> = [
    (operation) => cut(told(operation), operation),
    (operation) => cut(`${sentenceFor(operation)} ${toldOf(operation)}`.trim(), operation),
    (operation, others) => `${cut(told(operation), operation, longestPath + 3)} (${endOf(ownParts(operation, others) || operation.method)})`,
    (operation) => `${cut(told(operation), operation, longestPath + 3)} (${endOf(operation.path)})`,
    (operation) => `${cut(told(operation), operation, longestPath + 20)} (${operation.method} ${endOf(operation.path)} ${digest(operation.key)})`
  ]
  const descriptions = new Map<string, string>()
  const taken = new Set<string>()
  let groups: Operation[][] = [[...operations]]
  for (const [index, way] of ways.entries()) {
    const wanted = Map.groupBy(groups.flatMap((group) => group.map((operation) => [operation, way(operation, group)] as const)), ([, text]) => text)
    const left: Operation[][] = []
    for (const [text, entries] of wanted) {
      const [first, ...others] = entries
      if (first !== undefined && ((others.length === 0 && !taken.has(text)) || index === ways.length - 1)) descriptions.set(first[0].key, text)
      else left.push(entries.map(([operation]) => operation))
    }
    for (const text of wanted.keys()) taken.add(text)
    groups = left
  }
  return descriptions
}
