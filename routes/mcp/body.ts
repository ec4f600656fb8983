import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fieldCount } from '../../checks/fields.ts'
import { shapeProblem } from '../../checks/json-shape.ts'
import { errorCodes } from './protocol-error.ts'

/*
 * Bodies are looked at before they are parsed: what follows, from schemas to canonical JSON, goes through them by
 * recursion or holds several copies, and must not meet a body that was made to break that.
 */

/** What a body may be; one text may be a file of half a megabyte in base64, and some. */
export const bodyLimits = { maxDepth: 64, maxValues: 100_000, maxText: 786_432 } as const

/** A body that is refused, with what the client is told. `statusCode` makes Fastify answer with it. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly statusCode: number
  readonly code: number

  constructor (statusCode: number, code: number, message: string) {
    super(message)
    this.statusCode = statusCode
    this.code = code
  }
}

/** Makes the scope take JSON and nothing else (basic/transports): UTF-8, not encoded, and of a shape that is safe to work on. */
export function takeJsonOnly (app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    const refuse = (status: number, code: number, message: string): void => { done(new BodyError(status, code, message)) }
    if (request.headers['content-encoding'] !== undefined) {
      refuse(415, errorCodes.invalidRequest, 'The body must not be encoded: leave Content-Encoding out')
      return
    }
    // Of several types Node takes the first, others may take another.
    // Node takes chunks off and leaves what else was done to the body as it is; a proxy may have undone it (RFC 9112 §6.1).
    const { 'transfer-encoding': transfer = 'chunked' } = request.headers
    if (transfer.toLowerCase() !== 'chunked' || fieldCount(request.raw.rawHeaders, 'content-type') > 1) {
      refuse(400, errorCodes.invalidRequest, 'The body must have one Content-Type, and no Transfer-Encoding but chunked')
      return
    }
    if (!isUtf8(body)) {
      refuse(400, errorCodes.parseError, 'Parse error: the body is not valid UTF-8')
      return
    }
    const problem = shapeProblem(body, bodyLimits)
    if (problem !== undefined) {
      refuse(400, errorCodes.invalidRequest, `Invalid request: ${problem}`)
      return
    }
    void parse(request, body.toString('utf8'), done)
  })
}
