/** One part of a multipart body. */
export interface Part {
  readonly name: string
  readonly filename: string | undefined
  readonly type: string | undefined
  readonly bytes: Buffer
}

function parameterOf (header: string, name: string): string | undefined {
  const [, quoted, bare] = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(header) ?? []
  // Forms escape three characters and nothing else (HTML, "multipart/form-data encoding algorithm").
  return quoted === undefined ? bare : quoted.replaceAll(/%22|%0D|%0A/gi, (escape) => decodeURIComponent(escape))
}

function partOf (bytes: Buffer): Part | string {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return 'a part has no end of its headers'
  const headers = new Map(bytes.subarray(0, end).toString('utf8').split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
  }))
  const disposition = headers.get('content-disposition') ?? ''
  const name = parameterOf(disposition, 'name')
  if (!disposition.startsWith('form-data') || name === undefined) return `a part has the disposition ${JSON.stringify(disposition)}`
  return { name, filename: parameterOf(disposition, 'filename'), type: headers.get('content-type'), bytes: bytes.subarray(end + 4) }
}

/** The parts of a multipart body (RFC 7578, RFC 2046 §5.1.1), or what is wrong with it. */
export function partsOf (contentType: string, body: Buffer): Part[] | string {
  const boundary = parameterOf(contentType, 'boundary')
  if (boundary === undefined || boundary.length > 70) return `no usable boundary in ${contentType}`
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  // The first delimiter stands at the very beginning.
  const whole = Buffer.concat([Buffer.from('\r\n'), body])
  const parts: Part[] = []
  let from = whole.indexOf(delimiter)
  if (from !== 0) return 'the body does not begin with its boundary'
  for (;;) {
    const begin = from + delimiter.length
    const mark = whole.subarray(begin, begin + 2).toString('latin1')
    if (mark === '--') return parts
    if (mark !== '\r\n') return 'a boundary is not followed by a line end'
    from = whole.indexOf(delimiter, begin)
    if (from === -1) return 'the last boundary is missing'
    const part = partOf(whole.subarray(begin + 2, from))
    if (typeof part === 'string') return part
    parts.push(part)
  }
}
