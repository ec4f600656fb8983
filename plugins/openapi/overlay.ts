import { load, YAMLException } from 'js-yaml'
import { z } from 'zod'
import { probablyMeant } from '../../checks/spelling.ts'
import { isToolName, longestName } from './make/names.ts'

/*
 * The overlay says what the document does not: the words that a model needs, and what it must not decide. It is a YAML
 * file with an entry for each operation that it is about, found by method and path, by operation id or by the tool's
 * name. docs/openapi.md tells every word.
 */

const text = z.string('expected a text').min(1, 'expected a text that is not empty')
const texts = z.array(text, 'expected a list of texts')

const paginate = z.union([
  z.literal(false),
  z.strictObject({ page: text, size: text.optional() }),
  z.strictObject({ offset: text, limit: text.optional() }),
  z.strictObject({ cursor: text, size: text.optional() })
], 'expected false, or the arguments of one style: page and size, offset and limit, or cursor and size')

const entryShape = z.strictObject({
  /** Makes no tool of the operation. */
  hide: z.boolean('expected true or false').optional(),
  name: text.refine(isToolName, `expected 1 to ${longestName} letters, digits, "_" or "-"`).optional(),
  title: text.optional(),
  description: text.max(1024, 'expected at most 1024 characters').optional(),
  /** Words that a search finds the tool by. */
  synonyms: texts.optional(),
  /** Descriptions of arguments. */
  arguments: z.record(text, text, 'expected a description for each argument').optional(),
  /** Values of arguments that are sent where the model gives none. */
  defaults: z.record(text, z.json(), 'expected a value for each argument').optional(),
  /** Values of arguments that are always sent, and that the model does not see. */
  fixed: z.record(text, z.json(), 'expected a value for each argument').optional(),
  /** Fields of the answer, as dotted paths; the others are left out unless they are asked for. */
  fields: texts.optional(),
  /** Whether the user is asked before the request is sent, or the question. */
  confirm: z.union([z.boolean(), text], 'expected true, false or a question').optional(),
  /** Arguments that ask for a further page, where the document does not tell. */
  paginate: paginate.optional()
})

const shape = z.strictObject({ tools: z.record(z.string(), entryShape, 'expected an entry for each operation') })

export type Overlay = z.output<typeof shape>
export type OverlayEntry = z.output<typeof entryShape>
export type Paginate = z.output<typeof paginate>

export const emptyOverlay: Overlay = { tools: {} }

/** What is wrong in an overlay, everything at once. */
export class OverlayError extends Error {
  override readonly name = 'OverlayError'
  readonly problems: readonly string[]

  constructor (problems: readonly string[]) {
    super(`The overlay is not valid: ${problems.join('; ')}`)
    this.problems = problems
  }
}

/** A word that there is not, and the one that was probably meant in its place. */
function unknownWord (word: string, path: readonly PropertyKey[]): string {
  const meant = probablyMeant(word, path.length === 0 ? Object.keys(shape.shape) : path.length === 2 ? Object.keys(entryShape.shape) : [])
  return `${JSON.stringify(word)}${meant === undefined ? '' : ` (did you mean ${JSON.stringify(meant)}?)`}`
}

/**
 * Reads an overlay. Whether its entries match anything shows when it meets a document.
 * @throws {OverlayError} for what is none
 */
export function parseOverlay (source: string): Overlay {
  let value: unknown
  try {
    value = load(source, { maxDepth: 50, maxAliases: 100 })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw new OverlayError(['it cannot be read as YAML'])
    const line = error.mark?.line
    throw new OverlayError([`${error.reason}${line === undefined ? '' : `, at line ${line + 1}`}`])
  }
  const checked = shape.safeParse(value)
  if (checked.success) return checked.data
  throw new OverlayError(checked.error.issues.map((issue) => (
    issue.code === 'unrecognized_keys'
      ? `${issue.path.join('.') || 'it'}: there is no ${issue.keys.map((key) => unknownWord(key, issue.path)).join(' and no ')}`
      : `${issue.path.join('.') || 'it'}: ${issue.message}`
  )))
}
