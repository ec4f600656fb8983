import type { Operation, OperationMethod } from '../operation.ts'
import { snake } from './names.ts'
import { answerOf } from './paging.ts'

/** Filters that a description of our own names. */
const namedFilters = 6

/** What every list can be asked for, and no filter. */
const pagingNames: ReadonlySet<string> = new Set(['page', 'page_size', 'per_page', 'limit', 'offset', 'start', 'cursor', 'ordering', 'search', 'format', 'fields'])

/** What is done by a request that makes nothing, where no thing before it says so. */
const verbs = new Set([
  'activate', 'approve', 'archive', 'calculate', 'cancel', 'change', 'clear', 'clone', 'close', 'confirm', 'copy', 'deactivate', 'disable', 'enable', 'export', 'import', 'lock', 'login', 'logout', 'merge', 'move', 'preview', 'publish', 'purge',
  'refresh', 'register', 'reject', 'resend', 'reset', 'restore', 'revoke', 'run', 'search', 'send', 'set', 'signup', 'start', 'stop', 'subscribe', 'sync', 'unsubscribe', 'upload', 'validate', 'verify'
])

/** Those of them that are done to nothing. */
const aboutCaller = new Set(['login', 'logout', 'register', 'signup'])

/** Places of paths that say which part of an API this is, and no thing. */
const areas = /^(?:api|rest|v\d+)$/
const signIn = /^(?:.* )?(?:auth|account|session|user)$/

function singular (word: string): string {
  if (/(?:ss|us|is)$/.test(word)) return word
  return word.replace(/ies$/, 'y').replace(/(sh|ch|x|ss|us)es$/, '$1').replace(/s$/, '')
}

const isPlural = (word: string): boolean => singular(word) !== word

const one = (noun: string): string => `${/^(?:[aeio]|u(?!ni|s[ei]|til))/.test(noun) ? 'an' : 'a'} ${noun}`

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

interface Place { noun: string, hasKey: boolean }

/** The nouns of a path, each with whether one of them is picked: `/clients/{id}/contacts/` is one client and its contacts. */
function placesOf (path: string): Place[] {
  const places: Place[] = []
  for (const segment of path.split('/').filter((part) => part !== '')) {
    const last = places.at(-1)
    // Of `old{format}`, what is no variable says what it is.
    const noun = snake(segment.replaceAll(/\{[^{}]*\}/g, ' ')).replaceAll('_', ' ')
    if (/[a-z]/.test(noun) || !segment.includes('{')) places.push({ noun, hasKey: false })
    else if (last !== undefined) last.hasKey = true
  }
  return places.filter(({ noun }) => noun !== '' && !areas.test(noun))
}

function filtersOf ({ parameters }: Operation): string {
  const names = parameters.filter((parameter) => parameter.in === 'query' && !pagingNames.has(parameter.name)).map(({ name }) => name.replaceAll(/[^\w.-]+/g, '_').replaceAll(/^_+|_+$/g, '')).filter((name) => name !== '')
  return names.length === 0 ? '' : ` Filters: ${names.slice(0, namedFilters).join(', ')}${names.length > namedFilters ? ' and more' : ''}.`
}

/** Whether the answer is a list, whatever it is called: not every team has plurals in its paths. */
function answersList (operation: Operation): boolean {
  const answer = answerOf(operation)
  return answer?.type === 'array' || (typeof answer?.properties === 'object' && answer.properties !== null && 'results' in answer.properties)
}

/** Whether a POST makes something: drf-spectacular names every one "create", but tells 201 of those that do. */
function makes ({ operationId = 'create', responses }: Operation): boolean {
  return responses.some(({ status }) => status === '201') && /create$/i.test(operationId)
}

/** What a request to a word does that is no list of things: `/orders/{id}/cancel/`, `/orders/import/`, `/token/refresh/`. */
function actionFor (operation: Operation, noun: string, parents: string, before: string | undefined): string | undefined {
  if (isPlural(noun) || makes(operation) && !verbs.has(noun)) return undefined
  const [verb = noun, ...object] = noun.split(' ')
  if (object.length > 0 && (parents !== '' || verbs.has(verb))) return `${capital(noun)}${parents}.`
  if (parents !== '') return `${capital(noun)}${parents.replace(/^ of/, '')}.`
  if (before !== undefined && isPlural(before) && !aboutCaller.has(noun)) return `${capital(noun)} ${before}.`
  if (!verbs.has(noun)) return undefined
  return before === undefined || signIn.test(before) || aboutCaller.has(noun) ? `${capital(noun)}.` : `${capital(noun)} the ${before}.`
}

const several: Readonly<Record<OperationMethod, string>> = { GET: 'Get', POST: 'Create', PUT: 'Replace', PATCH: 'Change', DELETE: 'Delete' }

/** A sentence about an operation whose document has none: the verb of the method, the thing, and whose it is. */
export function sentenceFor (operation: Operation): string {
  const { method, path } = operation
  const places = placesOf(path)
  const { noun, hasKey } = places.at(-1) ?? { noun: 'API', hasKey: false }
  const previous = places.at(-2)
  // What is before a word of its own, and is not picked: the orders of `/orders/summary/`.
  const before = hasKey || previous?.hasKey !== false ? undefined : previous.noun
  // Of what lies before, only what is picked says whose the last one is.
  const parents = places.slice(0, -1).filter((place) => place.hasKey).toReversed().map((place) => ` of ${one(singular(place.noun))}`).join('')
  const group = before !== undefined && isPlural(before) && !isPlural(noun) ? before : undefined

  if (!hasKey && /^(?:me|self|current|whoami)$/.test(noun) && method !== 'POST') return about(operation, `the current ${singular(before ?? 'user')}`, parents)
  if (group !== undefined && /^(?:bulk|batch)$/.test(noun)) return `${several[method]} several ${group} at once${parents}.`
  const action = hasKey || method === 'GET' || (method !== 'POST' && !verbs.has(noun)) ? undefined : actionFor(operation, noun, parents, before)
  if (action !== undefined) return action
  if (method === 'POST') return about(operation, one(singular(noun)), parents)
  if (method === 'GET' && !hasKey && (isPlural(noun) || answersList(operation))) {
    const listed = isPlural(noun) ? noun : group === undefined ? `${noun} entries` : `${group} (${noun})`
    return `List ${listed}${parents}.${filtersOf(operation)}`
  }
  const thing = hasKey ? one(singular(noun)) : isPlural(noun) ? noun : `the ${noun}${group === undefined ? '' : ` of ${group}`}`
  return about(operation, thing, parents)
}

function about (operation: Operation, thing: string, parents: string): string {
  const sentences: Readonly<Record<OperationMethod, string>> = {
    GET: `Get ${thing}${parents}.${filtersOf(operation)}`,
    POST: `Create ${thing}${parents}.`,
    PUT: `Replace ${thing}${parents}, with all of its fields.`,
    PATCH: `Change the given fields of ${thing}${parents}.`,
    DELETE: `Delete ${thing}${parents}.`
  }
  return sentences[operation.method]
}
