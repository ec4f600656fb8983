import type { Place } from '../generated.ts'
import type { Operation, Schema } from '../operation.ts'
import { isRecord, listAt, textsAt } from '../read/records.ts'
import type { ChosenBody } from './body.ts'
import { isHidden, onlyChoice } from './hidden.ts'
import { digest } from './names.ts'
import { described, isLegalName, trimmed, withoutNull, type TrimOptions } from './trim.ts'

/** Something that a request needs, before it has a name that a model knows it by. */
export interface Candidate {
  readonly place: Place
  /** Its name in the request. */
  readonly wire: string
  readonly from: 'path' | 'query' | 'header' | 'cookie' | 'body'
  readonly schema: Schema
  readonly required: boolean
  readonly isFile: boolean
}

export interface Candidates {
  readonly candidates: readonly Candidate[]
  /** Values that are always sent, because there is no other. */
  readonly fixed: ReadonlyArray<{ readonly place: Place, readonly value: unknown }>
}

/** Name of the shared schema of a file. It has a character that names from documents do not keep. */
export const fileReference = '#/$defs/File~'

/** A file as an argument: its content, or where this server has it. */
export const fileSchema: Schema = {
  description: 'A file, or the URI of a resource of this server',
  anyOf: [
    { type: 'object', properties: { filename: { type: 'string' }, mime_type: { type: 'string' }, base64: { type: 'string' } }, required: ['filename', 'base64'] },
    { type: 'string', format: 'uri' }
  ]
}

/** Name of the shared schema of a file that may be null, which is none. */
export const nullableFileReference = '#/$defs/NullableFile~'

export const nullableFileSchema: Schema = { ...fileSchema, anyOf: [...listAt(fileSchema, 'anyOf'), { type: 'null' }] }

function asFile ({ type, items, description }: Schema): Schema {
  const told = description === undefined || description === '' ? {} : { description }
  const nullable = Array.isArray(type) && type.includes('null')
  if (type === 'array' || isRecord(items)) return { type: nullable ? ['array', 'null'] : 'array', items: { $ref: fileReference }, ...told }
  return { $ref: nullable ? nullableFileReference : fileReference, ...told }
}

/** A list or an object for a path, where an empty one has no form. */
function filled (schema: Schema): Schema {
  if (schema.type === 'array') return { minItems: 1, ...schema }
  return schema.type === 'object' ? { minProperties: 1, ...schema } : schema
}

function parameterCandidates (operation: Operation, options: TrimOptions): Candidates {
  const candidates: Candidate[] = []
  const fixed: Array<{ place: Place, value: unknown }> = []
  for (const parameter of operation.parameters) {
    const { name, in: from, required, description, schema } = parameter
    const place: Place = { kind: 'parameter', parameter }
    const only = onlyChoice(schema)
    if (isHidden(parameter, operation)) continue
    if (required && only !== undefined) fixed.push({ place, value: only })
    else {
      const shown = trimmed(withoutNull(description === '' ? schema : { ...schema, description }), name, options)
      candidates.push({ place, wire: name, from, required, isFile: false, schema: from === 'path' ? filled(shown) : shown })
    }
  }
  return { candidates, fixed }
}

function bodyCandidates (body: ChosenBody, { method }: Operation, options: TrimOptions): Candidate[] {
  const { properties, schema, files, required, type } = body
  if (properties === undefined) {
    const isFile = files === undefined
    const text = described(body.description, '', undefined) ?? (/json/i.test(type) ? undefined : `Sent as ${type}`)
    const own = trimmed(schema, 'body', options)
    const told = own.description === undefined && text !== undefined ? { ...own, description: text } : own
    const shape = isFile ? asFile({ description: text }) : Object.keys(own).length === 0 && !/json/i.test(type) ? { type: 'string', ...told } : told
    return [{ place: { kind: 'body' }, wire: 'body', from: 'body', required: required && method !== 'PATCH', isFile, schema: shape }]
  }
  // A body that the document does not call required is needed all the same where a property of it is.
  const needed = method === 'PATCH' ? [] : textsAt(schema, 'required')
  return Object.entries(properties).map(([property, value]) => {
    const isFile = files?.has(property) === true
    const shape = trimmed(value, property, options)
    return { place: { kind: 'property', property }, wire: property, from: 'body', required: needed.includes(property), isFile, schema: isFile ? asFile(shape) : shape }
  })
}

/** Everything of a request that a model may or must give. */
export function candidatesOf (operation: Operation, body: ChosenBody | undefined): Candidates {
  const options = { defaults: operation.method !== 'PATCH' }
  const { candidates, fixed } = parameterCandidates(operation, options)
  return { candidates: [...candidates, ...body === undefined ? [] : bodyCandidates(body, operation, options)], fixed }
}

/** A name as near to the one in the request as clients take it. */
function legal (name: string): string {
  if (isLegalName(name)) return name
  const changed = name.replaceAll('ß', 'ss').normalize('NFKD').replaceAll(/\p{M}/gu, '').replaceAll(/[^\w.-]+/g, '_').replaceAll(/^_+|_+$/g, '')
  if (changed === '') return `argument_${digest(name)}`
  const cut = changed.length > 64 ? `${changed.slice(0, 57).replace(/_+$/, '')}_${digest(name)}` : changed
  return cut in {} ? `${cut}_` : cut
}

/**
 * Names of the arguments, in the order of the candidates. Where one name is in several places of the request, each gets
 * the name of its place before it; where that is not enough, a hash behind it.
 */
export function argumentNames (candidates: readonly Candidate[], reserved: readonly string[]): string[] {
  const ways: ReadonlyArray<(candidate: Candidate) => string> = [
    ({ wire }) => legal(wire),
    ({ wire, from }) => legal(`${from}_${wire}`),
    ({ wire, from }) => `${legal(`${from}_${wire}`).slice(0, 57)}_${digest(`${from} ${wire}`)}`
  ]
  const names = new Map<Candidate, string>()
  const taken = new Set(reserved)
  // What is legal as it is keeps its name before others are changed into it.
  const exact = Map.groupBy(candidates.filter(({ wire }) => legal(wire) === wire), ({ wire }) => wire)
  for (const [name, [first, ...others]] of exact) {
    if (first !== undefined && others.length === 0 && !taken.has(name)) names.set(first, name)
    taken.add(name)
  }
  for (const way of ways) {
    const wanted = Map.groupBy(candidates.filter((candidate) => !names.has(candidate)), way)
    for (const [name, [first, ...others]] of wanted) {
      if (first !== undefined && others.length === 0 && !taken.has(name)) names.set(first, name)
    }
    for (const name of wanted.keys()) taken.add(name)
  }
  return candidates.map((candidate) => names.get(candidate) ?? legal(candidate.wire))
}

