/**
 * Characters that JSON leaves as they are, and that terminals and programs which read lines act on: the controls above
 * ASCII (U+009B begins escape sequences like ESC does), further ends of lines, what has no width, what turns the order
 * of others around.
 */
const unseen = '[\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]'
const some = new RegExp(unseen)
const all = new RegExp(unseen, 'g')

/** A line of the log with such characters as JSON can also write them, which is the same text to whoever parses it. */
export function visible (line: string): string {
  return some.test(line) ? line.replaceAll(all, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`) : line
}
