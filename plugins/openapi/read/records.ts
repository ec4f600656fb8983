import { isRecord } from '../../../checks/records.ts'

export { isRecord }

/** What a document holds, which anybody may have written: nothing is taken for granted. */
export type Raw = Readonly<Record<string, unknown>>

/** A record's own entry: names in a document may be those of what every object inherits. */
export function own (record: Raw, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** The entry as a record, empty where it is none. */
export function recordAt (record: Raw, name: string): Raw {
  const value = own(record, name)
  return isRecord(value) ? value : {}
}

/** The entry as a list, empty where it is none. */
export function listAt (record: Raw, name: string): readonly unknown[] {
  const value = own(record, name)
  return Array.isArray(value) ? value : []
}

/** The entry as a text, empty where it is none. */
export function textAt (record: Raw, name: string): string {
  const value = own(record, name)
  return typeof value === 'string' ? value : ''
}

/** The texts of a list. */
export function textsAt (record: Raw, name: string): string[] {
  return listAt(record, name).filter((value) => typeof value === 'string')
}

/** Whether two values of a document are the same, by their JSON. */
export function same (left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right)
}

/** Values without repetitions, by their JSON. */
export function distinct<Value> (values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

/** A record without the entries that are undefined. */
export function defined (record: Raw): Raw {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
