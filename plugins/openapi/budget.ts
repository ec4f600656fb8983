import type { GeneratedTool } from './generated.ts'
import { listTokens } from './tokens.ts'

/** What is listed where nobody has said: a model chooses worse among more tools, and pays for every token in every call. */
const defaults = { tokens: 10_000, tools: 40 } as const

/**
 * Whether tools are listed, or searched for being too many.
 * @param budget tokens that they may take; then their number does not count
 */
export function isListed (tools: readonly GeneratedTool[], budget?: number): boolean {
  if (budget === undefined && tools.length > defaults.tools) return false
  return listTokens(tools) <= (budget ?? defaults.tokens)
}
