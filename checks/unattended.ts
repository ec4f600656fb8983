/**
 * The same promise, with its failure taken for seen: whoever waits for it gets it, and where nobody does it ends no
 * process. For what is handed to tools, which may start several things and wait for the first only.
 */
export function unattended<Value> (promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined)
  return promise
}
