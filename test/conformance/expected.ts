import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Checks } from './suite.ts'

/** What may fail in a revision, with the reason: a scenario, or one check of it as `scenario:check`. */
export type Expected = ReadonlyMap<string, string>

/** The entries that are about none of the scenarios: misspelt, or left over. */
export function strays (expected: Expected, scenarios: readonly string[]): string[] {
  return [...expected.keys()].filter((key) => !scenarios.includes(key.split(':', 1).join()))
}

const shape = z.record(z.string(), z.record(z.string(), z.string()).nullable())

/** Reads `expected-failures.yaml`; gives what may fail by revision. */
export async function readExpected (): Promise<ReadonlyMap<string, Expected>> {
  const file = shape.parse(parse(await readFile(new URL('expected-failures.yaml', import.meta.url), 'utf8')))
  return new Map(Object.entries(file).map(([revision, reasons]) => [revision, new Map(Object.entries(reasons ?? {}))]))
}

/** How a scenario went. */
export interface Verdict {
  scenario: string
  /** Whether no check failed. Warnings are about what the specification recommends. */
  passed: boolean
  successes: number
  failures: number
  warnings: number
  /** Reasons of what failed as expected. */
  reasons: string[]
  /** What is not as expected; empty where everything is. */
  differences: string[]
}

/** Compares the checks of a scenario with what is expected of them; undefined stands for a scenario that has no result. */
export function judge (scenario: string, checks: Checks | undefined, expected: Expected): Verdict {
  const entries = new Set([...expected.keys()].filter((key) => key === scenario || key.startsWith(`${scenario}:`)))
  const reasons = new Set<string>()
  const differences = checks === undefined ? ['it did not run'] : []
  const unused = new Set(entries)
  for (const { id, status, errorMessage = 'no message' } of checks ?? []) {
    if (status !== 'FAILURE' && status !== 'WARNING') continue
    const entry = [`${scenario}:${id}`, scenario].find((key) => entries.has(key))
    if (entry === undefined) {
      differences.push(`${status === 'FAILURE' ? 'failure' : 'warning'} of ${id}: ${errorMessage}`)
    } else {
      // That a whole scenario is expected to fail says more than that it warns.
      if (status === 'FAILURE' || entry !== scenario) unused.delete(entry)
      reasons.add(expected.get(entry) ?? '')
    }
  }
  for (const entry of unused) differences.push(`${entry} is expected to fail and does not`)
  const count = (wanted: Checks[number]['status']): number => checks?.filter(({ status }) => status === wanted).length ?? 0
  const failures = count('FAILURE')
  return {
    scenario,
    passed: checks !== undefined && failures === 0,
    successes: count('SUCCESS'),
    failures,
    warnings: count('WARNING'),
    reasons: [...reasons],
    differences
  }
}
