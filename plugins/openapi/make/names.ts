import { createHash } from 'node:crypto'
import type { Lock } from '../../catalog/lock.ts'
import type { Operation, OperationMethod } from '../operation.ts'

/** Characters of a tool's name: clients put their own prefix before it, and some allow no more than 60 together. */
export const longestName = 48
const hashLength = 6

/** A name that MCP and the APIs of models take, after their common rules. */
export const isToolName = (name: string): boolean => new RegExp(`^[A-Za-z0-9_-]{1,${longestName}}$`).test(name)

/** Hexadecimal digits that stand for this text, and are others for another. */
export function digest (text: string, length = hashLength): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** A text as lower-case words with `_` between them. */
export function snake (text: string): string {
  return text
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toLowerCase()
}

/** What nearly every operation of an API has before its name. It is taken from each name by itself, so that no name depends on others. */
const commonPrefix = /^(?:(?:api|rest|v\d+)_)+(?=[^_]+_)/

const verbs: Readonly<Record<OperationMethod, readonly [one: string, many: string]>> = {
  GET: ['retrieve', 'list'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['partial_update', 'partial_update'],
  DELETE: ['destroy', 'destroy']
}

/** Some models take no name that begins with a digit, and refuse every tool of a list for one. */
function begun (name: string): string {
  return /^\d/.test(name) ? `op_${name}` : name
}

/** A name made of the path, as drf-spectacular makes them where none is given. */
function nameOfPath ({ method, path }: Operation): string {
  const segments = path.split('/').filter((segment) => segment !== '')
  const words = segments.filter((segment) => !segment.includes('{')).map(snake).filter((word) => word !== '')
  const [one, many] = verbs[method]
  return begun([...words, segments.at(-1)?.includes('{') === true ? one : many].join('_').replace(commonPrefix, ''))
}

/** A name made of the operation id, or undefined where nothing is left of one. */
function nameOfId ({ operationId = '' }: Operation): string | undefined {
  const name = snake(operationId)
  // Of an id in another script only digits and loan words would be left.
  return name.length * 2 < operationId.length || !/[a-z]/.test(name) ? undefined : begun(name.replace(commonPrefix, ''))
}

/** Shorter words, for names that are too long. */
function abbreviated (name: string): string {
  return name
    .replace(/_partial_update$/, '_patch')
    .replace(/_retrieve$/, '_get')
    .replace(/_destroy$/, '_delete')
    .replaceAll(/_v\d+(?=_)/g, '')
}

/** A name that is not too long: with shorter words, or without its first ones and with a hash in their place; its last ones say most. */
function fitting (name: string, key: string): string {
  if (name.length <= longestName) return name
  const short = abbreviated(name)
  if (short.length <= longestName) return short
  const end = short.slice(-(longestName - hashLength - 1))
  return `${end.replace(/^[^_]*_(?=[^_]+_)/, '').replace(/^[\d_]+(?=[a-z])/, '')}_${digest(key)}`
}

function hashed (name: string, key: string, length: number): string {
  return `${name.slice(0, longestName - length - 1).replace(/_+$/, '')}_${digest(key, length)}`
}

/**
 * Names of all operations by their key. Each depends on its own operation, unless two would have the same: then neither
 * has it, so that a further operation never takes over the name of another. Names in the lock stay as they are.
 */
export function namesFor (operations: readonly Operation[], lock: Lock): Map<string, string> {
  const names = new Map<string, string>()
  const taken = new Set(Object.values(lock.tools).map(({ name }) => name.toLowerCase()))
  for (const { key } of operations) {
    const locked = Object.hasOwn(lock.tools, key) ? lock.tools[key] : undefined
    if (locked !== undefined) names.set(key, locked.name)
  }
  const ways: ReadonlyArray<(operation: Operation) => string> = [
    (operation) => fitting(nameOfId(operation) ?? nameOfPath(operation), operation.key),
    (operation) => fitting(nameOfPath(operation), operation.key),
    (operation) => hashed(nameOfId(operation) ?? nameOfPath(operation), operation.key, hashLength),
    (operation) => hashed(nameOfPath(operation), operation.key, 24)
  ]
  let left = operations.filter(({ key }) => !names.has(key))
  for (const way of ways) {
    const wanted = Map.groupBy(left, way)
    // Names that were wanted twice are nobody's.
    for (const [name, [first, ...others]] of wanted) {
      if (first !== undefined && others.length === 0 && !taken.has(name)) names.set(first.key, name)
    }
    for (const name of wanted.keys()) taken.add(name)
    left = left.filter(({ key }) => !names.has(key))
  }
  return names
}
