import type { GeneratedTool } from './generated.ts'
import { emptyLock, type Lock } from '../catalog/lock.ts'
import { hiddenByOthers } from './make/ambiguous.ts'
import { unknownFields } from './make/answered.ts'
import { descriptionsFor } from './make/describe.ts'
import { namesFor } from './make/names.ts'
import { outputOf } from './make/output.ts'
import { entriesFor, overlaid, overlaidInput, renamed } from './make/overlaid.ts'
import { paginationOf } from './make/paging.ts'
import { annotationsFor, confirmFor, scopesFor } from './make/safety.ts'
import type { Operation, Skipped } from './operation.ts'
import { readOperations } from './operations.ts'
import { emptyOverlay, OverlayError, type Overlay } from './overlay.ts'
import { select, type Selection } from './select.ts'

export interface GenerateOptions extends Selection {
  /** Names that tools keep. */
  readonly lock?: Lock | undefined
  /** What the document does not say. */
  readonly overlay?: Overlay | undefined
  /** Whether tools tell the form of their answers, which multiplies what a list costs; false where it is left out. */
  readonly outputSchemas?: boolean | undefined
}

export interface Generated {
  readonly tools: readonly GeneratedTool[]
  /** Every operation that is no tool, and why. */
  readonly skipped: readonly Skipped[]
  /** What the operator should know: parts of the document that were left out, selectors that select nothing. */
  readonly warnings: readonly string[]
}

/** Characters of a title: it is shown to people in lists. */
const longestTitle = 60

/** Name of the tool that reads what this operation makes or starts: of one thing before one of a list. */
function readToolOf ({ method, path }: Operation, readers: ReadonlyMap<string, string>): string | undefined {
  if (method === 'GET') return undefined
  const slash = path.endsWith('/') ? '/' : ''
  const base = path.replace(/\/$/, '')
  const ofOne = [...readers].find(([reader]) => reader.startsWith(`${base}/{`) && reader.replace(/\/$/, '').lastIndexOf('/') === base.length)
  if (method === 'POST' && ofOne !== undefined) return ofOne[1]
  return readers.get(path) ?? readers.get(`${base.replace(/\/[^/{}]*$/, '')}${slash}`)
}

/** Why an operation gives no tool, whatever is selected. */
function useless ({ responses }: Operation): string | undefined {
  const types = responses.flatMap(({ content }) => [...content.keys()])
  return types.some((type) => type.startsWith('application/vnd.oai.openapi')) ? 'it gives the document itself' : undefined
}

/**
 * Makes tools from the operations of a document. Every operation is a tool, or is listed with the reason why not.
 * @throws {DocumentError} for a document of an unknown version
 * @throws {OverlayError} for an overlay that does not fit the document, naming everything that does not
 * @throws {SelectorError} for a selector that cannot be read
 */
export function generate (document: unknown, options: GenerateOptions = {}): Generated {
  const { operations, skipped: unread, warnings: told } = readOperations(document)
  const { whyNot, idle } = select(operations, options)
  const skipped: Skipped[] = [...unread]
  const warnings = [...told, ...idle.map((text) => `No operation is selected by ${JSON.stringify(text)}.`)]
  // Of all operations, so that what is selected changes no name.
  const ownNames = namesFor(operations, options.lock ?? emptyLock)
  // The lock knows the names that an overlay has given, whose entries may know the operation by the one it had before.
  const entries = entriesFor(options.overlay ?? emptyOverlay, operations, [ownNames, namesFor(operations, emptyLock)])
  const names = renamed(ownNames, entries)
  const selected = operations.filter((operation) => {
    const hidden = entries.get(operation.key)?.hide === true ? 'it is hidden by the overlay' : undefined
    const reason = hidden ?? whyNot(operation) ?? useless(operation)
    if (reason !== undefined) skipped.push({ operation: operation.key, reason })
    return reason === undefined
  })
  warnings.push(...hiddenByOthers(selected, operations))
  const descriptions = descriptionsFor(selected)
  const readers = new Map(selected.filter(({ method }) => method === 'GET').map(({ key, path }) => [path, names.get(key) ?? '']))
  const problems: string[] = []

  const tools = selected.flatMap((operation): GeneratedTool[] => {
    const { key, summary } = operation
    const entry = entries.get(key)
    try {
      const whole = overlaidInput(operation, entry)
      const { complete, names: _, ...input } = whole
      if (!complete) warnings.push(`The arguments of ${key} are more than fits into a tool; what lies deep in them is left to Django to check.`)
      warnings.push(...unknownFields(operation, entry?.fields ?? []))
      const description = descriptions.get(key) ?? key
      const tool: GeneratedTool = {
        name: names.get(key) ?? '',
        title: summary !== '' && summary.length <= longestTitle ? summary : undefined,
        description,
        ...input,
        outputSchema: options.outputSchemas === true ? outputOf(operation) : undefined,
        annotations: annotationsFor(operation),
        scopes: scopesFor(operation),
        synonyms: [],
        confirm: confirmFor(operation, description),
        operation,
        pagination: paginationOf(operation, input.bindings),
        fields: [],
        readTool: readToolOf(operation, readers)
      }
      return [overlaid(tool, entry, whole)]
    } catch (error) {
      if (error instanceof OverlayError) problems.push(...error.problems)
      else skipped.push({ operation: key, reason: `no tool can be made of it: ${error instanceof Error ? error.message : 'unknown error'}` })
      return []
    }
  })
  if (problems.length > 0) throw new OverlayError(problems)
  return { tools: tools.toSorted((left, right) => left.name < right.name ? -1 : 1), skipped, warnings }
}
