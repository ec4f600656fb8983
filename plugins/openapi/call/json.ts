import { isRecord } from '../../../checks/records.ts'

/*
 * JSON whose numbers keep all of their digits: identifiers beyond 2^53 come out as they came in. JavaScript knows how
 * (ECMA-262 proposal "JSON.parse source text access", in Node since 22); the compiler's library does not yet.
 */
declare global {
  interface JSON {
    /** A value that `stringify` writes as this text. */
    rawJSON: (text: string) => object
    isRawJSON: (value: unknown) => boolean
  }
}

/** Digits that JavaScript keeps in any number. */
const keptDigits = 15

/** A digit, or the point or slash between some. */
function isDigit (code: number): boolean {
  return code >= 0x2e && code <= 0x39
}

/**
 * Whether a text may hold a number that JavaScript would round, which has more than 15 digits. Of so many in a row one
 * is at a multiple of 16, so that only every sixteenth character is looked at: every answer is looked through.
 */
function mayBeRounded (text: string): boolean {
  for (let index = keptDigits; index < text.length; index += keptDigits + 1) {
    if (!isDigit(text.charCodeAt(index))) continue
    let first = index
    let last = index
    while (isDigit(text.charCodeAt(first - 1))) first -= 1
    while (isDigit(text.charCodeAt(last + 1))) last += 1
    if (last - first >= keptDigits) return true
  }
  return false
}

function isRounded (value: number, source: string): boolean {
  const digits = source.replace(/[eE].*$/, '').replaceAll(/\D/g, '').replace(/^0+/, '')
  return digits.length > keptDigits && String(value) !== source
}

/**
 * Parses JSON. Numbers that would be rounded become values that only `JSON.stringify` understands.
 * @throws {SyntaxError}
 */
export function parseExactly (text: string): unknown {
  if (!mayBeRounded(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => (
    typeof value === 'number' && context?.source !== undefined && isRounded(value, context.source) ? JSON.rawJSON(context.source) : value
  ))
}

/** Whether a value is an object with names of its own: a number that is kept exactly is none. */
export function isObject (value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !JSON.isRawJSON(value)
}

/**
 * The value with rounded numbers in the place of exact ones, for a reader that takes nothing else.
 * @param text the value as JSON
 */
export function rounded (value: unknown, text: string): unknown {
  return mayBeRounded(text) ? JSON.parse(JSON.stringify(value)) : value
}

/** UTF-8 bytes of a value as JSON. */
export function jsonBytes (value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}
