import { isRecord } from '../../checks/records.ts'

/*
 * Text that models read and people do not see: characters that are invisible or change the order of others can carry
 * instructions past whoever reviews a description, and out of an API's data into a conversation. They are taken out
 * of everything that is listed and of everything that a call gives.
 *
 * What is taken out: controls but line feed and tab, bidirectional controls, tags, everything that Unicode calls
 * default-ignorable (zero-width characters, soft hyphens, fillers, variation selectors), interlinear annotations.
 * Line ends of other kinds become line feeds, half a surrogate pair becomes U+FFFD.
 *
 * What stays, because writing needs it: the joiners between letters of scripts that join (Arabic, the scripts of
 * India and others), inside of emoji, one variation selector behind a character that has variants, and the tags of
 * the three flags that are made of them.
 */

/** Everything that has to be looked at more closely. Line feed and tab are the only controls that are just text. */
const suspicious = /[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]--[\n\t]]/v

/** First and last of the same by UTF-16 units. Beyond the first plane, surrogates that such characters begin with. */
const suspiciousUnits = [
  [0x00, 0x08], [0x0b, 0x1f], [0x7f, 0x9f], [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5],
  [0x180b, 0x180f], [0x200b, 0x200f], [0x2028, 0x202e], [0x2060, 0x206f], [0x3164, 0x3164], [0xfe00, 0xfe0f], [0xfeff, 0xfeff],
  [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0xd82f, 0xd82f], [0xd834, 0xd834], [0xdb40, 0xdb43]
] as const

/** A table, because every answer is looked through: the expression takes eight times as long. */
const isSuspiciousUnit = new Uint8Array(0x10000)
for (const [first, last] of suspiciousUnits) isSuspiciousUnit.fill(1, first, last + 1)

function maybeSuspicious (text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (isSuspiciousUnit[text.charCodeAt(index)] === 1) return true
  return false
}

/** The escapes of JSON that stand for such characters, as `JSON.stringify` writes them. */
const suspiciousEscape = /\\(?:[bfr]|u00[01]|ud[89a-f])/

const lineEnd = /^[\r\u{85}\p{Zl}\p{Zp}]$/u
const surrogate = /^\p{Cs}$/u
const pictograph = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}]$/u
/** Scripts whose letters join, so that a joiner or non-joiner between them is spelling. */
const joining = /^[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]$/u
/** Characters that have variants. Digits have them only in keycaps. */
const hasEmojiVariant = /^(?![\d#*])\p{Emoji}$/u
const hasVariant = /^[\p{Script=Han}\p{Script=Myanmar}\p{Script=Phags_Pa}\p{Sm}]$/u

const zeroWidthNonJoiner = '\u{200c}'
const zeroWidthJoiner = '\u{200d}'
const emojiPresentation = '\u{fe0f}'
const textPresentation = '\u{fe0e}'
const keycap = '\u{20e3}'

/** Flags of England, Scotland and Wales: a black flag, tags, and the tag that ends them (UTS #51, RGI_Emoji_Tag_Sequence). */
const tagFlag = /^\u{1f3f4}(?:\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f})/u

function isVariationSelector (character: string): boolean {
  return (character >= '\u{fe00}' && character <= '\u{fe0f}') || /^[\u{e0100}-\u{e01ef}]$/u.test(character)
}

/** Whether a joiner belongs between two characters. `before` is what stands there without a variation selector. */
function joins (joiner: string, before: string, after: string): boolean {
  if (joining.test(before)) return joining.test(after) || /^\p{M}$/u.test(before)
  return joiner === zeroWidthJoiner && pictograph.test(before) && pictograph.test(after)
}

/** Whether a variation selector belongs behind a character. */
function varies (selector: string, before: string, after: string): boolean {
  if (selector === emojiPresentation || selector === textPresentation) {
    return hasEmojiVariant.test(before) || hasVariant.test(before) || (/^[\d#*]$/.test(before) && after === keycap)
  }
  return hasVariant.test(before)
}

/** The text without what is not seen; the slow way, for texts that have something of it. */
function stripped (text: string): string {
  const characters = Array.from(text)
  let result = ''
  /** The last character that was kept and is no joiner or selector, and whether one of these stands behind it. */
  let before = ''
  let modified = false
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? ''
    const after = characters[index + 1] ?? ''
    if (!suspicious.test(character)) {
      const flag = character === '\u{1f3f4}' ? tagFlag.exec(characters.slice(index, index + 7).join(''))?.[0] : undefined
      result += flag ?? character
      if (flag !== undefined) index += 6
      before = character
      modified = false
    } else if (lineEnd.test(character)) {
      if (!(character === '\r' && after === '\n')) result += '\n'
      before = ''
    } else if (surrogate.test(character)) {
      result += '\u{fffd}'
      before = ''
    } else if (character === zeroWidthJoiner || character === zeroWidthNonJoiner) {
      if (!joins(character, before, after)) continue
      result += character
      before = ''
    } else if (isVariationSelector(character) && !modified && varies(character, before, after)) {
      result += character
      modified = true
    }
  }
  return result
}

/** The text without what is not seen. */
export function cleanText (text: string): string {
  return maybeSuspicious(text) || !text.isWellFormed() ? stripped(text) : text
}

/** Whether JSON that was written by `JSON.stringify` holds nothing that `cleanValue` would take out. */
export function isCleanJson (json: string): boolean {
  return !maybeSuspicious(json) && !suspiciousEscape.test(json)
}

/** A value as JSON has them with all of its texts cleaned, the names of members too. The same value where nothing changes. */
export function cleanValue (value: unknown, clean: (text: string, key: string) => string = cleanText, key = ''): unknown {
  if (typeof value === 'string') return clean(value, key)
  if (Array.isArray(value)) {
    const entries: readonly unknown[] = value
    const cleaned = entries.map((entry) => cleanValue(entry, clean, key))
    return cleaned.every((entry, index) => entry === entries[index]) ? value : cleaned
  }
  if (!isRecord(value)) return value
  let changed = false
  const entries = Object.entries(value).map(([name, entry]): [string, unknown] => {
    const cleanedName = cleanText(name)
    const cleaned = cleanValue(entry, clean, name)
    changed ||= cleanedName !== name || cleaned !== entry
    return [cleanedName, cleaned]
  })
  return changed ? Object.fromEntries(entries) : value
}

/** Blocks as MCP has them: binary data is left alone, every text that is read is cleaned. */
export function cleanBlocks<Blocks extends ReadonlyArray<{ type: string }>> (blocks: Blocks): Blocks
export function cleanBlocks (blocks: ReadonlyArray<{ type: string }>): unknown {
  return blocks.map((block) => block.type === 'image' || block.type === 'audio' ? block : cleanValue(block))
}

/** Characters of one description or title that are listed; what is longer is cut. */
const maxListed = 8192
/** What is written for a reader. Other texts, such as a pattern, mean something else when they are cut. */
const readable: ReadonlySet<string> = new Set(['title', 'description', '$comment'])

/** What is listed of a tool, a prompt or a resource: cleaned, and no text longer than a reader needs. */
export function cleanListing<Listing extends object> (listing: Listing): Listing
export function cleanListing (listing: object): unknown {
  return cleanValue(listing, (text, key) => {
    const cleaned = cleanText(text)
    return readable.has(key) && cleaned.length > maxListed ? `${cleaned.slice(0, maxListed)}…` : cleaned
  })
}
