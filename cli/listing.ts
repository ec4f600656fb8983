import { compileTool, type Tool } from '../plugins/catalog/index.ts'
import { toolDefinition } from '../plugins/openapi/call/definition.ts'
import type { GeneratedTool } from '../plugins/openapi/generated.ts'
import { searchTools } from '../plugins/openapi/search/tools.ts'

export type Listing = Tool['listing']

/** What a server would list: the tools, or those that search them. */
export function listings (tools: readonly GeneratedTool[], mode: 'list' | 'search'): Listing[] {
  const operations = tools.map((generated) => ({ generated, tool: compileTool(toolDefinition(generated), 'when called') }))
  const listed = mode === 'list' ? operations.map(({ tool }) => tool) : searchTools(operations)
  return listed.map(({ listing }) => listing)
}
