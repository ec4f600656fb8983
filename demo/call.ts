import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { z } from 'zod'
import { DemoFailure } from './failure.ts'
import { never } from './interruption.ts'

export interface Call {
  /** URL of the MCP endpoint. */
  url: string
  token: string
  tool: string
  arguments: Record<string, unknown>
  signal?: AbortSignal
}

const texts = z.array(z.object({ text: z.string().optional() }))

/**
 * Calls a tool as an MCP client does, with the official SDK, and gives what the tool answers in structured form.
 * @throws {DemoFailure} with the tool's own words where it fails
 */
export async function callTool ({ url, token, tool, arguments: given, signal = never }: Call): Promise<unknown> {
  const client = new Client({ name: 'demo', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } }
  }), { signal })
  try {
    const { isError, content, structuredContent } = await client.callTool({ name: tool, arguments: given }, undefined, { signal })
    if (isError === true) {
      throw new DemoFailure(`The call of ${tool} failed: ${texts.parse(content).map(({ text }) => text ?? '').join('\n')}`)
    }
    return structuredContent
  } finally {
    await client.close()
  }
}
