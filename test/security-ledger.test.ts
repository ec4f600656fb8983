import t from 'tap'
import { entries } from '../scripts/ledger/entries.ts'
import { proofOf, proofs, titlesIn } from '../scripts/ledger/proofs.ts'
import { generated } from '../scripts/write-security-ledger.ts'

t.test('[requirement 42] every entry of the ledger has a test, and every tag an entry', async (t) => {
  const tags = new Set(proofs().flatMap(({ tags }) => tags))
  t.strictSame([...entries.keys()].filter((name) => !tags.has(name)), [], 'entries without a test')
  t.strictSame([...tags].filter((name) => !entries.has(name)), [], 'tags without an entry')
  t.equal(entries.size, 42 + 95 + 36)
})

t.test('[requirement 42] docs/security.md is up to date: otherwise npm run docs', async (t) => {
  for (const { path, current, wanted } of generated()) t.equal(current, wanted, path)
})

t.test('titles are found however they are quoted, and comments in programs', async (t) => {
  // Not written out, or this file would be read as a proof.
  const attack = '[attack'
  const text = [
    `t.test('${attack} 1] it\\'s refused', async (t) => {})`,
    `t.test(\`${attack} 2] \${name}: refused\`, async (t) => {})`,
    `  // ${attack} 3] what is checked`,
    `# ${attack} 4] so it is in Python`,
    `const other = '${attack} 5] no title'`
  ].join('\n')
  t.strictSame(titlesIn(text), ["[attack 1] it's refused", '[attack 2] …: refused', '[attack 3] what is checked', '[attack 4] so it is in Python'])
  t.strictSame(proofOf('a.ts', '[attack 1] [requirement 2] refused'), { file: 'a.ts', title: 'refused', tags: ['attack 1', 'requirement 2'] })
  t.equal(proofOf('a.ts', 'attack 1: refused'), undefined)
})
