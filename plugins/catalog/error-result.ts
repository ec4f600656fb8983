import { CallError, errorKinds, type ErrorKind } from '../../errors.ts'
import { cleanText } from './text.ts'

/** What a model can do about each kind of error. */
const advice: Record<ErrorKind, string> = {
  invalid_input: 'Correct the arguments and call again.',
  not_found: 'Check the identifier; the same call will not find it.',
  forbidden: 'The same call will be refused again.',
  conflict: 'Read the current state before trying again.',
  throttled: 'Wait before calling again.',
  unavailable: 'Try again later.',
  timeout: 'Try again later, or ask for less.',
  bad_response: 'The same call is unlikely to fare better.',
  cancelled: 'Nothing was returned.',
  internal: 'The same call is unlikely to fare better.'
}

/** Also one of another copy of this package, which a tool may have imported. */
function isCallError (error: unknown): error is CallError {
  return error instanceof CallError || (
    error instanceof Error && error.name === 'CallError' && 'kind' in error && errorKinds.some((kind) => kind === error.kind) &&
    'problems' in error && Array.isArray(error.problems)
  )
}

/** The error as one of ours; anything that was not made to be shown loses its text. */
export function asCallError (error: unknown): CallError {
  return isCallError(error) ? error : new CallError('internal', 'The server failed to do this.', { cause: error })
}

/** An error in words that a model can act on: what is wrong, argument by argument, what to do, the API's status and the correlation id. */
export function errorText (error: CallError, correlationId: string): string {
  const problems = error.problems.map(({ path, message }) => path === '' ? `- ${message}` : `- ${path}: ${message}`)
  const next = error.retryAfter === undefined
    ? advice[error.kind]
    : `Wait ${error.retryAfter} ${error.retryAfter === 1 ? 'second' : 'seconds'} before calling again.`
  const status = error.status === undefined ? [] : [`Status of the API's answer: ${error.status}`]
  return cleanText([error.message, ...problems, next, ...status, `Correlation id: ${correlationId}`].join('\n'))
}
