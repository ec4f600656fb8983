import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createMcpHandler, Server, type JSONRPCRequest } from '@modelcontextprotocol/server'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { anonymous, type Principal } from '../../plugins/auth/index.ts'
import { modernCapabilities } from './modern.ts'

export interface ListenOptions {
  /** What the server calls itself. */
  info: { name: string, version: string }
  log: FastifyBaseLogger
  /** Whether the token of a request has been revoked since it came. */
  isRevoked: (request: FastifyRequest) => Promise<boolean>
  /** Streams of all principals together. */
  maxStreams?: number
  /** Streams of one principal. */
  maxStreamsOfOne?: number
  /** Milliseconds between two looks at the deny-list. */
  revocationInterval?: number
}

const defaultMaxStreams = 1000
const defaultMaxStreamsOfOne = 10
const defaultRevocationInterval = 10_000
/** Longest time that a timer can run, in milliseconds. */
const maxTimeout = 2_147_483_647

/** There are as many streams as there may be, of a principal or of all. */
export class TooManyStreams extends Error {
  override readonly name = 'TooManyStreams'
}

/**
 * Streams of `subscriptions/listen` (revision 2026-07-28), over which clients hear that a list has changed. A stream
 * lives as long as its client stays, its token is valid and the server runs. The SDK's handler keeps the protocol of
 * the stream; it is used for nothing else.
 */
export class ListenStreams {
  readonly #options: ListenOptions
  readonly #handler: ReturnType<typeof createMcpHandler>
  readonly #open = new Map<AbortController, FastifyRequest>()
  readonly #timer: NodeJS.Timeout

  constructor (options: ListenOptions) {
    this.#options = options
    this.#handler = createMcpHandler(() => new Server(options.info, { capabilities: modernCapabilities }), {
      legacy: 'reject',
      maxSubscriptions: options.maxStreams ?? defaultMaxStreams,
      onerror: (error) => { options.log.debug({ reason: error.message.split(':')[0] }, 'subscription reported an error') }
    })
    this.#timer = setInterval(() => { this.#endRevoked() }, options.revocationInterval ?? defaultRevocationInterval)
    this.#timer.unref()
  }

  /** Streams that are open. */
  get size (): number {
    return this.#open.size
  }

  /** Tells every stream that asked for it that the lists of tools, prompts and resources have changed. */
  announceChange (): void {
    this.#handler.notify.toolsChanged()
    this.#handler.notify.promptsChanged()
    this.#handler.notify.resourcesChanged()
  }

  /**
   * Serves one stream until it ends. The reply must have been hijacked.
   * @throws {TooManyStreams} before anything is sent
   */
  async serve (request: FastifyRequest, reply: FastifyReply, message: JSONRPCRequest): Promise<void> {
    // Asked and taken in one step: nothing comes between, however many come at once.
    if (this.#isFull(request.principal ?? anonymous)) throw new TooManyStreams()
    const ending = new AbortController()
    const { expiresAt } = request.principal ?? anonymous
    const expiry = expiresAt === undefined ? undefined : setTimeout(() => { ending.abort() }, Math.min(maxTimeout, expiresAt * 1000 - Date.now()))
    this.#open.set(ending, request)
    reply.raw.once('close', () => { ending.abort() })
    try {
      const headers = new Headers()
      for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers.set(name, value)
      const response = await this.#handler.fetch(new Request('http://localhost/mcp', { method: 'POST', headers, signal: ending.signal }), { parsedBody: message })
      reply.raw.writeHead(response.status, Object.fromEntries(response.headers))
      if (response.body === null) reply.raw.end()
      else await pipeline(Readable.fromWeb(response.body), reply.raw)
    } catch (error) {
      // A client that goes away ends its stream in the middle of it.
      if (!reply.raw.destroyed) throw error
    } finally {
      clearTimeout(expiry)
      this.#open.delete(ending)
    }
  }

  /** Ends every stream, as the protocol ends one: with its result. */
  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.#handler.close()
  }

  #isFull (principal: Principal): boolean {
    if (this.#open.size >= (this.#options.maxStreams ?? defaultMaxStreams)) return true
    let own = 0
    for (const request of this.#open.values()) if (request.principal?.key === principal.key) own += 1
    return own >= (this.#options.maxStreamsOfOne ?? defaultMaxStreamsOfOne)
  }

  #endRevoked (): void {
    for (const [ending, request] of this.#open) void this.#endIfRevoked(ending, request)
  }

  async #endIfRevoked (ending: AbortController, request: FastifyRequest): Promise<void> {
    if (await this.#options.isRevoked(request)) ending.abort()
  }
}
