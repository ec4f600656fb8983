import { createHash } from 'node:crypto'
import type { GeneratedTool } from './generated.ts'

/** What a new document changes, by the names of tools. */
export interface Drift {
  added: string[]
  removed: string[]
  changed: string[]
}

/** A digest of each tool by its name, over what a list shows and what a call sends. */
export function digestsOf (tools: readonly GeneratedTool[]): ReadonlyMap<string, string> {
  return new Map(tools.map(({ operation: { key, summary, tags }, ...tool }) => (
    [tool.name, createHash('sha256').update(JSON.stringify({ key, summary, tags, ...tool })).digest('base64')]
  )))
}

export function driftBetween (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Drift {
  const names = [...after.keys()]
  return {
    added: names.filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name))
  }
}
