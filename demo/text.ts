import { z } from 'zod'

/** What runs, and where. */
export interface Running {
  djangoUrl: string
  djangoPid: number
  /** Where Django's log goes, where it is kept. */
  djangoLog?: string | undefined
  /** URL of the MCP server, without `/mcp`. */
  mcpUrl: string
}

/** Which addresses answer what. */
export function addresses ({ djangoUrl, djangoPid, djangoLog, mcpUrl }: Running): string {
  const rows = [
    ['MCP server', `${mcpUrl}/mcp`],
    ['  health', `${mcpUrl}/health`],
    ['  metrics', `${mcpUrl}/metrics`],
    ['Django', `${djangoUrl} (process ${djangoPid})`],
    ...(djangoLog === undefined ? [] : [['  log', djangoLog]])
  ]
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)}${value}`).join('\n')
}

/** What makes an MCP client use the server. */
export function snippets (mcpUrl: string, token: string): string {
  const name = 'django-demo'
  const url = `${mcpUrl}/mcp`
  const authorization = `Bearer ${token}`
  const configuration = { mcpServers: { [name]: { type: 'http', url, headers: { Authorization: authorization } } } }
  return `Token, valid for 24 hours or until the demo ends:

${token}

An MCP client that reads a configuration file (mcp.json) is told:

${JSON.stringify(configuration, null, 2)}

Claude Code is told:

claude mcp add --transport http ${name} ${url} --header "Authorization: ${authorization}"`
}

const opportunities = z.object({
  count: z.int(),
  total: z.int(),
  opportunities: z.array(z.object({ id: z.int(), name: z.string(), client: z.string().nullable(), value: z.string().nullable(), stage: z.string().nullable() }))
})

/** A table with columns as wide as their longest cell. */
function table (rows: ReadonlyArray<readonly string[]>): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

/** The answer of `get_opportunities` as a table. */
export function opportunityTable (answer: unknown): string {
  const { count, total, opportunities: found } = opportunities.parse(answer)
  const rows = found.map(({ id, name, client, value, stage }) => [String(id), name, client ?? '-', value ?? '-', stage ?? '-'])
  return `${table([['id', 'name', 'client', 'value', 'stage'], ...rows])}\n${count} of ${total} opportunities`
}

/** Tools of the server that a file in a folder defines. */
const written = new Set(['delete_opportunity', 'get_opportunities', 'pipeline_report'])

/** Which tools are there, and where they come from. */
export function toolLists (names: readonly string[]): string {
  const byHand = names.filter((name) => written.has(name))
  const generated = names.filter((name) => !written.has(name))
  return [
    `${byHand.length} tools are written by hand: ${byHand.join(', ')}.`,
    `${generated.length} tools come from the OpenAPI document that Django serves at /api/schema/:`,
    ...wrapped(generated.join(', '))
  ].join('\n')
}

/** Lines of at most 100 characters, set in. */
function wrapped (text: string): string[] {
  return text.match(/.{1,98}(?:, |$)/g)?.map((line) => `  ${line.trimEnd()}`) ?? []
}
