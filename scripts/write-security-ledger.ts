import { readFileSync } from 'node:fs'
import { between, cell, pathOf, runWhereMain, type Generated } from './generated.ts'
import { attacks } from './ledger/attacks.ts'
import { authorization, notOurs } from './ledger/authorization.ts'
import { proofs, type Proof } from './ledger/proofs.ts'
import { requirements } from './ledger/requirements.ts'

function table (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function rows (kind: string, entries: Readonly<Record<number, string | readonly string[]>>, byTag: ReadonlyMap<string, readonly Proof[]>): string[][] {
  return Object.entries(entries).map(([number, entry]) => {
    const found = byTag.get(`${kind} ${number}`) ?? []
    return [number].concat(entry, found.length === 0 ? '–' : found.map(({ title, file }) => `[${title}](../${file})`).join('<br>'))
  })
}

/** The ledger in Markdown. */
export function ledger (found: readonly Proof[]): string {
  const byTag = new Map<string, Proof[]>()
  for (const proof of found) for (const tag of proof.tags) byTag.set(tag, [...byTag.get(tag) ?? [], proof])
  return [
    '### Requirements',
    table(['No.', 'What holds', 'Tests'], rows('requirement', requirements, byTag)),
    '### Attacks',
    table(['No.', 'Attempt', 'Outcome', 'Tests'], rows('attack', attacks, byTag)),
    '### MCP authorization specification, revision 2026-07-28',
    table(['No.', 'Level', 'Section', 'Rule', 'Tests'], rows('authorization', authorization, byTag)),
    'These rules bind others:',
    table(['Section', 'Rule', 'Why not here'], notOurs)
  ].join('\n\n')
}

/** The page about security. */
export function generated (): Generated[] {
  const path = pathOf('docs/security.md')
  const current = readFileSync(path, 'utf8')
  return [{ path, current, wanted: between(current, 'ledger', ledger(proofs())) }]
}

runWhereMain(import.meta.url, generated)
