import type { Tool } from '../plugins/catalog/index.ts'
import type { GeneratedTool } from '../plugins/openapi/generated.ts'
import { searchTools } from '../plugins/openapi/search/tools.ts'

export type Listing = Tool['listing']

/** The entry of `tools/list`, with what it costs a model left to the caller. */
function listingOf ({ name, title, description, inputSchema, outputSchema, annotations }: GeneratedTool): Listing {
  return { name, inputSchema: { ...inputSchema }, ...title === undefined ? {} : { title }, description, annotations, ...outputSchema === undefined ? {} : { outputSchema } }
}

/** A tool that is only listed: nothing calls it here. */
function listedOnly (generated: GeneratedTool): Tool {
  return {
    name: generated.name,
    scopes: generated.scopes,
    listing: listingOf(generated),
    cleaned: false,
    cost: 1,
    asks: generated.confirm !== undefined,
    parameterHeaders: [],
    task: undefined,
    call: async () => { throw new Error('there is no server') }
  }
}

/** What a server would list: the tools, or those that search them. */
export function listings (tools: readonly GeneratedTool[], mode: 'list' | 'search'): Listing[] {
  const listed = mode === 'list' ? tools.map(listedOnly) : searchTools(tools.map((generated) => ({ generated, tool: listedOnly(generated) })))
  return listed.map(({ listing }) => listing)
}
