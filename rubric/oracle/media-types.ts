import type { WireOperation } from './operations.ts'
import { File, type Values } from './values.ts'

export const multipart = 'multipart/form-data'
export const urlencoded = 'application/x-www-form-urlencoded'

/** The type without its parameters. */
export function essence (type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase()
}

export function isJsonType (type: string): boolean {
  return /^application\/(json|[\w.+-]+\+json)$/.test(essence(type))
}

/** A range that JSON is in. */
export function takesAnything (type: string): boolean {
  return essence(type) === '*/*' || essence(type) === 'application/*'
}

/** Whether a type is in a range such as `image/*`. */
export function isIn (type: string, range: string): boolean {
  const [kind = ''] = essence(range).split('*')
  return essence(range).includes('*') && essence(type).startsWith(kind === '*/' ? '' : kind)
}

/** Media types that a body may be sent in: JSON first, multipart for a file or where there is nothing else. */
export function bodyTypes (operation: WireOperation, hasFile: boolean): readonly string[] {
  const types = [...operation.bodies.keys()]
  const of = (essential: string): string[] => types.filter((type) => essence(type) === essential)
  const json = types.filter(isJsonType)
  const any = types.filter(takesAnything)
  if (hasFile && of(multipart).length > 0) return of(multipart)
  for (const wanted of [json, any, of(urlencoded), of(multipart)]) if (wanted.length > 0) return wanted
  return types
}

/** Whether values can be written in such a type; in any other, the body is a text or a file that the caller has written. */
export function isStructured (type: string): boolean {
  const of = essence(type)
  return isJsonType(type) || takesAnything(type) || of === multipart || of === urlencoded
}

export function hasFile (values: Values): boolean {
  const isOne = (value: unknown): boolean => value instanceof File || (Array.isArray(value) && value.some(isOne))
  return [...values.properties.values()].some(isOne) || (values.body !== undefined && isOne(values.body.value))
}
