/**
 * Calls back whenever a signal comes, until the function that is returned is called. Whoever has handled the signal
 * does not hear it any more: fastify-cli and close-with-grace end the process on every one that they know.
 */
export function takeOver (signal: NodeJS.Signals, callback: () => void): () => void {
  process.removeAllListeners(signal)
  process.on(signal, callback)
  return () => { process.off(signal, callback) }
}
