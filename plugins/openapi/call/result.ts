import { headerOf, jsonOf, textOf, type Answer } from '../../django/answer.ts'
import { WithContent, type ContentBlock } from '../../catalog/definition.ts'
import { cleanValue, isCleanJson } from '../../catalog/text.ts'
import type { GeneratedTool } from '../generated.ts'
import { cutToFit, type Cut } from './cut.ts'
import { fieldsFrom, project } from './fields.ts'
import { safeFilename } from './file.ts'
import { hideHosts } from './hosts.ts'
import { isObject, parseExactly, rounded } from './json.ts'
import type { Locate } from './locate.ts'
import { essenceOf, isJsonType } from './media-types.ts'
import { countNote, cutNote, fieldsNote, whereToLook } from './notes.ts'
import { argsBehind, linkHosts, pageOf, withArgs } from './pages.ts'

export interface ResultOptions {
  /** UTF-8 bytes of an answer that is shown. */
  readonly maxBytes?: number | undefined
  /** Hosts that Django is called by, which are not shown. */
  readonly hosts?: readonly string[]
  /** Finds the tool that reads what an answer's Location names. */
  readonly locate?: Locate | undefined
  /** Whether a tool is there for the caller; each is where it is left out. */
  readonly isThere?: ((name: string) => boolean) | undefined
}

/**
 * Bytes of an answer by default: clients cut results at 25,000 tokens, and JSON of UUIDs has a token for every 1.6 bytes
 * (o200k; rows of a usual table 3.4).
 */
export const defaultMaxBytes = 40_000

/** What a handler gives. */
export type CallResult = string | ContentBlock[] | Record<string, unknown> | WithContent<Record<string, unknown>>

type Args = Readonly<Record<string, unknown>>

interface Shown {
  readonly text: string
  /** The same as a value, where it is one. */
  readonly value: unknown
  readonly notes: readonly string[]
}

/** What is not text by its type, and pages for people, are not shown. */
const textTypes = /^(?:text\/(?!html$)|application\/(?:xml$|yaml$|x-yaml$|toml$|csv$|sql$|graphql$|javascript$|x-ndjson$|ndjson$|x-www-form-urlencoded$|(?!xhtml\+)[\w.-]+\+(?:xml|yaml|csv|text)$))/

function wantedFields ({ bindings, fields }: GeneratedTool, args: Args): readonly string[] {
  const binding = bindings.find(({ place }) => place.kind === 'fields')
  const asked = binding === undefined ? [] : fieldsFrom(args[binding.argument])
  return asked.length > 0 ? asked : fields
}

/** An answer whose JSON is shown: as it came where nothing had to be changed. */
function shownJson (tool: GeneratedTool, args: Args, answer: Answer, { maxBytes = defaultMaxBytes, hosts = [] }: ResultOptions): Shown {
  const raw = textOf(answer)
  const parsed = jsonOf(answer, raw, parseExactly)
  const notes: Array<string | undefined> = []
  const page = pageOf(parsed)
  let value = hideHosts(withArgs(tool, args, page, parsed), raw, linkHosts(page, parsed), hosts)

  const fields = wantedFields(tool, args)
  if (fields.length > 0) {
    const projected = project(value, page, fields)
    value = projected.value
    notes.push(fieldsNote(projected.missing, projected.there))
  }

  let cuts: readonly Cut[] = []
  if (answer.body.length > maxBytes) ({ value, cuts } = cutToFit(value, maxBytes))
  const listCut = page === undefined ? undefined : cuts.find(({ path, what }) => what === 'entries' && path === (page.name ?? ''))
  const behind = listCut === undefined ? undefined : argsBehind(tool, args, listCut.kept, listCut.of)
  if (behind !== undefined && isObject(value)) value = { ...value, next_args: behind }
  notes.push(countNote(tool, args, page, value), cutNote(tool, args, page, cuts, behind, value))

  // Written anew where something is different, or where it takes more room or hides more than it needs to.
  const asItCame = value === parsed && !raw.includes('\n') && !(raw.includes('\\') && /\\[ubfr]/.test(raw))
  let text = asItCame ? raw.trim() : JSON.stringify(value)
  // What is not seen but escaped is none of the catalog's to find, which cleans texts.
  if (text.includes('\\') && !isCleanJson(text)) text = JSON.stringify(cleanValue(value))
  return { text, value, notes: notes.filter((note) => note !== undefined) }
}

function filenameIn (answer: Answer): string | undefined {
  const disposition = headerOf(answer, 'content-disposition') ?? ''
  const extended = /filename\*=utf-8''([^;\s]+)/i.exec(disposition)?.[1]
  const plain = /filename="((?:[^"\\]|\\.)*)"|filename=([^;\s"]+)/i.exec(disposition)
  try {
    const name = extended === undefined ? plain?.[1]?.replaceAll(/\\(.)/g, '$1') ?? plain?.[2] : decodeURIComponent(extended)
    return name === undefined ? undefined : safeFilename(name)
  } catch {
    return undefined
  }
}

function describedFile (answer: Answer, type: string): Shown {
  const filename = filenameIn(answer)
  const value = { status: answer.status, content_type: type === '' ? 'unknown' : type, bytes: answer.body.length, ...filename === undefined ? {} : { filename } }
  const what = /^(?:text\/html|application\/xhtml\+xml)$/.test(essenceOf(type)) ? 'The answer is a page for a browser' : 'The answer is a file'
  return { text: JSON.stringify(value), value, notes: [`${what}, which is not shown.`] }
}

function decodedText (answer: Answer, type: string): string {
  const charset = /charset="?([\w.:-]+)/i.exec(type)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(answer.body)
  } catch {
    return textOf(answer)
  }
}

function shownText (answer: Answer, type: string, { maxBytes = defaultMaxBytes, hosts = [] }: ResultOptions): Shown {
  const whole = decodedText(answer, type)
  const hidden = hideHosts(whole, whole, [], hosts)
  const text = typeof hidden === 'string' ? hidden : whole
  const value = { status: answer.status, content_type: type }
  if (Buffer.byteLength(text) <= maxBytes) return { text, value, notes: [] }
  const head = new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes), { stream: true })
  const line = head.lastIndexOf('\n')
  const shown = line > head.length / 2 ? head.slice(0, line) : head
  return { text: shown, value, notes: [`The first ${shown.length} of ${text.length} characters are shown. There is no argument that gets the rest.`] }
}

function shownAnswer (tool: GeneratedTool, args: Args, answer: Answer, options: ResultOptions): Shown {
  const type = headerOf(answer, 'content-type')?.trim() ?? ''
  if (answer.body.length === 0) {
    const value = { status: answer.status, ok: true }
    return { text: JSON.stringify(value), value, notes: [] }
  }
  if (isJsonType(type)) return shownJson(tool, args, answer, options)
  return textTypes.test(essenceOf(type)) ? shownText(answer, type, options) : describedFile(answer, type)
}

/**
 * What a successful answer comes to, for a model: JSON with arguments in the place of addresses, no larger than a client
 * takes, and sentences about what is not shown and how to get it.
 * @throws {CallError} `bad_response` for JSON that is not valid
 */
export function resultFor (tool: GeneratedTool, args: Args, answer: Answer, options: ResultOptions = {}): CallResult {
  const { text, value, notes } = shownAnswer(tool, args, answer, options)
  const all = [...notes, whereToLook(tool, answer, options)].filter((note) => note !== undefined)
  const content: ContentBlock[] = [{ type: 'text', text }, ...all.length === 0 ? [] : [{ type: 'text' as const, text: all.join(' ') }]]
  if (tool.outputSchema === undefined) return all.length === 0 ? text : content
  const structured = rounded(value, text)
  return new WithContent(isObject(structured) ? structured : { result: structured }, content)
}
