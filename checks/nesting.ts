const quote = 0x22
const backslash = 0x5c

/** Whether a JSON text has more levels of lists and objects inside each other; whether it is JSON is not asked. */
export function nestsDeeperThan (bytes: Uint8Array, levels: number): boolean {
  let depth = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (byte === quote) {
      index += 1
      while (index < bytes.length && bytes[index] !== quote) index += bytes[index] === backslash ? 2 : 1
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1
      if (depth > levels) return true
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1
    }
  }
  return false
}
