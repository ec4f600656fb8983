export interface ShapeLimits {
  /** Levels of objects and lists inside each other. */
  readonly maxDepth: number
  /** Values in lists and objects, all together. */
  readonly maxValues?: number
  /** Bytes of one text as it is written. */
  readonly maxText?: number
}

/** What is wrong with the shape of a body of JSON, or undefined. One pass over its bytes; whether it is JSON is not asked. */
export function shapeProblem (bytes: Uint8Array, { maxDepth, maxValues = Infinity, maxText = Infinity }: ShapeLimits): string | undefined {
  const { length } = bytes
  let depth = 0
  let values = 0
  let index = 0
  while (index < length) {
    switch (bytes[index] ?? 0) {
      case 0x22: { // "
        const start = index
        index += 1
        while (index < length && bytes[index] !== 0x22) index += bytes[index] === 0x5c ? 2 : 1
        if (index - start > maxText) return `a text in the body is longer than ${maxText} bytes`
        break
      }
      case 0x5b: // [
      case 0x7b: // {
        depth += 1
        if (depth > maxDepth) return `the body is nested more than ${maxDepth} levels deep`
        values += 1
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1
        break
      case 0x2c: // ,
        values += 1
        break
      default:
    }
    if (values > maxValues) return `the body has more than ${maxValues} values`
    index += 1
  }
  return undefined
}
