import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fieldCount } from '../../checks/fields.ts'
import { errorCodes } from './protocol-error.ts'

/*
 * Bodies are looked at before they are parsed: what follows, from schemas to canonical JSON, goes through them by
 * recursion or holds several copies, and must not meet a body that was made to break that.
 */

/** Levels of objects and lists inside each other. */
const maxDepth = 64
/** Values in lists and objects, all together. */
const maxValues = 100_000
/** Bytes of one text as it is written: what a file of half a megabyte needs in base64, and some. */
const maxText = 786_432

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

/** What is wrong with the shape of a JSON text, or undefined. One pass over its bytes; whether it is JSON is not asked. */
export function shapeProblem (bytes: Uint8Array): string | undefined {
  const { length } = bytes
  let depth = 0
  let values = 0
  let index = 0
  while (index < length) {
    switch (bytes[index] ?? 0) {
      case 0x22: { // "
        const start = index
        index += 1
        while (index < length && bytes[index] !== 0x22) index += bytes[index] === 0x5c ? 2 : 1
        if (index - start > maxText) return `a text in the body is longer than ${maxText} bytes`
        break
      }
      case 0x5b: // [
      case 0x7b: // {
        depth += 1
        if (depth > maxDepth) return `the body is nested more than ${maxDepth} levels deep`
        values += 1
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1
        break
      case 0x2c: // ,
        values += 1
        break
      default:
    }
    if (values > maxValues) return `the body has more than ${maxValues} values`
    index += 1
  }
  return undefined
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
    const problem = shapeProblem(body)
    if (problem !== undefined) {
      refuse(400, errorCodes.invalidRequest, `Invalid request: ${problem}`)
      return
    }
    void parse(request, body.toString('utf8'), done)
  })
}
