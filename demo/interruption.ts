/** A signal that is never aborted, for callers that do not interrupt. */
export const never = new AbortController().signal

/** Names of the signals that ask a process to end, Ctrl-C and a closed terminal among them. */
const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Milliseconds in which a signal counts as the same request: npm passes on what the terminal has sent to everyone. */
const sameRequest = 500

/** Milliseconds between two looks at the parent. */
const lookInterval = 500

/**
 * Calls back when the parent is gone, where npm has started this process: a SIGTERM to npm ends the shell in between,
 * which does not pass it on. Started otherwise, a process may well outlive its parent.
 */
function onOrphaned (callback: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    callback()
  }, lookInterval)
  timer.unref()
}

/** Aborts when the process is asked to end, or npm that runs it is gone. Asked again, the process ends at once. */
export function interruption (): AbortSignal {
  const controller = new AbortController()
  let askedAt: number | undefined
  for (const name of names) {
    process.on(name, () => {
      askedAt ??= performance.now()
      if (!controller.signal.aborted) controller.abort()
      else if (performance.now() - askedAt > sameRequest) process.exit(130)
    })
  }
  onOrphaned(() => { controller.abort() })
  return controller.signal
}

/** Resolves when `signal` is aborted. */
export async function aborted (signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }, { once: true }) })
}
