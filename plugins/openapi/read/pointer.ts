import { valueAt } from '../../../checks/json-pointer.ts'
import { isRecord, own, type Raw } from './records.ts'

/** Why a reference leads nowhere. */
export class PointerError extends Error {
  override readonly name = 'PointerError'
}

/** References that are followed from one to the next before they are taken for a circle. */
const longestChain = 32

/**
 * What a reference within the document points at (RFC 6901). Nothing outside of the document is ever read.
 * @throws {PointerError} where the reference leads out of the document or to nothing
 */
export function pointedAt (document: Raw, reference: string): unknown {
  if (!reference.startsWith('#')) throw new PointerError('a reference leads out of the document, and is not followed')
  if (reference !== '#' && !reference.startsWith('#/')) throw new PointerError('a reference is not of the form #/…')
  const value = valueAt(document, reference)
  if (value === undefined) throw new PointerError('a reference leads to nothing in the document')
  return value
}

/**
 * A parameter, body, response or path of the document, where it stands or where its reference leads.
 * @throws {PointerError} where the reference leads out of the document, to nothing, or in a circle
 */
export function resolved (document: Raw, value: unknown): Raw {
  let current = value
  for (let step = 0; step < longestChain; step++) {
    if (!isRecord(current)) throw new PointerError('something else than an object stands where one is expected')
    const reference = own(current, '$ref')
    if (typeof reference !== 'string') return current
    current = pointedAt(document, reference)
  }
  throw new PointerError('references lead in a circle')
}
