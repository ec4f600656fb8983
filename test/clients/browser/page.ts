/*
 * What runs in the page: an official client, bundled for browsers, as somebody would use it there. The test calls
 * these functions through the browser's driver, so that what goes in and out is JSON.
 */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

export interface Target {
  /** URL of the MCP endpoint. */
  url: string
  token: string
  /** How the client of the second generation agrees on a revision; that of the first one connects where it is left out. */
  mode?: VersionNegotiationMode
}

/** An answer as the page may read it. */
interface Seen {
  status: number
  correlationId: string | null
  rateLimit: string | null
}

async function connect ({ url, token, mode }: Target, seen: Seen[] = []): Promise<Client | ModernClient> {
  const options = {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
    async fetch (input: string | URL, init?: RequestInit): Promise<Response> {
      const response = await fetch(input, init)
      seen.push({ status: response.status, correlationId: response.headers.get('x-correlation-id'), rateLimit: response.headers.get('ratelimit') })
      return response
    }
  }
  if (mode === undefined) {
    const client = new Client({ name: 'page', version: '1' })
    const transport: Transport = new StreamableHTTPClientTransport(new URL(url), options)
    await client.connect(transport)
    return client
  }
  const client = new ModernClient({ name: 'page', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new ModernTransport(new URL(url), options))
  return client
}

/** Does everything that a client does, and gives what came of it. */
export async function useEverything (target: Target) {
  const seen: Seen[] = []
  const client = await connect(target, seen)
  // In pages the official client leaves out the headers that a tool asks for, since most servers' CORS does not know them.
  const shout = { name: 'shout', arguments: { word: 'quiet' } }
  const given = {
    revision: client instanceof ModernClient ? client.getNegotiatedProtocolVersion() : null,
    tools: await client.listTools(),
    call: await client.callTool({ name: 'get_opportunities', arguments: { status: 'won', limit: 2 } }),
    shout: client instanceof ModernClient ? await client.callTool(shout, { headers: { 'Mcp-Param-Word': 'quiet' } }) : await client.callTool(shout),
    read: await client.readResource({ uri: 'client://2' }),
    prompts: await client.listPrompts(),
    prompt: await client.getPrompt({ name: 'summarize_client', arguments: { client: 'さくら物流' } }),
    completion: await client.complete({ ref: { type: 'ref/prompt', name: 'summarize_client' }, argument: { name: 'client', value: 'さくら' } }),
    seen
  }
  await client.close()
  return given
}

/** What a client says that cannot connect; undefined where it can. */
export async function failureOf (target: Target): Promise<string | undefined> {
  try {
    await (await connect(target)).close()
    return undefined
  } catch (error) {
    return String(error)
  }
}

/** What the page itself reads of an answer, or the failure that the browser makes of it. */
export async function post ({ url, token }: Target) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    })
    return {
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      correlationId: response.headers.get('x-correlation-id'),
      body: await response.text()
    }
  } catch (error) {
    return { failure: String(error) }
  }
}

let cancel: (() => void) | undefined

/** Begins a call that Django does not answer. */
export async function begin (target: Target): Promise<void> {
  const client = await connect(target)
  const controller = new AbortController()
  const params = { name: 'get_opportunities', arguments: { limit: 99 } }
  const { signal } = controller
  const call = client instanceof ModernClient ? client.callTool(params, { signal }) : client.callTool(params, undefined, { signal })
  call.catch(() => undefined)
  cancel = () => { controller.abort() }
}

/** Cancels the call that was begun. */
export async function end (): Promise<void> {
  cancel?.()
}
