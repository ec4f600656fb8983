import { probablyMeant } from '../../../checks/spelling.ts'
import { headerOf, retryAfterOf, type Answer } from '../../django/answer.ts'
import type { GeneratedTool } from '../generated.ts'
import { pagingRole } from '../make/paging.ts'
import type { Cut } from './cut.ts'
import { isObject } from './json.ts'
import type { Locate } from './locate.ts'
import { pagingArgument, shownOf, type Page } from './pages.ts'

/*
 * The sentences beside an answer. They hold numbers and names of arguments, fields and tools; what else the API says
 * stays in the answer.
 */

type Args = Readonly<Record<string, unknown>>

/** Names of fields, of arguments, and of places that were shortened that one sentence holds. */
const maxNames = 12
const maxFilters = 6
const maxPlaces = 3

function listed (names: readonly string[], most: number): string {
  return names.length > most ? `${names.slice(0, most).join(', ')} and more` : names.join(', ')
}

/** Which of the fields that were asked for are not there. */
export function fieldsNote (missing: readonly string[], there: readonly string[]): string | undefined {
  if (missing.length === 0) return undefined
  const meant = missing.flatMap((name) => probablyMeant(name, there) ?? [])
  const hint = meant.length > 0 ? `Did you mean ${listed(meant, maxNames)}?` : `There are ${listed(there, maxNames)}.`
  return `Nothing has the ${missing.length === 1 ? 'field' : 'fields'} ${listed(missing, maxNames)}. ${hint}`
}

/** Whether an answer tells how a further page is asked for. */
function goesOn (value: unknown): boolean {
  return isObject(value) && (isObject(value.next_args) || Object.values(value).some((folder) => isObject(folder) && isObject(folder.next_args)))
}

/** How many of how many are shown, and whether there are more. */
export function countNote (tool: GeneratedTool, args: Args, page: Page | undefined, value: unknown): string | undefined {
  if (page?.name === undefined || !isObject(value)) return undefined
  const shown = shownOf(page, value)
  const hasMore = goesOn(value)
  const sentences: string[] = []
  if (page.count !== undefined && page.count > shown) sentences.push(`${shown} of ${page.count} are shown.`)
  else if (hasMore) sentences.push(`${shown} are shown, and there are more.`)
  if (hasMore) sentences.push('For more, call again with next_args as the arguments.')
  else if (value.has_next === true) sentences.push('There are more, but no argument gets them.')
  const size = pagingArgument(tool, 'size')
  const asked = size === undefined ? undefined : args[size]
  if (hasMore && typeof asked === 'number' && asked > page.items.length) sentences.push(`The API gives at most ${page.items.length} at a time.`)
  return sentences.length === 0 ? undefined : sentences.join(' ')
}

/** Arguments that narrow a list down and have not been given. */
function filtersOf ({ bindings }: GeneratedTool, args: Args): string[] {
  return bindings.flatMap(({ argument, place }) => (
    place.kind === 'parameter' && place.parameter.in === 'query' && pagingRole(place.parameter) === undefined &&
    !['ordering', 'format'].includes(place.parameter.name) && args[argument] === undefined ? [argument] : []
  ))
}

/** What gets more of a list than was shown. */
function waysOn (tool: GeneratedTool, args: Args, page: Page, kept: number, behind: Args | undefined): string {
  const size = pagingArgument(tool, 'size')
  const fields = tool.bindings.find(({ place }) => place.kind === 'fields')?.argument
  const [first] = page.items
  const names = isObject(first) ? Object.keys(first) : []
  const filters = filtersOf(tool, args)
  const ways = [
    ...behind !== undefined ? ['call again with next_args as the arguments'] : size !== undefined && kept > 0 ? [`ask for at most ${kept} at a time with ${size}`] : [],
    ...fields !== undefined && names.length > 1 ? [`name only the fields that you need in ${fields} (${listed(names, maxNames)})`] : [],
    ...filters.length > 0 ? [`narrow it down with ${listed(filters, maxFilters)}`] : []
  ]
  return ways.length === 0 ? 'There is no argument that gets the rest.' : `To get the rest, ${ways.join(', or ')}.`
}

function placeText ({ path, what, kept, of }: Cut): string {
  return `${path === '' ? 'the answer' : path} (${kept} of ${of} ${what})`
}

/** What was left out so that the answer fits, and what gets it. */
export function cutNote (tool: GeneratedTool, args: Args, page: Page | undefined, cuts: readonly Cut[], behind: Args | undefined, value: unknown): string | undefined {
  if (cuts.length === 0) return undefined
  const list = page === undefined ? undefined : cuts.find(({ path, what }) => what === 'entries' && path === (page.name ?? ''))
  const others = cuts.filter((cut) => cut !== list)
  const sentences: string[] = []
  if (list !== undefined && page !== undefined) {
    sentences.push(`The answer is too long to be shown whole: only the first ${list.kept} of the ${list.of} entries that came are here.`, waysOn(tool, args, page, list.kept, behind))
    // The further page of the API's own begins behind all that came.
    if (behind === undefined && goesOn(value)) sentences.push('What next_args gets comes after all of these.')
  }
  if (others.length > 0) {
    sentences.push(`Shortened, because it is too long: ${listed(others.map(placeText), maxPlaces)}.`)
    const fields = tool.bindings.find(({ place }) => place.kind === 'fields')?.argument
    if (list === undefined) sentences.push(fields === undefined ? 'There is no argument that gets the rest.' : `Fewer fields, named in ${fields}, leave more room for each.`)
  }
  return sentences.join(' ')
}

interface Ways {
  readonly locate?: Locate | undefined
  readonly isThere?: ((name: string) => boolean) | undefined
}

/** Where to look after what has been accepted and is not done yet, or has been made without being shown. */
export function whereToLook (tool: GeneratedTool, answer: Answer, { locate, isThere = () => true }: Ways): string | undefined {
  const made = answer.status === 201 && answer.body.length === 0
  if (answer.status !== 202 && !made) return undefined
  const location = headerOf(answer, 'location') ?? headerOf(answer, 'content-location')
  const found = location === undefined ? undefined : locate?.(location)
  const known = tool.readTool !== undefined && isThere(tool.readTool) ? tool.readTool : undefined
  const reader = found === undefined ? known : `${found.tool.name} with ${JSON.stringify(found.args)}`
  if (made) return reader === undefined ? undefined : `It has been made; ${reader} reads it.`
  const seconds = retryAfterOf(answer)
  const wait = seconds === undefined ? '' : `, not sooner than in ${seconds} seconds`
  return `The API has accepted this and works on it; the result is not there yet. ${reader === undefined ? 'No tool is known that tells when it is done.' : `Look with ${reader}${wait}.`}`
}
