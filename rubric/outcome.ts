/** What a check has found in one document. */
export interface Outcome {
  /** How many of what were looked at: `277 tools`. */
  readonly checked: string
  readonly problems: readonly string[]
}

/** Collects what a check finds. */
export class Findings {
  readonly #problems: string[] = []
  #count = 0

  /** Counts one more thing that was looked at. */
  look (): void {
    this.#count += 1
  }

  problem (...problems: readonly string[]): void {
    this.#problems.push(...problems)
  }

  /** Counts one more, and a problem where it is not so. */
  expect (holds: boolean, problem: string): void {
    this.#count += 1
    if (!holds) this.#problems.push(problem)
  }

  outcome (unit: string): Outcome {
    return { checked: this.#count === 0 ? 'nothing to check' : `${this.#count} ${unit}`, problems: this.#problems }
  }
}
