/*
 * Lists are the same for many callers and change seldom, but can be large: writing the entries of a big API as JSON
 * costs ten times what sending them does. So a list is written once. The SDKs take objects only; what they get is an
 * empty array that stands for the list, and its bytes are put in its place when the answer leaves.
 */

const standIns = new WeakMap<readonly unknown[], never[]>()
const bytesOf = new WeakMap<readonly unknown[], Buffer>()

/** An empty array for a result, in place of a list that never changes; `jsonParts` puts the list there. */
export function serializedOnce (list: readonly unknown[]): never[] {
  let standIn = standIns.get(list)
  if (standIn === undefined) {
    standIn = []
    standIns.set(list, standIn)
    bytesOf.set(standIn, Buffer.from(JSON.stringify(list)))
  }
  return standIn
}

/** A message as JSON, in parts that follow each other. */
export function jsonParts (message: { result?: object }): ReadonlyArray<string | Buffer> {
  const json = JSON.stringify(message)
  for (const [name, value] of Object.entries(message.result ?? {})) {
    const bytes = Array.isArray(value) ? bytesOf.get(value) : undefined
    if (bytes === undefined) continue
    // Found nowhere but there: a text inside JSON has its quotation marks escaped.
    const place = json.indexOf(`"${name}":[]`) + name.length + 3
    return [json.slice(0, place), bytes, json.slice(place + 2)]
  }
  return [json]
}
