import type { GeneratedTool } from './generated.ts'
import { listTokens, shownToModels } from './tokens.ts'

/** What is listed where nobody has said: a model chooses worse among more tools, and pays for every token in every call. */
const defaults = { tokens: 10_000, tools: 40 } as const

/** Bytes of one tool as JSON: of a larger one, a model that wants something else reads thousands of tokens each time. */
const largestTool = 8192

function isLarge (tool: GeneratedTool): boolean {
  return Buffer.byteLength(shownToModels(tool)) > largestTool
}

/**
 * Whether tools are listed, or searched for being too many.
 * @param budget tokens that they may take; then their number and the size of each do not count
 */
export function isListed (tools: readonly GeneratedTool[], budget?: number): boolean {
  if (budget === undefined && (tools.length > defaults.tools || tools.some(isLarge))) return false
  return listTokens(tools) <= (budget ?? defaults.tokens)
}
