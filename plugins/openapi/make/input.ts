import type { ObjectSchema } from '../../catalog/definition.ts'
import type { Binding, GeneratedTool, Place } from '../generated.ts'
import type { Operation, Schema } from '../operation.ts'
import { defined, isRecord, recordAt } from '../read/records.ts'
import { argumentNames, candidatesOf, fileReference, fileSchema, nullableFileReference, nullableFileSchema } from './arguments.ts'
import { bodyOf } from './body.ts'
import { fitted } from './fit.ts'
import { inlined } from './inline.ts'
import { answerOf, listNames, withContent } from './paging.ts'
import { trimmed } from './trim.ts'

/** What the overlay says of the arguments of a tool, by their names. */
export interface ArgumentChanges {
  readonly descriptions: Readonly<Record<string, string>>
  readonly defaults: Readonly<Record<string, unknown>>
  readonly fixed: Readonly<Record<string, unknown>>
}

export const noChanges: ArgumentChanges = { descriptions: {}, defaults: {}, fixed: {} }

export type Input = Pick<GeneratedTool, 'inputSchema' | 'bindings' | 'fixed' | 'bodyType' | 'fileBodyType' | 'fileArguments'> & {
  /** Names of all arguments, those that are fixed among them. */
  readonly names: readonly string[]
  /** Whether everything that the document says of the arguments is in the schema. */
  readonly complete: boolean
}

/** Arguments that the server adds to tools that ask the user, for clients that cannot be asked in the middle of a call. */
const reserved = ['confirmation_token', 'confirmation_answer']

/** Fields that an answer must have to be worth cutting down. */
const manyFields = 6

/** Whether an answer is a list, or an object of many fields. Of what writes, only a search answers what can be asked for in parts. */
function isLarge (operation: Operation): boolean {
  const { method, responses } = operation
  const answer = answerOf(operation)
  if (answer === undefined || !(method === 'GET' || (method === 'POST' && responses.some(({ status }) => status === '200')))) return false
  const properties = recordAt(withContent(answer, operation.definitions), 'properties')
  return answer.type === 'array' || listNames.some((name) => isRecord(properties[name]) && (name === 'results' || properties[name].type === 'array')) || (method === 'GET' && Object.keys(properties).length > manyFields)
}

const fieldsSchema: Schema = { type: 'array', items: { type: 'string' }, description: 'Only these fields' }

const nameIn = (reference: string): string => reference.slice('#/$defs/'.length)

interface Named { readonly name: string, readonly place: Place, readonly schema: Schema, readonly required: boolean, readonly isFile: boolean }

function adjusted ({ schema, required, ...rest }: Named, { descriptions, defaults }: ArgumentChanges): Named {
  const description = descriptions[rest.name]
  const hasDefault = Object.hasOwn(defaults, rest.name)
  return {
    ...rest,
    // Unlike the document's own defaults, which become words, this one is sent.
    schema: { ...schema, ...description === undefined ? {} : { description }, ...hasDefault ? { default: defaults[rest.name] } : {} },
    required: required && !hasDefault
  }
}

/** Makes the input schema of an operation, and what becomes of each argument. */
export function inputOf (operation: Operation, changes: ArgumentChanges = noChanges): Input {
  const body = bodyOf(operation)
  const { candidates, fixed: always } = candidatesOf(operation, body)
  const names = argumentNames(candidates, reserved)
  const all: Named[] = candidates.map(({ place, schema, required, isFile }, index) => ({ name: names[index] ?? '', place, schema, required, isFile }))
  const isFixed = ({ name }: Named): boolean => Object.hasOwn(changes.fixed, name)
  const shown = all.filter((argument) => !isFixed(argument)).map((argument) => adjusted(argument, changes))
  if (isLarge(operation)) {
    const name = names.includes('fields') ? 'answer_fields' : 'fields'
    if (!names.includes(name)) shown.push({ name, place: { kind: 'fields' }, schema: fieldsSchema, required: false, isFile: false })
  }
  const required = shown.filter((argument) => argument.required).map(({ name }) => name)
  const root: Schema = defined({
    type: 'object',
    properties: Object.fromEntries(shown.map(({ name, schema }) => [name, schema])),
    required: required.length === 0 ? undefined : required,
    additionalProperties: false
  })
  const options = { defaults: operation.method !== 'PATCH' }
  const known = new Map<string, Schema>([[nameIn(fileReference), fileSchema], [nameIn(nullableFileReference), nullableFileSchema]])
  const lookUp = (name: string): Schema => {
    const schema = known.get(name) ?? trimmed(operation.definitions[name] ?? {}, '', options)
    known.set(name, schema)
    return schema
  }
  const { schema, complete } = fitted({ ...inlined(root, lookUp), additionalProperties: false })
  const bindings: Binding[] = shown.map(({ name, place }) => ({ argument: name, place }))
  return {
    names: all.map(({ name }) => name),
    inputSchema: objectSchema(schema),
    bindings,
    fixed: [...always, ...all.filter(isFixed).map(({ name, place }) => ({ place, value: changes.fixed[name] }))],
    bodyType: body?.type,
    fileBodyType: body?.fileType,
    fileArguments: shown.filter(({ isFile }) => isFile).map(({ name }) => name),
    complete
  }
}

function objectSchema (schema: Schema): ObjectSchema {
  return { ...schema, type: 'object', properties: recordAt(schema, 'properties') }
}
