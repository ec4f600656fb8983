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

/** Whether a text may hold a number that JavaScript would round. */
const maybeRounded = /[\d.]{16}|\d[eE]\+?\d{2}/

function isRounded (value: number, source: string): boolean {
  if (!Number.isFinite(value)) return true
  const digits = source.replace(/[eE].*$/, '').replaceAll(/[^\d]/g, '').replace(/^0+/, '')
  return digits.length > 15 && String(value) !== source
}

/**
 * Parses JSON. Numbers that would be rounded become values that only `JSON.stringify` understands.
 * @throws {SyntaxError}
 */
export function parseExactly (text: string): unknown {
  if (!maybeRounded.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => (
    typeof value === 'number' && context?.source !== undefined && isRounded(value, context.source) ? JSON.rawJSON(context.source) : value
  ))
}

/** Whether a value is an object with names of its own: a number that is kept exactly is none. */
export function isObject (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

/**
 * The value with rounded numbers in the place of exact ones, for a reader that takes nothing else.
 * @param text the value as JSON
 */
export function rounded (value: unknown, text: string): unknown {
  return maybeRounded.test(text) ? JSON.parse(JSON.stringify(value)) : value
}

/** UTF-8 bytes of a value as JSON. */
export function jsonBytes (value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}
