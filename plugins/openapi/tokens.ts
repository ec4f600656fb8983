import type { GeneratedTool } from './generated.ts'

/*
 * How many tokens a text costs a model. A tokenizer's table of 200,000 entries takes more memory than the whole list of
 * tools, and only sums are asked for here; so they are estimated. A text is cut into the pieces that tokens never cross
 * (as GPT-4o's o200k does), and each kind of piece counts what pieces of its kind and length cost on average. The tests
 * hold the estimate against a real tokenizer: a few percent for a list.
 */

/** A word with the one character before it, up to three digits, characters beyond ASCII, punctuation, white space. */
const pieces = /[^\r\nA-Za-z0-9\u0080-\uFFFF]?(?:[A-Z]?[a-z\u00C0-\u024F]+|[A-Z]+(?![a-z])|[A-Z])|[0-9]{1,3}|[\u0080-\uFFFF]+|[^\sA-Za-z0-9\u0080-\uFFFF]+|\s+/g

const space = 0x20
const underscore = 0x5F

const isLetter = (code: number): boolean => ((code | space) >= 0x61 && (code | space) <= 0x7A) || (code >= 0xC0 && code <= 0x24F)
const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5A

function wordTokens (letters: number, before: number): number {
  // Most words have a token of their own, with a space before them or nothing.
  if (before === space || before === 0) return letters <= 9 ? 1.03 : letters <= 12 ? 1.08 : 1.2 + (letters - 13) * 0.3
  if (before === underscore) return letters <= 6 ? 1.1 : letters <= 8 ? 1.3 : 1.2 + (letters - 8) * 0.22
  return letters <= 2 ? 1 : letters <= 6 ? 1.45 : letters <= 9 ? 1.85 : 2.6
}

function tokensOf (piece: string): number {
  const first = piece.charCodeAt(0)
  const before = isLetter(first) ? 0 : first
  const start = before === 0 ? 0 : 1
  const next = piece.charCodeAt(start)
  if (isLetter(next)) {
    const letters = piece.length - start
    const last = piece.charCodeAt(piece.length - 1)
    return letters > 1 && isUpper(last) ? Math.max(1, letters * 0.35) : wordTokens(letters, before)
  }
  if (first >= 0x80) return Math.max(1, piece.length * 0.6)
  if (first <= space || (first >= 0x30 && first <= 0x39)) return 1
  return piece.length <= 3 ? 1 : piece.length === 4 ? 1.25 : piece.length * 0.4
}

/** Tokens of a text, about. */
export function estimateTokens (text: string): number {
  let sum = 0
  for (const [piece] of text.matchAll(pieces)) sum += tokensOf(piece)
  return Math.ceil(sum)
}

/** What a model is shown of a tool. Hosts write it in their own ways, which cost about as much as this JSON. */
export function shownToModels ({ name, description, inputSchema }: Pick<GeneratedTool, 'name' | 'description' | 'inputSchema'>): string {
  return JSON.stringify({ name, description, inputSchema })
}

/** Tokens that these tools cost a model before it has called any, about. */
export function listTokens (tools: ReadonlyArray<Pick<GeneratedTool, 'name' | 'description' | 'inputSchema'>>): number {
  return tools.reduce((sum, tool) => sum + estimateTokens(shownToModels(tool)), 0)
}
