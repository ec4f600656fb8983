import { connect, type Socket } from 'node:net'

/** When load ends: after a time, or after a number of answers. */
export type Until = { seconds: number } | { calls: number }

export interface Outcome {
  calls: number
  seconds: number
  /** Milliseconds, sorted. */
  latencies: number[]
}

const headEnd = Buffer.from('\r\n\r\n')

/**
 * One keep-alive connection that sends the same request again as soon as it is answered. It is written on the bare
 * socket, because an HTTP client would cost as much as the servers that are measured.
 */
class Connection {
  readonly #socket: Socket
  readonly #request: Buffer
  #sentAt = 0
  #head = Buffer.alloc(0)
  /** Bytes of the answer that are still to come; undefined while its head is. */
  #missing: number | undefined
  #body: Buffer[] = []
  #answered: ((answer: { body: Buffer, milliseconds: number }) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  constructor (port: number, request: Buffer) {
    this.#request = request
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => { this.#receive(chunk) })
    this.#socket.on('error', (error) => this.#failed?.(error))
    this.#socket.on('close', () => this.#failed?.(new Error('the server closed a connection')))
  }

  /** Sends the request once and waits for its answer, which must have status 200. */
  send (): Promise<{ body: Buffer, milliseconds: number }> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve
      this.#failed = reject
      this.#sentAt = performance.now()
      this.#socket.write(this.#request)
    })
  }

  close (): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #receive (chunk: Buffer): void {
    let rest = chunk
    if (this.#missing === undefined) {
      this.#head = Buffer.concat([this.#head, chunk])
      const end = this.#head.indexOf(headEnd)
      if (end === -1) return
      const head = this.#head.toString('latin1', 0, end)
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
      if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) {
        this.#failed?.(new Error(`unexpected answer: ${this.#head.toString('utf8').slice(0, 2000)}`))
        return
      }
      rest = this.#head.subarray(end + headEnd.length)
      this.#head = Buffer.alloc(0)
      this.#missing = Number(length)
    }
    this.#missing -= rest.length
    this.#body.push(rest)
    if (this.#missing > 0) return
    const body = this.#body
    this.#body = []
    this.#missing = undefined
    this.#answered?.({ body: body.length === 1 && body[0] !== undefined ? body[0] : Buffer.concat(body), milliseconds: performance.now() - this.#sentAt })
  }
}

/** The body of one answer. */
export async function once (port: number, request: Buffer): Promise<Buffer> {
  const connection = new Connection(port, request)
  const { body } = await connection.send()
  connection.close()
  return body
}

/**
 * Keeps a number of connections busy with one request, or with several in turn.
 * @throws {Error} for an answer that is not of status 200, or not as long as the first one to the same request
 */
export async function load (port: number, requests: readonly Buffer[], connections: number, until: Until): Promise<Outcome> {
  const latencies: number[] = []
  const begin = performance.now()
  const end = 'seconds' in until ? begin + until.seconds * 1000 : Infinity
  const most = 'calls' in until ? until.calls : Infinity
  let sent = 0

  async function run (index: number): Promise<void> {
    const request = requests[index % requests.length]
    if (request === undefined) throw new Error('nothing to send')
    const connection = new Connection(port, request)
    let length: number | undefined
    try {
      while (sent < most && performance.now() < end) {
        sent += 1
        const { body, milliseconds } = await connection.send()
        latencies.push(milliseconds)
        length ??= body.length
        // An error inside an answer is of another length than a result.
        if (body.length !== length) throw new Error(`unexpected answer: ${body.toString('utf8').slice(0, 2000)}`)
      }
    } finally {
      connection.close()
    }
  }

  await Promise.all(Array.from({ length: connections }, (_, index) => run(index)))
  return { calls: latencies.length, seconds: (performance.now() - begin) / 1000, latencies: latencies.toSorted((left, right) => left - right) }
}
