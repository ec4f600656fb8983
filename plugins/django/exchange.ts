import type { Duplex } from 'node:stream'
import { RequestError, TimeoutError, type Got } from 'got'
import { CallError } from '../../errors.ts'
import type { Answer } from './answer.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ExchangeOptions {
  method: Method
  headers: Record<string, string>
  body: string | Uint8Array | undefined
  signal: AbortSignal | undefined
  /** Milliseconds for the whole exchange. */
  timeout: number
  /** Bytes above which an answer is refused. */
  maxBytes: number
}

/** No complete answer came, or none that may be read. `error` is what the call fails with unless it is tried again. */
export class ExchangeFailed extends Error {
  override readonly name = 'ExchangeFailed'
  readonly error: CallError
  /** Whether another attempt could fare better. */
  readonly transient: boolean

  constructor (error: CallError, transient: boolean) {
    super(error.message, { cause: error })
    this.error = error
    this.transient = transient
  }
}

function failureOf (error: unknown): ExchangeFailed {
  // got wraps what its stream was destroyed with.
  const cause = error instanceof RequestError ? error.cause : error
  if (cause instanceof ExchangeFailed) return cause
  if (error instanceof TimeoutError) return new ExchangeFailed(new CallError('timeout', 'The API did not answer in time.', { cause: error }), true)
  // The rest is no fault of the network's: a header that cannot be sent, for one.
  const transient = error instanceof RequestError && error.code !== 'ERR_INVALID_CHAR' && error.code !== 'ERR_GOT_REQUEST_ERROR'
  return transient
    ? new ExchangeFailed(new CallError('unavailable', 'The API cannot be reached.', { cause: error }), true)
    : new ExchangeFailed(new CallError('internal', 'The request could not be made.', { cause: error }), false)
}

function refusal (message: string, status: number): ExchangeFailed {
  return new ExchangeFailed(new CallError('bad_response', message, { status }), false)
}

function cancelled (): ExchangeFailed {
  return new ExchangeFailed(new CallError('cancelled', 'The call was cancelled.'), false)
}

/**
 * One request and its answer, read up to a size. The stream is read by hand: it costs less than got's promise,
 * and an answer that is too long can be cut off while it comes.
 * @throws {ExchangeFailed}
 */
export async function exchange (http: Got, url: string, { method, headers, body, signal, timeout, maxBytes }: ExchangeOptions): Promise<Answer> {
  if (signal?.aborted === true) throw cancelled()
  let cancel: (() => void) | undefined
  try {
    return await new Promise((resolve, reject) => {
      const fail = (error: unknown): void => { reject(failureOf(error)) }
      try {
        const stream = http.stream(url, { method, headers, timeout: { request: timeout }, ...(body === undefined ? {} : { body }) })
        const chunks: Buffer[] = []
        let size = 0
        let status = 0
        let answerHeaders: Answer['headers'] = {}

        // Not left to got, where a signal costs as much as a tenth of the request.
        cancel = () => {
          const failure = cancelled()
          stream.destroy(failure)
          reject(failure)
        }
        signal?.addEventListener('abort', cancel, { once: true })
        stream.once('response', ({ statusCode, headers }) => {
          status = statusCode
          answerHeaders = headers
          const encoding = headers['content-encoding'] ?? 'identity'
          // We asked for none. A small compressed body can be a huge one, so it is not even opened.
          if (encoding !== 'identity') stream.destroy(refusal('The API answered with an encoding that was not asked for.', status))
          else if (Number(headers['content-length'] ?? 0) > maxBytes) stream.destroy(refusal('The answer of the API is too large.', status))
        })
        // We asked for none. got hands the connection over, and nobody else would ever close it.
        stream.once('upgrade', ({ statusCode }: { statusCode: number }, socket: Duplex) => {
          socket.destroy()
          stream.destroy(refusal('The API answered with a protocol that was not asked for.', statusCode))
        })
        stream.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxBytes) stream.destroy(refusal('The answer of the API is too large.', status))
          else chunks.push(chunk)
        })
        stream.once('end', () => { resolve({ status, headers: answerHeaders, body: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) }) })
        stream.on('error', fail)
        // got's stream waits to be written to where a body is possible and none was given.
        if (body === undefined && method !== 'GET') stream.end()
      } catch (error) {
        fail(error)
      }
    })
  } finally {
    if (cancel !== undefined) signal?.removeEventListener('abort', cancel)
  }
}
