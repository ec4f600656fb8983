import { createServer } from 'node:net'
import type { Test } from 'tap'

/** A server that answers 200 to whatever comes, and has kept every byte of it. */
export interface Recorder {
  readonly url: string
  /** Everything that was sent so far, over all connections. */
  readonly bytes: () => Buffer
  /** The requests in it: request lines with their headers, bodies left out. */
  readonly heads: () => string[]
}

/** What Django answers to the tools, resources and prompts of the app, all in one. */
const answer = JSON.stringify({ count: 0, results: [], id: 1, name: 'a' })

/** Records below HTTP, so that nothing is lost or put right by a parser. */
export async function startRecorder (t: Test): Promise<Recorder> {
  const chunks: Buffer[] = []
  const server = createServer((socket) => {
    let head = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      head += chunk.toString('latin1')
      // Its client sends the next request when it has the answer to this one.
      const [, length = '0'] = /\r\ncontent-length: (\d+)/i.exec(head) ?? []
      const end = head.indexOf('\r\n\r\n')
      if (end === -1 || head.length < end + 4 + Number(length)) return
      head = ''
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const bytes = (): Buffer => Buffer.concat(chunks)
  return {
    url: `http://127.0.0.1:${address.port}`,
    bytes,
    heads: () => bytes().toString('latin1').match(/(?:GET|POST|PUT|PATCH|DELETE) \S+ HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)*/g) ?? []
  }
}
