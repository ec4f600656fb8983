import { isArgumentCookie, isArgumentHeader } from '../call/headers.ts'
import type { Operation, Parameter, Schema } from '../operation.ts'
import { listAt } from '../read/records.ts'
import { answersOneThing, answersSeveral, pagingRole } from './paging.ts'

/** Words of headers that carry a credential. */
const credential = /token|secret|password|session|api-?key|auth/i

/** The one value that a parameter can have, or undefined where there is a choice. */
export function onlyChoice (schema: Schema): unknown {
  const [first, ...others] = listAt(schema, 'enum').filter((choice) => choice !== null)
  return others.length === 0 ? first : undefined
}

/** Whether a parameter chooses how the answer is written. drf-spectacular adds one where there are several renderers. */
function isFormat ({ name, in: place, schema }: Parameter): boolean {
  return place === 'query' && name === 'format' && listAt(schema, 'enum').includes('json')
}

/** Whether a parameter is only there for clients of old. */
function isOld ({ required, description, schema }: Parameter): boolean {
  return !required && (schema.deprecated === true || /^deprecated\b/i.test(description))
}

/** Whether a parameter is none of the model's: it is the client's own, a credential, deprecated, or has no effect. */
export function isHidden (parameter: Parameter, operation: Operation): boolean {
  const { name, in: place, required, schema } = parameter
  if (isOld(parameter)) return true
  if (place === 'header') return !isArgumentHeader(name) || (!required && (credential.test(name) || onlyChoice(schema) !== undefined))
  if (place === 'cookie') return !required || !isArgumentCookie(name)
  return isFormat(parameter) || (!required && pagingRole(parameter) !== undefined && (operation.method === 'GET' ? answersOneThing(operation) : !answersSeveral(operation)))
}
