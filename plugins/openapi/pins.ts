import { emptyLock, type Lock } from '../catalog/lock.ts'
import { digestOfText, inOrder, type Unapproved } from '../catalog/pins.ts'
import type { GeneratedTool, Place } from './generated.ts'

function wireName (place: Place): readonly string[] {
  if (place.kind === 'parameter') return [place.parameter.in, place.parameter.name]
  return place.kind === 'property' ? [place.kind, place.property] : [place.kind]
}

/**
 * What a model and its user go by (words, arguments, hints, tags), and what becomes of it: which operation it is, where
 * each argument goes, and what is sent that nobody sees.
 */
export function textDigest ({ name, title, description, inputSchema, outputSchema, annotations, scopes, confirm, operation: { key, tags }, ...sent }: GeneratedTool): string {
  const bindings = sent.bindings.map(({ argument, place }) => [argument, wireName(place)])
  const fixed = sent.fixed.map(({ place, value }) => [wireName(place), value])
  return digestOfText([name, title, description, inputSchema, outputSchema, annotations, scopes, confirm, key, tags, bindings, fixed, sent.bodyType, sent.fileBodyType])
}

/** What of these tools nobody has approved. An entry without a digest keeps the name only: nobody has approved the text. */
export function unapproved (tools: readonly GeneratedTool[], lock: Lock): Unapproved {
  const added: string[] = []
  const changed: string[] = []
  for (const tool of tools) {
    const entry = lock.tools[tool.operation.key]
    if (entry?.text === undefined) added.push(tool.name)
    else if (entry.text !== textDigest(tool)) changed.push(tool.name)
  }
  return { added, changed }
}

/** The lock after these tools have been made, whose texts it approves: entries of other operations stay as they are. */
export function lockOf (tools: readonly GeneratedTool[], previous: Lock = emptyLock): Lock {
  const given = new Set(tools.map(({ name }) => name.toLowerCase()))
  const keys = new Set(tools.map(({ operation }) => operation.key))
  // A name that the overlay has given to another operation is that one's now.
  const others = Object.entries(previous.tools).filter(([key, { name }]) => !keys.has(key) && !given.has(name.toLowerCase()))
  const own = tools.map((tool) => [tool.operation.key, Object.assign({}, previous.tools[tool.operation.key], { name: tool.name, text: textDigest(tool) })] as const)
  return { ...previous, tools: inOrder([...others, ...own]) }
}
