/** An error as it stands in a log line. */
export interface LoggedException {
  type: string
  message: string
  stack?: string
  code?: string
  cause?: LoggedException
}

/** Causes of causes that are followed at most. */
const maxDepth = 5

/**
 * The parts of an error that are known to be harmless. Others are left out, not masked: HTTP clients hang whole
 * requests on their errors, with credentials in the headers.
 */
export function loggedException (error: unknown, depth = 0): LoggedException {
  if (!(error instanceof Error)) return { type: typeof error, message: typeof error === 'string' ? error : 'something that is no Error was thrown' }
  return {
    type: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error.cause === undefined || depth === maxDepth ? {} : { cause: loggedException(error.cause, depth + 1) })
  }
}
