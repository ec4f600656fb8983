/**
 * How often a field stands in the head of a request. Node gives the first of some fields and joins others, so that only
 * the raw head tells.
 * @param rawHeaders names and values in turn, as `http.IncomingMessage` has them
 * @param name in small letters
 */
export function fieldCount (rawHeaders: readonly string[], name: string): number {
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const field = rawHeaders[index]
    if (field?.length === name.length && field.toLowerCase() === name) found += 1
  }
  return found
}
