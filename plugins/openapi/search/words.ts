import type { OperationMethod } from '../operation.ts'

/*
 * Words as the search compares them: without endings, and those of a question with what else they may mean. The
 * tables hold what every API on the web has; what is a team's own goes into the overlay's synonyms.
 */

/** Words that say nothing about which operation is meant. */
const stopWords = new Set((
  'a an and any are as at be been by can could did do does for from had has have how i if in into is it its may method ' +
  'methods my of on one or our please return returns should some specific that the their them then there these this ' +
  'those to us using via want was we were what when where which will with would you your'
).split(' '))

/** What an operation does, written so that no word of a text can be the same. */
type Verb = '=get' | '=list' | '=create' | '=update' | '=delete'

const verbOf: Readonly<Record<OperationMethod, Verb>> = { GET: '=get', POST: '=create', PUT: '=update', PATCH: '=update', DELETE: '=delete' }

/** Words for what the methods of HTTP do. */
const verbs: ReadonlyArray<readonly [Verb, string]> = [
  ['=get', 'get show read view see fetch retrieve find look lookup display open check inspect load query detail info'],
  ['=list', 'list all every browse enumerate search filter overview many'],
  ['=create', 'create add new make insert post register start submit send upload import begin connect reply launch run'],
  ['=update', 'update edit change modify set patch rename replace assign alter adjust mark move'],
  ['=delete', 'delete remove destroy drop erase clear discard revoke kick leave cancel']
]

/** Words that APIs use for one another. */
const sameThings: readonly string[] = [
  'user account person people somebody someone who',
  'me self myself current whoami authenticated',
  'image picture photo',
  'count number total many amount',
  'permission access share',
  'status state progress',
  'log history audit',
  'organization organisation team company',
  'member membership',
  'webhook hook',
  'email mail',
  'login signin',
  'setting config configuration preference',
  'usage quota storage',
  'download export',
  'upload import',
  'bulk batch',
  'copy clone duplicate'
]

/** A word without the endings of plurals and verb forms; of a short word nothing is taken. */
export function stem (word: string): string {
  let short = word
  if (short.length > 4 && short.endsWith('ies')) short = `${short.slice(0, -3)}y`
  else if (short.length > 4 && /(ss|x|ch|sh)es$/.test(short)) short = short.slice(0, -2)
  else if (short.length > 3 && /[^su]s$/.test(short)) short = short.slice(0, -1)
  for (const ending of ['ement', 'ment', 'ation', 'ating', 'ated', 'ate', 'ion', 'ing', 'ed', 'er', 'or', 'e']) {
    if (short.length - ending.length >= 4 && short.endsWith(ending)) return short.slice(0, -ending.length)
  }
  return short
}

/** The words of a text or an identifier in small letters: `uidAsset`, `uid_asset` and `uid-asset` are two. */
export function wordsOf (text: string): string[] {
  return text.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** The words of a text as the index holds them. */
export function indexWords (text: string): string[] {
  return wordsOf(text).filter((word) => !stopWords.has(word)).map(stem)
}

/** What an operation does, as words of the index. */
export function verbsFor (method: OperationMethod, path: string): Verb[] {
  return method === 'GET' && !/\}\/?$/.test(path) ? ['=get', '=list'] : [verbOf[method]]
}

function byWord<Meaning> (entries: ReadonlyArray<readonly [string, readonly Meaning[]]>): ReadonlyMap<string, readonly Meaning[]> {
  const found = new Map<string, Meaning[]>()
  for (const [word, meanings] of entries) found.set(word, [...found.get(word) ?? [], ...meanings])
  return found
}

const verbsByWord = byWord(verbs.flatMap(([verb, words]) => words.split(' ').map((word): [string, Verb[]] => [stem(word), [verb]])))
const sameByWord = byWord(sameThings.flatMap((group) => {
  const words = group.split(' ').map(stem)
  return words.map((word): [string, string[]] => [word, words.filter((other) => other !== word)])
}))

/** How much counts beside a word of the question: its verb, a word that may mean the same, reading where there is no verb. */
const weights = { verb: 0.6, same: 0.5, silence: 0.5 }

/** What a question looks for, each word with how much it counts. */
export interface QuestionWords {
  readonly words: ReadonlyMap<string, number>
  /** What is to be done: it ranks what has been found. */
  readonly verbs: ReadonlyMap<string, number>
}

/** The words of a question, and what else they may mean. One that has only verbs looks for these. */
export function questionWords (text: string): QuestionWords {
  const words = new Map<string, number>()
  const meant = new Set<Verb>()
  for (const word of wordsOf(text)) {
    const root = stem(word)
    for (const verb of verbsByWord.get(root) ?? []) meant.add(verb)
    for (const same of sameByWord.get(root) ?? []) if (!words.has(same)) words.set(same, weights.same)
    if (!stopWords.has(word)) words.set(root, 1)
  }
  const verbs = meant.size > 0
    ? new Map([...meant].map((verb) => [verb, weights.verb]))
    : new Map([['=get', weights.silence], ['=list', weights.silence]])
  return { words, verbs }
}
