import assert from 'node:assert/strict'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createProvider, type Provider } from './provider.ts'
import { documentUrl, password, type SignInServer } from './server.ts'
import type { UserAgent } from './user-agent.ts'

/** How a client makes itself known: it registers (RFC 7591), or its name is the address of a document about it. */
export type Introduction = 'registration' | 'document'

/** A request of the client, and how it was answered. */
interface Seen {
  method: string
  url: URL
  status: number
  challenge: string | null
  form: URLSearchParams
}

/** A client of one user, who uses it with a browser. */
export class SignedInClient {
  readonly seen: Seen[] = []
  readonly asked: string[] = []
  readonly provider: Provider
  readonly #server: SignInServer
  readonly #userAgent: UserAgent
  readonly #user: string
  #transport: StreamableHTTPClientTransport | undefined

  constructor (server: SignInServer, userAgent: UserAgent, user: string, introduction: Introduction, overrides: Partial<Provider> = {}) {
    this.#server = server
    this.#userAgent = userAgent
    this.#user = user
    this.provider = { ...createProvider({ redirectUrl: server.callback, ...introduction === 'document' ? { clientMetadataUrl: documentUrl } : {} }), ...overrides }
  }

  async connect (): Promise<Client> {
    const client = new Client({ name: 'sign-in', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    this.#transport = new StreamableHTTPClientTransport(new URL(`${this.#server.url}/mcp`), {
      authProvider: this.provider,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        const form = init?.body instanceof URLSearchParams ? init.body : new URLSearchParams()
        this.seen.push({ method: init?.method ?? 'GET', url: new URL(input), status: response.status, challenge: response.headers.get('www-authenticate'), form })
        return response
      }
    })
    await client.connect(this.#transport)
    return client
  }

  /** Does what a client does when the user has to sign in: sends them there, and takes what they come back with. */
  async signIn (): Promise<URL> {
    const sentTo = this.provider.sentTo()
    const back = await this.#userAgent(sentTo, { name: this.#user, password }, (text) => { this.asked.push(text) })
    assert.equal(back.searchParams.get('state'), this.provider.state())
    assert.ok(this.#transport !== undefined)
    await this.#transport.finishAuth(back.searchParams)
    return sentTo
  }

  /** The paths of the requests since the last time, with the answers' statuses. */
  takeSeen (): string[] {
    return this.seen.splice(0).map(({ method, url, status }) => `${method} ${url.pathname} ${status}`)
  }
}
