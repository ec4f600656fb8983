import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/*
 * An MCP client of the revisions with a handshake, for servers that differ in how they answer: in the body of the
 * answer as JSON or as an event stream, or on a stream of the session's own. It costs every server the same.
 */

interface Message {
  id?: number
  result?: Record<string, unknown>
  error?: unknown
}

export interface Target {
  port: number
  /** Sent with every request. */
  headers: Readonly<Record<string, string>>
}

const revision = '2025-06-18'
/** Milliseconds until a server that has been sent a request for a stream is taken to have it. */
const streamPause = 50

/** The messages of a body, be it JSON or an event stream. */
function messagesIn (body: string): Message[] {
  if (body.trim() === '') return []
  if (body.trimStart().startsWith('{')) return [JSON.parse(body)]
  return body.split('\n').filter((line) => line.startsWith('data:')).map((line): Message => JSON.parse(line.slice(5)))
}

export class Session {
  readonly #target: Target
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #waiting = new Map<number, (message: Message) => void>()
  #id: string | undefined
  #stream: ClientRequest | undefined
  #last = 0

  private constructor (target: Target) {
    this.#target = target
  }

  /** Opens a session, with a stream of its own where the server gives one. */
  static async open (target: Target): Promise<Session> {
    const session = new Session(target)
    await session.call('initialize', { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'bench', version: '1' } })
    await session.#post({ jsonrpc: '2.0', method: 'notifications/initialized' })
    if (session.#id !== undefined) await session.#listen()
    return session
  }

  /**
   * Sends a request and gives its result.
   * @throws {Error} for an error, be it one of the protocol or a result that is one
   */
  async call (method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = ++this.#last
    const answered = new Promise<Message>((resolve) => { this.#waiting.set(id, resolve) })
    this.#receive(await this.#post({ jsonrpc: '2.0', id, method, params }))
    const { result, error } = await answered
    if (result === undefined || result.isError === true) throw new Error(`${method} failed: ${JSON.stringify(error ?? result).slice(0, 500)}`)
    return result
  }

  close (): void {
    this.#stream?.destroy()
    this.#agent.destroy()
  }

  #receive (body: string): void {
    for (const message of messagesIn(body)) {
      if (message.id === undefined) continue
      this.#waiting.get(message.id)?.(message)
      this.#waiting.delete(message.id)
    }
  }

  #headers (): Record<string, string> {
    return { ...this.#target.headers, ...this.#id === undefined ? {} : { 'mcp-session-id': this.#id, 'mcp-protocol-version': revision } }
  }

  async #post (message: object): Promise<string> {
    const body = JSON.stringify(message)
    const sent = request({
      host: '127.0.0.1', port: this.#target.port, path: '/mcp', method: 'POST', agent: this.#agent,
      headers: { ...this.#headers(), accept: 'application/json, text/event-stream', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    }).end(body)
    const response = await answerTo(sent)
    const answer = await text(response)
    if (response.statusCode !== 200 && response.statusCode !== 202) throw new Error(`the answer is ${response.statusCode}: ${answer.slice(0, 300)}`)
    const id = response.headers['mcp-session-id']
    if (typeof id === 'string') this.#id = id
    return answer
  }

  /** Listens to the stream of the session, on which one of the servers answers. It sends no head before its first event. */
  async #listen (): Promise<void> {
    const sent = request({ host: '127.0.0.1', port: this.#target.port, path: '/mcp', headers: { ...this.#headers(), accept: 'text/event-stream' } }).end()
    this.#stream = sent
    sent.on('error', () => undefined)
    sent.on('response', (response) => {
      if (response.statusCode !== 200) {
        response.resume()
        return
      }
      let rest = ''
      response.setEncoding('utf8')
      response.on('error', () => undefined)
      response.on('data', (chunk: string) => {
        const events = `${rest}${chunk}`.split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) this.#receive(event)
      })
    })
    await once(sent, 'finish')
    await sleep(streamPause)
  }
}

async function answerTo (sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response] = await once(sent, 'response')
  return response
}
