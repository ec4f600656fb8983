import { connect } from 'node:net'

/** A head of a request with these lines after its first, ready for a body. */
export function head (lines: readonly string[], first = 'POST /mcp HTTP/1.1'): string {
  return `${[first, ...lines].join('\r\n')}\r\n\r\n`
}

export interface RawAnswer {
  status: number
  headers: string
  body: string
}

/**
 * Sends bytes as they are and gives the last answer before the server closes; `Connection: close` makes it do so.
 * @param parts sent one after the other
 */
export async function sendRaw (url: string, ...parts: ReadonlyArray<string | Buffer>): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const text = await new Promise<string>((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => { for (const part of parts) socket.write(part) })
    socket.on('data', (chunk) => { chunks.push(chunk) })
    // A server that closes while we write resets the connection; what it said before is the answer all the same.
    socket.on('error', () => undefined)
    socket.on('close', () => { resolve(Buffer.concat(chunks).toString()) })
  })
  const [, status = '0', headers = '', body = ''] = /^HTTP\/1\.1 (\d{3})([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(text) ?? []
  return { status: Number(status), headers, body }
}

/**
 * Sends requests without bodies one behind the other on one connection, and gives the statuses of the answers. A hundred
 * at a time, so that the server is not too busy for other things.
 * @param heads each with its lines, without `Connection: close`
 */
export async function pipeline (url: string, heads: readonly string[]): Promise<number[]> {
  const found: number[] = []
  for (let index = 0; index < heads.length; index += 100) {
    const { hostname, port } = new URL(url)
    const batch = heads.slice(index, index + 100)
    const text = await new Promise<string>((resolve, reject) => {
      const chunks: Buffer[] = []
      // The last one ends the connection.
      const socket = connect(Number(port), hostname, () => { socket.write(batch.join('').replace(/\r\n\r\n$/, '\r\nConnection: close\r\n\r\n')) })
      socket.on('data', (chunk) => { chunks.push(chunk) })
      socket.on('error', reject)
      socket.on('close', () => { resolve(Buffer.concat(chunks).toString()) })
    })
    found.push(...[...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status)))
  }
  return found
}
