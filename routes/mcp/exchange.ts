import type { ServerResponse } from 'node:http'
import { errorCodes, isForeseen } from './protocol-error.ts'
import { jsonParts } from './serialized-list.ts'

/** What both generations of the SDK send through a transport, as far as an exchange has to look at it. */
interface Outgoing {
  id?: string | number | null
  method?: string
  error?: { code: number, message: string, data?: unknown }
  result?: object
}

interface SendOptions {
  relatedRequestId?: string | number
}

export interface ExchangeOptions {
  response: ServerResponse
  /** Id of the request that is answered; undefined for a notification, which has no answer. */
  requestId: string | number | undefined
  /** HTTP status for an answer that is a JSON-RPC error, which it is told of. `early` is true before a handler has run. */
  onError: (code: number, early: boolean) => number
  /** Told of an error that nobody caught, which the client is not. */
  onUnforeseen: (error: { message: string }) => void
  /** Identifies the request for whoever asks about its answer. */
  correlationId: string
  /** Whether the server is shutting down, so that the connection must not be kept. */
  closing: () => boolean
}

/** Milliseconds between two comments on a quiet stream, so that proxies do not take it for dead. */
const keepAlive = 15_000

/** X-Accel-Buffering: proxies must not collect events until there are enough of them. */
const streamHeaders = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' }

/** What came is not a message of JSON-RPC 2.0 in the form that MCP gives it (basic, "Messages"). */
export class UnreadMessage extends Error {
  override readonly name = 'UnreadMessage'
}

/**
 * One JSON-RPC message and its answer over HTTP, as a transport that a server of either SDK generation connects to.
 * The answer is JSON, unless a notification goes before it: then it becomes a stream of events. It writes to Node's
 * response directly; the SDKs' own transports make a web Request and Response of it first, which costs more than
 * everything else they do.
 */
export class Exchange<Message extends object, Extra> {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: Message, extra?: Extra) => void
  readonly #options: ExchangeOptions
  #early = false
  #unread = false
  #answered = false
  #timer: NodeJS.Timeout | undefined

  constructor (options: ExchangeOptions) {
    this.#options = options
  }

  async start (): Promise<void> {
    const { response } = this.#options
    response.once('close', () => {
      clearInterval(this.#timer)
      // Aborts the handlers, and through their signal the requests to Django.
      if (!this.#answered) this.onclose?.()
    })
  }

  /**
   * Hands the message over to the server that is connected.
   * @throws {UnreadMessage} where the server does not know it as a message, and would never answer it
   */
  receive (message: Message, extra?: Extra): void {
    const { response, requestId } = this.#options
    this.#early = true
    this.onmessage?.(message, extra)
    this.#early = false
    if (requestId === undefined) {
      this.#answered = true
      response.writeHead(202).end()
    } else if (this.#unread) {
      this.#answered = true
      throw new UnreadMessage()
    }
  }

  /** To be told of the errors that the server reports: one before any handler has run is about the message itself. */
  reported (): void {
    if (this.#early) this.#unread = true
  }

  async send (message: Message & Outgoing, options?: SendOptions): Promise<void> {
    const { response, requestId, onError, onUnforeseen, closing, correlationId } = this.#options
    if (this.#answered || response.destroyed) return
    if (message.method !== undefined) {
      // Nobody waits for what is not about this request.
      if (options?.relatedRequestId === requestId) this.#stream(message)
      return
    }
    if (message.id !== requestId) return
    this.#answer()
    if (message.error !== undefined && !isForeseen(message.error)) {
      onUnforeseen(message.error)
      message.error = { code: errorCodes.internalError, message: 'Internal error', data: { correlation_id: correlationId } }
    }
    const parts = jsonParts(message)
    const status = message.error === undefined ? 200 : onError(message.error.code, this.#early)
    if (response.headersSent) {
      for (const part of ['event: message\ndata: ', ...parts, '\n\n']) response.write(part)
      response.end()
      return
    }
    if (closing()) response.setHeader('connection', 'close')
    const length = parts.reduce((bytes, part) => bytes + Buffer.byteLength(part), 0)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': length })
    for (const part of parts.slice(0, -1)) response.write(part)
    response.end(parts.at(-1))
  }

  /** Ends the exchange without an answer, as a client that cancels expects it. */
  cancel (): void {
    if (this.#answered) return
    this.#answer()
    this.onclose?.()
    const { response } = this.#options
    if (!response.headersSent) response.writeHead(200, streamHeaders)
    response.end()
  }

  async close (): Promise<void> {
    if (this.#answered) return
    this.#answer()
    this.onclose?.()
    this.#options.response.destroy()
  }

  /** From here on nothing more is said: not even a comment, while the end waits for a client that reads slowly. */
  #answer (): void {
    this.#answered = true
    clearInterval(this.#timer)
  }

  #stream (message: Message): void {
    const { response } = this.#options
    if (!response.headersSent) {
      response.writeHead(200, streamHeaders)
      this.#timer = setInterval(() => { response.write(': keep-alive\n\n') }, keepAlive)
      this.#timer.unref()
    }
    // A client that reads more slowly than it is told things is told less of them: they would be kept here meanwhile.
    if (response.writableNeedDrain) return
    response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
  }
}
