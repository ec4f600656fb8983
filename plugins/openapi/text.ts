/*
 * Texts of a document as a model may read them. A document's texts come from docstrings and model fields, and whoever
 * may change one could speak to the model in characters that no person sees: what has no glyph is removed, as are
 * markup and the names of hosts.
 */

/** Control, format, private and unassigned characters, lone surrogates, and everything else that shows nothing. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu

/** Whether a value of the document's holds nothing that is invisible, so that it can be shown as it is sent. */
export function isVisible (text: string): boolean {
  return text.search(invisible) === -1
}

const htmlTag = /<\/?(?:a|abbr|address|article|aside|b|blockquote|body|br|button|caption|center|cite|code|col|colgroup|dd|del|details|div|dl|dt|em|embed|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|optgroup|option|p|pre|q|s|samp|script|section|select|small|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|textarea|tfoot|th|thead|time|title|tr|tt|u|ul|var|video)\b[^<>]*>/gi

/** A URL with its host, or a host with a port. The path behind it may say something, and stays. */
const host = /[a-z][a-z0-9+.-]{1,20}:\/\/(?:[^\s/?#"'<>()[\]{}`,;]+|\[[\da-f:.]*\](?::\d+)?)|\b(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?(?![\w.-])|\[::1?\](?::\d{1,5})?/gi

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'', nbsp: ' ', '#39': '\'', ndash: '–', mdash: '—', hellip: '…' }

function withoutMarkdown (text: string): string {
  return text
    // Code that is set off is an example of a request or an answer: long, and full of hosts.
    .replaceAll(/^[ \t]*(```|~~~)[\s\S]*?(?:^[ \t]*\1|$(?![\s\S]))/gm, ' ')
    .replaceAll(/(?:^|(?<=\n[ \t]*\n))(?:(?: {4}|\t).*(?:\n|$))+/g, ' ')
    .replaceAll(/^[ \t]*#{1,6}[ \t]+(.*?)[ \t#]*$/gm, '$1\n\n')
    .replaceAll(/^[ \t]*(?:[-*_][ \t]*){3,}$/gm, '\n')
    .replaceAll(/\n[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[^\n]*/g, '')
    .replaceAll(/^[ \t]*(?:>[ \t]?)+/gm, '')
    .replaceAll(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    .replaceAll(/(\*\*|__)(?=\S)([^\n]*?\S)\1/g, '$2')
    .replaceAll(/(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])|(?<!\w)_(?=[^\s_])([^\n]*?[^\s_])_(?!\w)/g, '$1$2')
    .replaceAll(/`{1,2}([^`\n]*)`{1,2}/g, '$1')
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!])/g, '$1')
}

/** Ends paragraphs and items of lists with a point, so that they can stand on one line. */
function onOneLine (text: string): string {
  return text
    .split(/\n[ \t]*\n|\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])/)
    .map((part) => part.replace(/^[ \t\n]*(?:[-*+•]|\d{1,3}[.)])[ \t]+/, '').replaceAll(/\s+/g, ' ').trim())
    .filter((part) => /[\p{L}\p{N}]/u.test(part))
    .reduce((line, part) => line === '' ? part : `${line}${/[.!?:;,…]$/.test(line) ? '' : '.'} ${part}`, '')
}

/** Characters that are looked at: only the first few hundred are ever shown. */
const readLength = 4000

/** A text of the document as plain text on one line. */
export function plain (whole: string): string {
  const text = whole.slice(0, readLength)
  // Most are a few words in which there is nothing to do.
  if (/^[\w ,.;:'"()/-]*$/.test(text) && !/:\/\/|localhost|\d\.0\.\d|__| {4}|^\s*[-\d]/i.test(text)) return text.trim().replaceAll(/ {2,}/g, ' ')
  const readable = text
    .replaceAll(/\r\n?/g, '\n')
    // What colours a terminal.
    .replaceAll(/\p{Cc}\[[\d;]*[A-Za-z]/gu, '')
    .replaceAll(/[^\P{Cc}\n\t]/gu, ' ')
    .replaceAll(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replaceAll(/<br\s*\/?>|<\/(?:p|li|h[1-6]|tr|div)\s*>/gi, '\n\n')
    .replaceAll(htmlTag, '')
  const line = onOneLine(withoutMarkdown(readable))
    .replaceAll(/&(amp|lt|gt|quot|apos|nbsp|#39|ndash|mdash|hellip);/g, (entity, name: string) => entities[name] ?? entity)
    .replaceAll(invisible, '')
  return settled(line).replaceAll(/\s+/g, ' ').replaceAll(/ ([.,;])(?=\s|$)/g, '$1').trim()
}

/** Rounds after which a text is taken as it is: each takes something away, so that few are ever needed. */
const rounds = 10

/** Takes out hosts and what may still be markup, until there is none: taking one out may bring another together. */
function settled (text: string): string {
  let current = text
  for (let round = 0; round < rounds; round++) {
    const next = current
      .replaceAll(host, '')
      .replaceAll(/\(\s*\)|\[\s*\]/g, '')
      // What a reader fills in is often between angle brackets.
      .replaceAll(/<\/?([a-z!][^<>]{0,60})>/gi, '{$1}')
      .replaceAll(/<+(?=[a-z/!])/gi, '')
    if (next === current) return next
    current = next
  }
  return current
}

/** The end of a sentence, not of an abbreviation such as "e.g." or a number. */
const sentenceEnd = /[.!?…](?=["')\]]?\s+[\p{Lu}\p{N}"'([]|["')\]]?$)/gu
const abbreviation = /(?:\b(?:e\.g|i\.e|etc|vs|cf|no|approx|incl)|\b[A-Z])\.$/i

/** The longest beginning of a text that is not longer than this: whole sentences where one fits, else whole words. */
export function shortened (text: string, longest: number): string {
  if (text.length <= longest) return text
  const ends = [...text.slice(0, longest + 1).matchAll(sentenceEnd)].map((match) => match.index + 1)
  const end = ends.findLast((end) => end <= longest && end >= 12 && !abbreviation.test(text.slice(0, end)))
  if (end !== undefined) return text.slice(0, end)
  const word = text.slice(0, longest).replace(/\s+\S*$/, '')
  return `${(word.length >= longest / 2 && word.length < longest ? word : text.slice(0, longest - 1)).replace(/[\s,;:(–-]+$/, '').replace(/[\uD800-\uDBFF]$/, '')}…`
}
