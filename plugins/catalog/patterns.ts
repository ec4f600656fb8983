import type { Options } from 'ajv'
import { RE2JS } from 're2js'

/*
 * Patterns of schemas are run on what clients and APIs send. Node's own expressions go back and forth over a text, and
 * with some patterns for longer than anybody lives: `^(a+)+$` needs seconds for 27 characters. RE2 reads a text once.
 * What it cannot do, lookaround and references back, no engine does in bounded time.
 */

type Engine = NonNullable<NonNullable<Options['code']>['regExp']>

/** White space of ECMA-262 (§12.2, §12.3), of which RE2 knows only five characters. */
const whiteSpace = String.raw`\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`

/** `\s` and `\S` written out; `\S` in a class, which cannot be, means what it means to RE2. */
function withWhiteSpace (pattern: string): string {
  return pattern.replaceAll(/\\[^]|\[(?:\\[^]|[^\]\\])*\]/g, (part) => {
    if (part.startsWith('[')) return part.replaceAll(/\\[^]/g, (escape) => escape === String.raw`\s` ? whiteSpace : escape)
    return part === String.raw`\s` ? `[${whiteSpace}]` : part === String.raw`\S` ? `[^${whiteSpace}]` : part
  })
}

/**
 * A pattern of JSON Schema (ECMA-262), matched anywhere in a text in time that grows with its length.
 * @throws {Error} for a pattern that cannot be matched so, or that is none
 */
export function linearPattern (pattern: string): { test: (text: string) => boolean } {
  try {
    return RE2JS.compile(withWhiteSpace(RE2JS.translateRegExp(pattern)))
  } catch (cause) {
    throw new Error(`the pattern ${JSON.stringify(pattern.slice(0, 100))} cannot be matched in bounded time: lookaround, references back and counts over 1000 cannot be used`, { cause })
  }
}

/** Compiles the patterns of a schema for Ajv, and refuses a schema with one that cannot be matched in bounded time. */
export const strictEngine: Engine = Object.assign((pattern: string) => linearPattern(pattern), { code: 'linearPattern' })

/** The same for schemas that others write: whoever wrote the pattern checks it, so it is not checked here where it cannot be. */
export const passingEngine: Engine = Object.assign((pattern: string) => {
  try {
    return linearPattern(pattern)
  } catch {
    return { test: () => true }
  }
}, { code: 'passingPattern' })
