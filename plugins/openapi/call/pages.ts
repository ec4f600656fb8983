import type { GeneratedTool } from '../generated.ts'
import { listNames, pagingRole } from '../make/paging.ts'
import { hostOf } from './hosts.ts'
import { isObject } from './json.ts'
import { typed } from './locate.ts'

/** A list in an answer, alone or in an envelope that tells about further pages. */
export interface Page {
  /** Name of the list in the envelope, undefined where the answer is the list. */
  readonly name: string | undefined
  readonly items: readonly unknown[]
  /** How many there are on all pages, where the API says so. */
  readonly count: number | undefined
}

type Args = Readonly<Record<string, unknown>>

/** What paginators without addresses say of a page, beside its list: those of django-ninja, for one. */
const pageWords: ReadonlySet<string> = new Set(['count', 'total', 'total_count', 'limit', 'offset', 'page', 'page_size', 'per_page', 'pages', 'num_pages', 'total_pages', 'has_next', 'has_previous'])

/** Where envelopes have the addresses of further pages. */
const linkFolders = ['links', '_links', 'pagination', 'meta']
const linkNames: ReadonlyMap<string, string> = new Map([['next', 'next_args'], ['previous', 'previous_args'], ['prev', 'previous_args'], ['first', 'first_args'], ['last', 'last_args']])

function isLink (value: unknown): boolean {
  return value === null || (typeof value === 'string' && /^(?:https?:\/\/|[/?])/i.test(value))
}

function hasLinks (value: Args): boolean {
  return ['next', 'previous', 'prev'].some((name) => Object.hasOwn(value, name) && isLink(value[name]))
}

/** The list in an answer, undefined where it has none. */
export function pageOf (value: unknown): Page | undefined {
  if (Array.isArray(value)) return { name: undefined, items: value, count: undefined }
  if (!isObject(value)) return undefined
  const name = listNames.find((candidate) => Array.isArray(value[candidate]))
  const items = name === undefined ? undefined : value[name]
  if (name === undefined || !Array.isArray(items)) return undefined
  const holders = [value, value.meta, value.pagination, isObject(value.meta) ? value.meta.pagination : undefined]
  const count = holders.flatMap((holder) => isObject(holder) ? [holder.count, holder.total, holder.total_count] : []).find((number) => typeof number === 'number')
  const isBare = Number.isInteger(count) && Number(count) >= items.length && Object.keys(value).every((key) => key === name || pageWords.has(key))
  const isEnvelope = name === 'results' || isBare || hasLinks(value) || linkFolders.some((folder) => isObject(value[folder]) && hasLinks(value[folder]))
  return isEnvelope ? { name, items, count: typeof count === 'number' ? count : undefined } : undefined
}

/** How many entries of a page's list are in a value that was made of its answer. */
export function shownOf ({ name }: Page, value: unknown): number {
  const items = name === undefined ? value : isObject(value) ? value[name] : undefined
  return Array.isArray(items) ? items.length : 0
}

/** Hosts of the addresses of further pages: those that Django knows itself by. */
export function linkHosts (page: Page | undefined, value: unknown): string[] {
  if (page?.name === undefined || !isObject(value)) return []
  const holders = [value, ...linkFolders.map((folder) => value[folder])].filter(isObject)
  return holders.flatMap((holder) => [...linkNames.keys()].flatMap((name) => hostOf(holder[name]) ?? []))
}

/** Arguments of the same tool that get the page at an address; only its query is looked at. Undefined where none do. */
export function argsFor (tool: GeneratedTool, args: Args, link: string): Args | undefined {
  const [address = ''] = link.split('#', 1)
  const query = new URLSearchParams(address.includes('?') ? address.slice(address.indexOf('?') + 1) : '')
  const paging = Object.entries(tool.pagination?.arguments ?? {})
  if (paging.length === 0) return undefined
  const next: Record<string, unknown> = { ...args }
  let changed = false
  for (const [name, argument] of paging) {
    const text = query.getAll(name).at(-1)
    const value = text === undefined ? undefined : typed(text, tool.inputSchema.properties?.[argument])
    changed ||= value !== args[argument]
    if (value === undefined) Reflect.deleteProperty(next, argument)
    else next[argument] = value
  }
  // The page that is shown already would be asked for over and over.
  return changed ? next : undefined
}

function withoutLinks (tool: GeneratedTool, args: Args, holder: Args): Args {
  return Object.fromEntries(Object.entries(holder).flatMap(([name, value]): Array<[string, unknown]> => {
    const told = linkNames.get(name)
    if (told === undefined || !isLink(value)) return [[name, value]]
    if (typeof value !== 'string') return [[told, null]]
    const found = argsFor(tool, args, value)
    return found === undefined ? [[`has_${name}`, true]] : [[told, found]]
  }))
}

/**
 * An envelope with arguments for further pages in the place of their addresses, which are on a host that only Django
 * is called by. Anything else is given as it is.
 */
export function withArgs (tool: GeneratedTool, args: Args, page: Page | undefined, value: unknown): unknown {
  if (page?.name === undefined || !isObject(value)) return value
  const own = hasLinks(value) ? withoutLinks(tool, args, value) : value
  const folders = linkFolders.flatMap((folder): Array<[string, Args]> => {
    const holder = own[folder]
    return isObject(holder) && hasLinks(holder) ? [[folder, withoutLinks(tool, args, holder)]] : []
  })
  return folders.length === 0 ? own : { ...own, ...Object.fromEntries(folders) }
}

/** The argument with this role in paging. */
export function pagingArgument ({ bindings }: GeneratedTool, role: 'page' | 'size' | 'offset' | 'cursor'): string | undefined {
  return bindings.find(({ place }) => place.kind === 'parameter' && pagingRole(place.parameter) === role)?.argument
}

/** Arguments that go on behind the first `kept` items of a page, undefined where no arguments do. */
export function argsBehind (tool: GeneratedTool, args: Args, kept: number, onPage: number): Args | undefined {
  const size = pagingArgument(tool, 'size')
  const offset = pagingArgument(tool, 'offset')
  if (tool.pagination === undefined || kept === 0) return undefined
  if (offset !== undefined) return { ...args, ...size === undefined ? {} : { [size]: kept }, [offset]: numberOr(args[offset], 0) + kept }
  if (size === undefined) return undefined
  const page = pagingArgument(tool, 'page')
  if (page === undefined) return { ...args, [size]: kept }
  // Smaller pages begin anew where these do; the first of them may repeat some of what has been shown.
  const behind = (numberOr(args[page], 1) - 1) * Math.max(onPage, numberOr(args[size], 0)) + kept
  return { ...args, [size]: kept, [page]: Math.floor(behind / kept) + 1 }
}

function numberOr (value: unknown, other: number): number {
  return typeof value === 'number' ? value : other
}
