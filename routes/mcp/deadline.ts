import { CallError } from '../../errors.ts'

function cancelled (): CallError {
  return new CallError('cancelled', 'The call was cancelled.')
}

/**
 * Runs something that may take `seconds` at most and ends with `signal`. What runs gets a signal that is aborted in
 * both cases; what does not heed it is not waited for.
 * @throws {CallError} `timeout` or `cancelled`, and whatever `run` throws
 */
export async function withDeadline<Result> (seconds: number, signal: AbortSignal, run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  // Nobody would be told of it any more.
  if (signal.aborted) throw cancelled()
  const ending = new AbortController()
  return await new Promise<Result>((resolve, reject) => {
    const end = (error: CallError): void => {
      settle()
      reject(error)
      ending.abort()
    }
    const cancel = (): void => { end(cancelled()) }
    const timer = setTimeout(() => { end(new CallError('timeout', `This took longer than ${seconds} seconds and was ended.`)) }, seconds * 1000)
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
    }
    signal.addEventListener('abort', cancel, { once: true })
    run(ending.signal).then(resolve, reject).finally(settle)
  })
}
