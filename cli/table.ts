import type { Skipped } from '../plugins/openapi/operation.ts'
import type { Listing } from './listing.ts'

export interface Row {
  readonly listing: Listing
  readonly tokens: number
  readonly operation: string
}

/** Operations that are named for one reason. */
const named = 5

const count = (value: number): string => value.toLocaleString('en-US')

function columns (rows: ReadonlyArray<readonly [string, string, string]>): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map(([tokens, name, operation]) => `${tokens.padStart(widths[0] ?? 0)}  ${name.padEnd(widths[1] ?? 0)}  ${operation}`.trimEnd()).join('\n')
}

function left (skipped: readonly Skipped[]): string {
  return [...Map.groupBy(skipped, ({ reason }) => reason)]
    .map(([reason, entries]) => `${entries.length} left out: ${reason}\n${entries.slice(0, named).map(({ operation }) => `  ${operation}\n`).join('')}${entries.length > named ? `  and ${entries.length - named} more\n` : ''}`)
    .join('')
}

/** Tools with what each costs, what is left out and why, and the sum beside that of a list that copies the document. */
export function table (rows: readonly Row[], skipped: readonly Skipped[], tokens: { list: number, naive: number }): string {
  const body = rows.length === 0 ? 'No tools.' : columns([['tokens', 'tool', 'operation'], ...rows.map(({ listing, tokens, operation }) => [count(tokens), listing.name, operation] as const)])
  const share = tokens.naive === 0 ? '' : `, ${Math.round(tokens.list / tokens.naive * 100)} % of the ${count(tokens.naive)} of a list that copies the document`
  return `${body}\n\n${left(skipped)}${rows.length} ${rows.length === 1 ? 'tool costs' : 'tools cost'} about ${count(tokens.list)} tokens${share}.\n`
}
