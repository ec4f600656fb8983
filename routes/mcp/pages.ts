import { z } from 'zod'
import { errorCodes, ProtocolError } from './protocol-error.ts'

/** Entries of one page. More than most catalogs have: some clients read the first page only. */
const pageSize = 1000

const cursorShape = z.strictObject({ after: z.string() })

/** Where a page ends, in a form that clients are not tempted to read. */
function cursorAfter (key: string): string {
  return Buffer.from(JSON.stringify({ after: key })).toString('base64url')
}

function keyAfter (cursor: string, correlationId: string): string {
  try {
    const { after } = cursorShape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    // Decoding passes over what is not of the alphabet: only what we have written ourselves is one of ours.
    if (cursorAfter(after) === cursor) return after
  } catch {
    // What cannot be read is none.
  }
  throw new ProtocolError(errorCodes.invalidParams, 'Invalid cursor', { correlation_id: correlationId })
}

/**
 * One page of a sorted list (server/utilities/pagination). A cursor names the last entry before it, so that it holds
 * when entries come and go.
 * @throws {ProtocolError} for a cursor that is none of ours
 */
export function pageOf<Entry> (entries: readonly Entry[], keyOf: (entry: Entry) => string, cursor: string | undefined, correlationId: string): { page: readonly Entry[], nextCursor?: string } {
  const after = cursor === undefined ? undefined : keyAfter(cursor, correlationId)
  const rest = after === undefined ? entries : entries.filter((entry) => keyOf(entry) > after)
  // A list that fits is given as it is, so that it can be recognized.
  const page = rest.length <= pageSize ? rest : rest.slice(0, pageSize)
  const last = page.at(-1)
  return last === undefined || page.length === rest.length ? { page } : { page, nextCursor: cursorAfter(keyOf(last)) }
}
