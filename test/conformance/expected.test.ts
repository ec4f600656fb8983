import t from 'tap'
import { judge, readExpected, strays } from './expected.ts'
import type { Checks } from './suite.ts'

/** What is different, and the reasons of what may be. */
function outcome (checks: Checks | undefined, entries: Record<string, string> = {}) {
  const { passed, reasons, differences } = judge('s', checks, new Map(Object.entries(entries)))
  return { passed, reasons, differences }
}

const good: Checks = [{ id: 'a', status: 'SUCCESS' }, { id: 'b', status: 'INFO' }]
const bad: Checks = [{ id: 'a', status: 'SUCCESS' }, { id: 'b', status: 'FAILURE', errorMessage: 'it broke' }]
const warned: Checks = [{ id: 'a', status: 'SUCCESS' }, { id: 'b', status: 'WARNING', errorMessage: 'it could be better' }]

t.test('what fails or warns, and what does not run, has to be expected', async (t) => {
  t.strictSame(outcome(good), { passed: true, reasons: [], differences: [] })
  t.strictSame(outcome(bad), { passed: false, reasons: [], differences: ['failure of b: it broke'] })
  t.strictSame(outcome(warned), { passed: true, reasons: [], differences: ['warning of b: it could be better'] })
  t.strictSame(outcome(undefined), { passed: false, reasons: [], differences: ['it did not run'] })
  t.match(judge('s', bad, new Map()), { scenario: 's', successes: 1, failures: 1, warnings: 0 })
})

t.test('an expectation is about a scenario or about one check of it', async (t) => {
  t.strictSame(outcome(bad, { s: 'because' }), { passed: false, reasons: ['because'], differences: [] })
  t.strictSame(outcome(bad, { 's:b': 'because' }), { passed: false, reasons: ['because'], differences: [] })
  t.strictSame(outcome(warned, { 's:b': 'because' }), { passed: true, reasons: ['because'], differences: [] })
  t.strictSame(outcome(bad, { 's-longer': 'because' }), { passed: false, reasons: [], differences: ['failure of b: it broke'] })
  t.strictSame(outcome([...bad, { id: 'c', status: 'FAILURE' }], { 's:b': 'because' }).differences, ['failure of c: no message'])
})

t.test('an expectation that is not met any more is a difference', async (t) => {
  t.strictSame(outcome(good, { s: 'because' }), { passed: true, reasons: [], differences: ['s is expected to fail and does not'] })
  t.strictSame(outcome(warned, { s: 'because' }).differences, ['s is expected to fail and does not'], 'a warning is no failure')
  t.strictSame(outcome(bad, { 's:b': 'because', 's:c': 'because' }).differences, ['s:c is expected to fail and does not'])
  t.strictSame(strays(new Map([['s', ''], ['s:a', ''], ['other', ''], ['other:a', '']]), ['s']), ['other', 'other:a'])
})

t.test('every expectation has its reason', async (t) => {
  const expected = await readExpected()
  t.strictSame([...expected.keys()], ['2026-07-28', '2025-11-25'])
  for (const [revision, entries] of expected) for (const [entry, reason] of entries) t.match(reason, /^[A-Z].{30,}\.$/, `${revision} ${entry}`)
})
