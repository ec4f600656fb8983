import { CallError } from '../../errors.ts'

/**
 * Runs something that may take `seconds` at most and ends with `signal`. What runs gets a signal that is aborted in
 * both cases; what does not heed it is not waited for.
 * @throws {CallError} `timeout` or `cancelled`, and whatever `run` throws
 */
export async function withDeadline<Result> (seconds: number, signal: AbortSignal, run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const ending = new AbortController()
  return await new Promise<Result>((resolve, reject) => {
    const end = (error: CallError): void => {
      reject(error)
      ending.abort()
    }
    const cancel = (): void => { end(new CallError('cancelled', 'The call was cancelled.')) }
    const timer = setTimeout(() => { end(new CallError('timeout', `This took longer than ${seconds} seconds and was ended.`)) }, seconds * 1000)
    signal.addEventListener('abort', cancel, { once: true })
    run(ending.signal).then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
    })
  })
}
