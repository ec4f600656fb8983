import { probablyMeant } from '../../../checks/spelling.ts'
import { CallError } from '../../../errors.ts'
import { compileInput } from '../../catalog/arguments.ts'
import type { GeneratedTool, Pagination } from '../generated.ts'
import type { Operation } from '../operation.ts'
import { OverlayError, type Overlay, type OverlayEntry, type Paginate } from '../overlay.ts'
import { inputOf, noChanges, type Input } from './input.ts'

function meant (name: string, known: readonly string[]): string {
  const nearest = probablyMeant(name, known)
  return nearest === undefined ? '' : `; did you mean ${JSON.stringify(nearest)}?`
}

/**
 * The entries of an overlay by the key of their operation.
 * @param names of the operations by their key, before the overlay renames any: those of the lock, and those without one
 * @throws {OverlayError} naming every entry that matches nothing, or what another one matches as well
 */
export function entriesFor (overlay: Overlay, operations: readonly Operation[], names: ReadonlyArray<ReadonlyMap<string, string>>): Map<string, OverlayEntry> {
  const problems: string[] = []
  const entries = new Map<string, OverlayEntry>()
  const owners = new Map<string, string>()
  for (const [name, entry] of Object.entries(overlay.tools)) {
    const found = [
      operations.filter(({ key }) => key === name),
      operations.filter(({ operationId }) => operationId === name),
      ...names.map((ofKey) => operations.filter(({ key }) => ofKey.get(key) === name))
    ].find((matches) => matches.length > 0) ?? []
    const [operation, ...others] = found
    const shown = JSON.stringify(name)
    if (operation === undefined) {
      const known = operations.flatMap(({ key, operationId }) => [key, operationId ?? '', ...names.map((ofKey) => ofKey.get(key) ?? '')]).filter((candidate) => candidate !== '')
      problems.push(`${shown} is no operation of the document${meant(name, known)}`)
    } else if (others.length > 0) problems.push(`${shown} is the id of several operations; use their method and path, such as ${JSON.stringify(operation.key)}`)
    else if (owners.has(operation.key)) problems.push(`${shown} and ${JSON.stringify(owners.get(operation.key))} are the same operation`)
    else {
      entries.set(operation.key, entry)
      owners.set(operation.key, name)
    }
  }
  if (problems.length > 0) throw new OverlayError(problems)
  return entries
}

/**
 * Names of all operations with those that the overlay gives.
 * @throws {OverlayError} where two would have the same
 */
export function renamed (names: ReadonlyMap<string, string>, entries: ReadonlyMap<string, OverlayEntry>): Map<string, string> {
  const all = new Map([...names].map(([key, name]) => [key, entries.get(key)?.name ?? name]))
  const problems = [...Map.groupBy(all, ([, name]) => name.toLowerCase())]
    .filter(([, owners]) => owners.length > 1)
    .map(([name, owners]) => `the name ${name} would be that of ${owners.map(([key]) => key).join(' and ')}`)
  if (problems.length > 0) throw new OverlayError(problems)
  return all
}

/** What is wrong with a value that the overlay gives to an argument, or undefined where nothing is. */
function wrongValue (input: Input, name: string, value: unknown): string | undefined {
  const { properties = {}, $defs = {} } = input.inputSchema
  try {
    compileInput({ type: 'object', properties: { [name]: properties[name] ?? {} }, $defs }, 'when called').check({ [name]: value })
    return undefined
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`).join(', ')
  }
}

/**
 * The input of an operation with what the overlay says of its arguments.
 * @throws {OverlayError} for arguments that there are not, and values that they cannot have
 */
export function overlaidInput (operation: Operation, entry: OverlayEntry | undefined): Input {
  const plain = inputOf(operation)
  if (entry === undefined) return plain
  const { arguments: descriptions = {}, defaults = {}, fixed = {}, paginate } = entry
  const paging = paginate === undefined || paginate === false ? [] : Object.values(paginate)
  const told = { ...Object.fromEntries(paging.map((name) => [name, ''])), ...descriptions, ...defaults, ...fixed }
  const problems = Object.keys(told)
    .filter((name) => !plain.names.includes(name))
    .map((name) => `${operation.key} has no argument ${JSON.stringify(name)}${meant(name, plain.names)}`)
  for (const [name, value] of Object.entries({ ...defaults, ...fixed })) {
    const wrong = plain.names.includes(name) ? wrongValue(plain, name, value) : undefined
    if (wrong !== undefined) problems.push(`${operation.key}: ${wrong}`)
  }
  if (problems.length > 0) throw new OverlayError(problems)
  return inputOf(operation, { ...noChanges, descriptions, defaults, fixed })
}

function paginationFor (paginate: Paginate, { bindings }: Input): Pagination | undefined {
  if (paginate === false) return undefined
  const byWire = Object.values(paginate).flatMap((argument) => bindings.flatMap((binding) => (
    binding.argument === argument && binding.place.kind === 'parameter' ? [[binding.place.parameter.name, argument] as const] : []
  )))
  return { style: 'page' in paginate ? 'page' : 'offset' in paginate ? 'limit-offset' : 'cursor', arguments: Object.fromEntries(byWire) }
}

/** A tool with everything that the overlay says of it, but for its name and its arguments. */
export function overlaid (tool: GeneratedTool, entry: OverlayEntry | undefined, input: Input): GeneratedTool {
  if (entry === undefined) return tool
  const { title, description, synonyms, fields, confirm, paginate } = entry
  const question = confirm === true ? tool.confirm ?? `${description ?? tool.description} Go ahead?` : confirm === false ? undefined : confirm ?? tool.confirm
  return {
    ...tool,
    title: title ?? tool.title,
    description: description ?? tool.description,
    synonyms: synonyms ?? tool.synonyms,
    fields: fields ?? tool.fields,
    confirm: question,
    pagination: paginate === undefined ? tool.pagination : paginationFor(paginate, input)
  }
}
