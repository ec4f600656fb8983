import type { Call } from './leg.ts'
import { withConfirmations } from './confirmation.ts'
import { pageOf } from './pages.ts'
import { serializedOnce } from './serialized-list.ts'

/*
 * Pages of what a caller may use, as the list methods of both eras give them (server/utilities/pagination). All throw a
 * `ProtocolError` for a cursor that is none of ours.
 */

function listPage<Entry> (entries: readonly Entry[], keyOf: (entry: Entry) => string, { request }: Call, cursor: string | undefined): { entries: never[], nextCursor?: string } {
  const { page, ...next } = pageOf(entries, keyOf, cursor, request.id)
  return { entries: serializedOnce(page), ...next }
}

/** `tools/list`, and for older clients with the argument by which an answer of the user's comes back. */
export function toolsPage (call: Call, cursor: string | undefined, confirmations: boolean) {
  const { app: { catalog }, principal } = call
  const listings = catalog.toolListings(principal)
  const { entries, ...next } = listPage(confirmations ? withConfirmations(listings, (name) => catalog.tool(name)?.asks === true) : listings, ({ name }) => name, call, cursor)
  return { tools: entries, ...next }
}

/** `resources/list`. */
export function resourcesPage (call: Call, cursor: string | undefined) {
  const { entries, ...next } = listPage(call.app.catalog.resourceListings(call.principal), ({ uri }) => uri, call, cursor)
  return { resources: entries, ...next }
}

/** `resources/templates/list`. */
export function templatesPage (call: Call, cursor: string | undefined) {
  const { entries, ...next } = listPage(call.app.catalog.templateListings(call.principal), ({ uriTemplate }) => uriTemplate, call, cursor)
  return { resourceTemplates: entries, ...next }
}

/** `prompts/list`. */
export function promptsPage (call: Call, cursor: string | undefined) {
  const { entries, ...next } = listPage(call.app.catalog.promptListings(call.principal), ({ name }) => name, call, cursor)
  return { prompts: entries, ...next }
}
