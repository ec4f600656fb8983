import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { z } from 'zod'
import { DemoFailure } from './failure.ts'
import { never } from './interruption.ts'

/** Where to call, and as whom. */
export interface Server {
  /** URL of the MCP endpoint. */
  url: string
  token: string
  signal?: AbortSignal
}

export interface Call extends Server {
  tool: string
  arguments: Record<string, unknown>
}

/** Connects as an MCP client does, with the official SDK, for as long as `use` takes. */
async function connected<Result> ({ url, token, signal = never }: Server, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ name: 'demo', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } }
  }), { signal })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

const texts = z.array(z.object({ text: z.string().optional() }))

/**
 * Calls a tool and gives what it answers in structured form.
 * @throws {DemoFailure} with the tool's own words where it fails
 */
export async function callTool ({ tool, arguments: given, ...server }: Call): Promise<unknown> {
  const { signal = never } = server
  return await connected(server, async (client) => {
    const { isError, content, structuredContent } = await client.callTool({ name: tool, arguments: given }, undefined, { signal })
    if (isError === true) {
      throw new DemoFailure(`The call of ${tool} failed: ${texts.parse(content).map(({ text }) => text ?? '').join('\n')}`)
    }
    return structuredContent
  })
}

/** Names of the tools that the server lists. */
export async function toolNames (server: Server): Promise<string[]> {
  const { signal = never } = server
  return await connected(server, async (client) => (await client.listTools(undefined, { signal })).tools.map(({ name }) => name))
}
