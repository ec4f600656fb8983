import { z } from 'zod'
import { masked, quoted } from './quoted.ts'
import { probablyMeant } from './spelling.ts'
import { isPath } from './urls.ts'

/** Names every wrong option of a plugin. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
  readonly plugin: string
  readonly problems: ReadonlyArray<{ option: string, message: string }>

  constructor (plugin: string, problems: ReadonlyArray<{ option: string, message: string }>) {
    super(`${plugin}: ${problems.map(({ option, message }) => option === '' ? message : `${option}: ${message}`).join('; ')}`)
    this.plugin = plugin
    this.problems = problems
  }
}

/** What `register` itself takes, and passes on to the plugin. */
const ofRegister: ReadonlySet<string> = new Set(['prefix', 'logLevel', 'logSerializers'])

function shown (value: unknown, secret: boolean): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return secret ? masked(value) : quoted(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : `a ${typeof value}`
}

function valueAt (options: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined, options)
}

/** What is wrong, each thing by the path of its option. */
function problemsOf (issue: z.core.$ZodIssue, options: unknown, known: readonly string[], secrets: readonly string[]): Array<{ option: string, message: string }> {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = issue.path.length === 0 ? probablyMeant(key, known) : undefined
      return { option: [...issue.path, key].join('.'), message: `there is no such option${meant === undefined ? '' : `; did you mean ${meant}?`}` }
    })
  }
  const secret = issue.path.some((name) => secrets.includes(String(name)))
  return [{ option: issue.path.join('.'), message: `expected ${issue.message}, got ${shown(valueAt(options, issue.path), secret)}` }]
}

/**
 * The options of a plugin, checked and with their defaults.
 * @param schema where the message of every check says what is expected
 * @param secrets names of options whose values must not be printed
 * @throws {OptionsError} naming every wrong option
 */
export function checkOptions<Schema extends z.ZodObject> (plugin: string, schema: Schema, options: unknown, secrets: readonly string[] = []): z.output<Schema> {
  const own = typeof options === 'object' && options !== null
    ? Object.fromEntries(Object.entries(options).filter(([name]) => !ofRegister.has(name)))
    : options
  const checked = schema.safeParse(own)
  if (checked.success) return checked.data
  const problems = checked.error.issues.flatMap((issue) => problemsOf(issue, own, Object.keys(schema.shape), secrets))
  // One wrong value may fail several checks.
  throw new OptionsError(plugin, [...new Map(problems.map((problem) => [problem.option, problem])).values()])
}

/**
 * A schema for every option of a plugin. The types of options are written out, for the comments that users see; what
 * is checked is held against them by the compiler: no option without a check, no check without an option.
 */
export type OptionsShape<Options> = { [Name in keyof Options]-?: z.ZodType<unknown, Options[Name] | undefined> }

/** Milliseconds that a timer of Node's takes; with more it fires at once. */
const maxTimer = 2_147_483_647

const pathExpected = 'a path that starts with /'

export const text = (expected = 'a text that is not empty') => z.string(expected).min(1, expected)

export const serverPath = () => z.string(pathExpected).refine(isPath, pathExpected)

export const flag = () => z.boolean('true or false')

/** A whole number; `what` says of what, such as "seconds". */
export function whole (min: number, what?: string) {
  const expected = `a whole number${what === undefined ? '' : ` of ${what}`}, at least ${min}`
  return z.int(expected).min(min, expected).max(Number.MAX_SAFE_INTEGER, expected)
}

/** A length of time that a timer can wait for, in units of this many milliseconds. */
export function duration (unit: 'milliseconds' | 'seconds' | 'hours', min = Number.MIN_VALUE) {
  const max = maxTimer / { milliseconds: 1, seconds: 1000, hours: 3_600_000 }[unit]
  const expected = `a number of ${unit} ${min > 0 ? 'above 0' : `of at least ${min}`} and at most ${Math.floor(max)}`
  return z.number(expected).min(min, expected).max(max, expected)
}

/** A function of this type. */
export function callback<Type extends (...args: never[]) => unknown> () {
  return z.custom<Type>((value) => typeof value === 'function', 'a function')
}

/** A list; `expected` says of what. */
export function list<Entry extends z.ZodType> (entry: Entry, expected: string) {
  return z.array(entry, expected).readonly()
}
