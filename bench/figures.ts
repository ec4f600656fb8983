/** One number of each round. */
export class Figure {
  readonly #values: readonly number[]

  constructor (values: readonly number[]) {
    this.#values = values.toSorted((left, right) => left - right)
  }

  get median (): number {
    const middle = this.#values.length / 2
    return ((this.#values[Math.ceil(middle) - 1] ?? NaN) + (this.#values[Math.floor(middle)] ?? NaN)) / 2
  }

  /** The median, and between which values the rounds lie. */
  show (digits: number): string {
    const [least, most] = [this.#values[0] ?? NaN, this.#values.at(-1) ?? NaN]
    return `${this.median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
  }
}

/** A value of a sorted list that a share of it lies below. */
export function percentile (sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

/** Rows below each other, the first of them a head. */
export function table (rows: ReadonlyArray<readonly string[]>): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)).join('  ')).join('\n')
}
