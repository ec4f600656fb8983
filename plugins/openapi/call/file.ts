import { wrongArgument } from '../../django/path.ts'
import { cleanText } from '../../catalog/text.ts'

/** Bytes that the files of one call may have together. */
export const maxFileBytes = 10_485_760

/** UTF-8 bytes of a name, which is what file systems take. */
const maxNameBytes = 255

/** A file ready to be sent. */
export interface SentFile {
  readonly filename: string
  readonly mimeType: string
  readonly bytes: Buffer
}

/** Whether a value is meant to be a file: `{ filename, mime_type, base64 }`. */
export function isFile (value: unknown): value is { readonly base64: unknown, readonly filename?: unknown, readonly mime_type?: unknown } {
  return typeof value === 'object' && value !== null && 'base64' in value
}

/** A name without folders and without what nobody sees; only what a file system takes. */
export function safeFilename (name: string): string {
  const last = cleanText(name).split(/[/\\]/).at(-1) ?? ''
  // oxlint-disable-next-line no-control-regex
  const visible = last.replaceAll(/[\u0000-\u001f\u007f"<>|:*?]/g, '_').replace(/^[. ]+|[. ]+$/g, '')
  if (visible === '') return 'file'
  const extension = /\.[\w-]{1,16}$/.exec(visible)?.[0] ?? ''
  let stem = Array.from(visible.slice(0, visible.length - extension.length))
  while (Buffer.byteLength(stem.join('')) + extension.length > maxNameBytes) stem = stem.slice(0, -1)
  return `${stem.join('')}${extension}`
}

/** The bytes of a base64 text, with or without padding; undefined where it is none. The decoder passes over what is none. */
function decoded (text: string): Buffer | undefined {
  const compact = text.replaceAll(/\s+/g, '')
  const digits = compact.length - (compact.endsWith('==') ? 2 : compact.endsWith('=') ? 1 : 0)
  const bytes = Buffer.from(compact, 'base64')
  return digits % 4 !== 1 && bytes.length === Math.floor(digits * 3 / 4) ? bytes : undefined
}

/**
 * The file that an argument holds.
 * @param left bytes that it may have
 * @throws {CallError} `invalid_input`, naming the argument, for one that is none or is too large
 */
export function fileOf (argument: string, value: unknown, left = maxFileBytes): SentFile {
  if (!isFile(value) || typeof value.base64 !== 'string') throw wrongArgument(argument, 'must be a file: { filename, mime_type, base64 }')
  const { filename = 'file', mime_type: mimeType = 'application/octet-stream' } = value
  if (typeof filename !== 'string') throw wrongArgument(`${argument}.filename`, 'must be a text')
  if (typeof mimeType !== 'string' || !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\w-]+=[\w.-]+)*$/.test(mimeType)) {
    throw wrongArgument(`${argument}.mime_type`, 'must be a media type, such as application/pdf')
  }
  if (value.base64.length * 0.75 > left + 2) throw wrongArgument(argument, `must not be larger than ${Math.floor(maxFileBytes / 1_048_576)} MiB, together with other files`)
  const bytes = decoded(value.base64)
  if (bytes === undefined) throw wrongArgument(`${argument}.base64`, 'must be the content of the file in base64')
  return { filename: safeFilename(filename), mimeType, bytes }
}
