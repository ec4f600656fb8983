import type { Binding, Pagination } from '../generated.ts'
import type { Operation, Parameter, Schema } from '../operation.ts'
import { isRecord, recordAt } from '../read/records.ts'
import { definitionOf } from '../read/schemas.ts'

/** What the parameters of DRF's own paginators say of themselves, whatever they are called. */
const described: ReadonlyArray<readonly [role: Role, words: RegExp]> = [
  ['page', /^A page number within the paginated result set/i],
  ['size', /^Number of results to return per page/i],
  ['offset', /^The initial index from which to return the results/i],
  ['cursor', /^The pagination cursor value/i]
]

const called: ReadonlyArray<readonly [role: Role, names: readonly string[]]> = [
  ['page', ['page', 'page[number]']],
  ['size', ['page_size', 'limit', 'per_page', 'page[size]', 'page[limit]']],
  ['offset', ['offset', 'start', 'page[offset]']],
  ['cursor', ['cursor', 'page[cursor]']]
]

/** What the list of a page is called. */
export const listNames = ['results', 'data', 'items', 'objects', 'features'] as const

type Role = 'page' | 'size' | 'offset' | 'cursor'

/** What a query parameter does for paging, or undefined where it does nothing. */
export function pagingRole ({ name, in: place, description }: Parameter): Role | undefined {
  if (place !== 'query') return undefined
  return called.find(([, names]) => names.includes(name.toLowerCase()))?.[0] ?? described.find(([, words]) => words.test(description))?.[0]
}

/** What a call answers when it succeeds, without references; undefined where that is no JSON or not told. */
export function answerOf ({ responses, definitions }: Operation): Schema | undefined {
  const success = responses.find(({ status }) => /^2(?:\d\d|XX)$/i.test(status) && status !== '204') ?? responses.find(({ status }) => status === 'default')
  const [, schema] = [...success?.content ?? []].find(([type]) => /[/+]json\b/i.test(type)) ?? []
  return schema === undefined ? undefined : withContent(schema, definitions)
}

/** A schema with what it refers to in the place of the reference. */
export function withContent (schema: Schema, definitions: Operation['definitions']): Schema {
  let current = schema
  for (const seen = new Set<string>(); ;) {
    const name = definitionOf(current)
    if (name === undefined || seen.has(name)) return current
    seen.add(name)
    const { $ref: _, ...annotations } = current
    current = { ...definitions[name], ...annotations }
  }
}

/** Whether an answer is one thing, and cannot be a page of a list: drf-spectacular gives actions the parameters of their list. */
export function answersOneThing (operation: Operation): boolean {
  const answer = answerOf(operation)
  if (answer === undefined || answer.type !== 'object' || !isRecord(answer.properties)) return false
  const properties = recordAt(answer, 'properties')
  return !['results', 'next', 'previous', 'count'].some((name) => Object.hasOwn(properties, name)) &&
    !Object.values(properties).some((value) => isRecord(value) && (value.type === 'array' || withContent(value, operation.definitions).type === 'array'))
}

/** Whether an answer is told, and is a list or a page of one: a search by POST, for one. */
export function answersSeveral (operation: Operation): boolean {
  return answerOf(operation) !== undefined && !answersOneThing(operation)
}

/** How a list is paged, by the parameters that remain, or undefined where nothing says that it is. */
export function paginationOf (operation: Operation, bindings: readonly Binding[]): Pagination | undefined {
  if (operation.method !== 'GET' && !answersSeveral(operation)) return undefined
  const found = bindings.flatMap(({ argument, place }) => {
    const role = place.kind === 'parameter' ? pagingRole(place.parameter) : undefined
    return role === undefined || place.kind !== 'parameter' ? [] : [{ role, name: place.parameter.name, argument }]
  })
  const has = (role: Role): boolean => found.some((entry) => entry.role === role)
  const style = has('cursor') ? 'cursor' : has('page') ? 'page' : has('offset') ? 'limit-offset' : undefined
  if (style === undefined) return undefined
  return { style, arguments: Object.fromEntries(found.map(({ name, argument }) => [name, argument])) }
}
