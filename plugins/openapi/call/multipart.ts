import type { SentFile } from './file.ts'

/** One field of a form. */
export interface Part {
  readonly name: string
  readonly content: SentFile | { readonly text: string, readonly mediaType: string | undefined }
}

/** A name between the quotes of a header, as browsers write it (HTML Standard, "Multipart form data"). */
function quotedName (name: string): string {
  return `"${name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')}"`
}

function headOf ({ name, content }: Part): string {
  const disposition = `Content-Disposition: form-data; name=${quotedName(name)}`
  if ('bytes' in content) return `${disposition}; filename=${quotedName(content.filename)}\r\nContent-Type: ${content.mimeType}\r\n\r\n`
  return content.mediaType === undefined ? `${disposition}\r\n\r\n` : `${disposition}\r\nContent-Type: ${content.mediaType}\r\n\r\n`
}

/** A form with its parts in order (RFC 7578), and the boundary between them, which no part contains. */
export function multipart (parts: readonly Part[]): { boundary: string, body: Buffer } {
  const contents = parts.map(({ content }) => 'bytes' in content ? content.bytes : Buffer.from(content.text))
  let boundary = 'part-of-a-form'
  for (let number = 1; contents.some((content) => content.includes(boundary)); number += 1) boundary = `part-of-a-form-${number}`
  const chunks = parts.flatMap((part, index) => [Buffer.from(`--${boundary}\r\n${headOf(part)}`), contents[index] ?? Buffer.alloc(0), Buffer.from('\r\n')])
  return { boundary, body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]) }
}
