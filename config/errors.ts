import { masked, quoted } from '../checks/quoted.ts'
import type { Documentation } from './documentation.ts'

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  variable: string
  message: string
}

/** Names every wrong variable at once; the message is made to be read on a terminal. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor (problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable}: ${message}`)
    super(`Configuration is not valid (${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}):\n${lines.join('\n')}\nEvery variable is described in .env.example.`)
    this.problems = problems
  }
}

/** What was given for a variable, as far as it may be shown. */
export function shown ({ secret }: Documentation, value: unknown): string {
  if (value === undefined) return 'not set'
  const printed = typeof value === 'string' ? value : JSON.stringify(value)
  return `given ${secret === true ? masked(printed) : quoted(printed)}`
}
