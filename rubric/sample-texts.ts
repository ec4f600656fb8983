import { sample, stringMatching } from 'fast-check'
import { textOf, type Node } from './oracle/document.ts'

export const samplings = ['required', 'all', 'nulls', 'edges', 'unicode', 'reserved'] as const
export type Sampling = typeof samplings[number]

/** Where an argument goes decides what can be said there at all: a header takes no umlauts, a path no slashes. */
export type Charset = 'any' | 'path' | 'header' | 'cookie'

/** There is no value, or none that we find. */
export class Unsampled extends Error {
  override readonly name = 'Unsampled'
}

/** Texts for what may be any text. */
export const texts: Readonly<Record<Charset, Readonly<Record<Sampling, string>>>> = {
  any: {
    required: 'plain',
    all: 'some text',
    nulls: 'plain',
    edges: '',
    unicode: 'Größe 名前 𝄞 e\u0301 €',
    reserved: 'a b&c=d+e%20f%2Fg?h#i/j:k,l;m"n\'o|p\\q<r>[s]{t}^u`v~w!x$y(z)*@\n.'
  },
  path: { required: 'plain', all: 'some text', nulls: 'plain', edges: '0', unicode: 'Größe 名前 𝄞 €', reserved: 'a b&c=d+e%20f?h#i:k,l;m"n\'o|<r>[s]{t}^u`v~w!x$y(z)*@' },
  header: { required: 'plain', all: 'some text', nulls: 'plain', edges: '0', unicode: 'no umlauts', reserved: 'a:b/c;d=e,f "g" %20 (h) [i] {j}' },
  // What is to be escaped in a cookie, and how, nobody agrees on.
  cookie: { required: 'plain', all: 'some-text', nulls: 'plain', edges: '0', unicode: 'no-umlauts', reserved: 'a.b_c~d' }
}

const formats: Readonly<Record<string, string>> = {
  uuid: '2f1c7a0e-5d4b-4c3a-9b8e-0123456789ab',
  date: '2026-02-28',
  'date-time': '2026-02-28T23:59:59+00:00',
  time: '23:59:59',
  duration: '1 02:00:00',
  email: 'someone@example.org',
  uri: 'https://example.org/a?b=c',
  'uri-reference': '/a?b=c',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  hostname: 'example.org',
  slug: 'some-slug',
  decimal: '3.10',
  byte: 'aGVsbG8=',
  regex: '^a$',
  'json-pointer': '/a'
}

/**
 * A text for a schema.
 * @throws {Unsampled} where none is found
 */
export function textFor (schema: Node, sampling: Sampling, charset: Charset): string {
  const least = typeof schema.minLength === 'number' ? schema.minLength : 0
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : Infinity
  const fits = (text: string): boolean => Array.from(text).length >= least && Array.from(text).length <= most
  if (typeof schema.pattern === 'string') return matching(schema.pattern, (text) => fits(text) && (charset === 'any' || charset === 'header' || !/^\.{0,2}$|[/\\\s]|[^\x21-\x7e]/.test(text)))
  const format = formats[textOf(schema.format)]
  if (format !== undefined && fits(format)) return format
  const text = texts[charset][sampling]
  if (fits(text)) return text
  const points = Array.from(text === '' ? texts[charset].required : text)
  while (points.length < least) points.push('x')
  return points.slice(0, most).join('')
}

/** A text that a pattern matches, and that is what else it must be. */
function matching (pattern: string, fits: (text: string) => boolean): string {
  for (const flags of ['u', '']) {
    try {
      const regex = new RegExp(pattern, flags)
      const candidates = sample(stringMatching(regex, { size: 'small' }), { numRuns: 60, seed: 1 })
      const found = candidates.find((text) => regex.test(text) && fits(text))
      if (found !== undefined) return found
    } catch {
      // Not for this flag, or too much for the generator.
    }
  }
  throw new Unsampled(`nothing found for the pattern ${pattern}`)
}
