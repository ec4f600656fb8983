import type { GeneratedTool } from '../generated.ts'
import { firstSentence, type SearchedOperation } from './operations.ts'

/** Arguments that are shown where an operation is only named; the required ones always are. */
const shownArguments = 8

/** How an operation is called, on one line: `list_books(shelf, page?)`. */
export function signature ({ name, inputSchema }: GeneratedTool): string {
  const required = new Set(inputSchema.required ?? [])
  const names = Object.keys(inputSchema.properties ?? {}).toSorted((left, right) => Number(required.has(right)) - Number(required.has(left)))
  const shown = names.slice(0, Math.max(shownArguments, required.size)).map((argument) => required.has(argument) ? argument : `${argument}?`)
  return `${name}(${[...shown, ...shown.length < names.length ? ['…'] : []].join(', ')})`
}

/** An operation as it is listed among others. */
export function hit ({ generated }: SearchedOperation): string {
  return `- ${generated.operation.method} ${signature(generated)}: ${firstSentence(generated.description)}`
}

/** Everything about an operation that a call needs. */
export function details ({ generated, tool }: SearchedOperation, callWith: string): Record<string, unknown> {
  const { name, description, operation, inputSchema } = generated
  return {
    operation: name,
    call_with: callWith,
    description,
    request: operation.key,
    ...(tool.asks ? { asks_the_user: true } : {}),
    arguments: inputSchema
  }
}

/** Tags with the number of their operations, as far as they fit on a line. */
export function tagLine (tags: ReadonlyArray<readonly [string, number]>, longest: number): string {
  let line = ''
  for (const [tag, count] of tags) {
    const entry = `${line === '' ? '' : ', '}${tag} (${count})`
    if (line.length + entry.length > longest) return `${line}, …`
    line += entry
  }
  return line
}
