import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { SeenRequest } from './oracle/values.ts'

export interface PlayedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export type Answering = (request: SeenRequest) => PlayedAnswer

/** An answer in JSON. */
export function jsonAnswer (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): PlayedAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

/** A server that remembers every request as it came, and answers as it is told. */
export class Recorder {
  readonly #server: Server
  #requests: SeenRequest[] = []
  #answer: Answering = () => jsonAnswer({})
  #url = ''

  constructor () {
    this.#server = createServer({ maxHeaderSize: 1_048_576 }, (request, response) => { void this.#handle(request, response) })
  }

  get url (): string {
    return this.#url
  }

  async listen (): Promise<void> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve) })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening on a port')
    this.#url = `http://127.0.0.1:${address.port}`
  }

  async close (): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => { this.#server.close(() => { resolve() }) })
  }

  /** Answers so from now on, and forgets what was seen. */
  play (answer: Answering): void {
    this.#answer = answer
    this.#requests = []
  }

  /** What was seen since it was last asked. */
  take (): readonly SeenRequest[] {
    const taken = this.#requests
    this.#requests = []
    return taken
  }

  async #handle (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
    const seen = { method: request.method ?? '', target: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
    this.#requests.push(seen)
    const { status, headers = {}, body = '' } = this.#answer(seen)
    response.writeHead(status, headers).end(body)
  }
}
