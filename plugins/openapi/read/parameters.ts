import type { Parameter, ParameterStyle } from '../operation.ts'
import { plain } from '../text.ts'
import { labelled } from './choices.ts'
import { PointerError, resolved } from './pointer.ts'
import { isRecord, listAt, own, recordAt, textAt, type Raw } from './records.ts'
import type { Reading } from './reading.ts'

const places = ['path', 'query', 'header', 'cookie'] as const
type Place = typeof places[number]

const styles: readonly ParameterStyle[] = ['simple', 'label', 'matrix', 'form', 'spaceDelimited', 'pipeDelimited', 'tabDelimited', 'deepObject']

/** Keywords of 2.0 that stand beside a parameter's name in the place of a schema. */
const schemaWords = ['type', 'format', 'items', 'default', 'enum', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems', 'multipleOf']

/** The schema of a 2.0 parameter that is not the body. */
export function flatSchema (raw: Raw): Raw {
  return Object.fromEntries(schemaWords.flatMap((word) => Object.hasOwn(raw, word) ? [[word, raw[word]]] : []))
}

interface Written { style: ParameterStyle, explode: boolean }

/** How a 2.0 list is written: `collectionFormat`, of which `csv` is the default. */
export function collection (format: unknown, place: Place | 'formData'): Written {
  const ordinary: ParameterStyle = place === 'path' || place === 'header' ? 'simple' : 'form'
  switch (format) {
    case 'multi': return { style: 'form', explode: true }
    case 'ssv': return { style: 'spaceDelimited', explode: false }
    case 'tsv': return { style: 'tabDelimited', explode: false }
    case 'pipes': return { style: 'pipeDelimited', explode: false }
    default: return { style: ordinary, explode: false }
  }
}

/** `style` and `explode` with their defaults (OpenAPI 3.1.1, "Parameter Object"). */
export function styled (raw: Raw, place: Place): Written {
  const named = styles.find((style) => style === raw.style)
  const style = named ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple')
  return { style, explode: typeof raw.explode === 'boolean' ? raw.explode : style === 'form' }
}

function parameterOf (raw: Raw, name: string, place: Place, { schemas, version }: Reading): Parameter {
  const [media] = Object.entries(recordAt(raw, 'content'))
  const shape = version === '2' ? flatSchema(raw) : media === undefined ? own(raw, 'schema') : isRecord(media[1]) ? own(media[1], 'schema') : {}
  const schema = schemas.convert(shape)
  const choices = [...listAt(schema, 'enum'), ...listAt(recordAt(schema, 'items'), 'enum')]
  const description = choices.length === 0 ? plain(textAt(raw, 'description')) : labelled(textAt(raw, 'description'), choices)
  return {
    name,
    in: place,
    required: place === 'path' || raw.required === true,
    description,
    schema: Object.keys(schema).length === 0 && media === undefined ? { type: 'string' } : raw.deprecated === true ? { ...schema, deprecated: true } : schema,
    ...version === '2' ? collection(raw.collectionFormat, place) : styled(raw, place),
    allowReserved: raw.allowReserved === true,
    mediaType: media?.[0]
  }
}

/** A parameter of a 2.0 document that belongs to the body. */
export interface BodyParameter { name: string, raw: Raw }

export interface Parameters {
  parameters: Parameter[]
  /** `in: body` and `in: formData` of 2.0. */
  ofBody: BodyParameter[]
}

/** Names of the variables in a path template. */
export function variables (path: string): string[] {
  return [...new Set([...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name))]
}

function missing (name: string): Parameter {
  return { name, in: 'path', required: true, description: '', schema: { type: 'string' }, style: 'simple', explode: false, allowReserved: false, mediaType: undefined }
}

/** A parameter, or undefined where there is none: a path variable is taken for text then, and others are optional as a rule. */
function parameterAt (entry: unknown, key: string, { document, warn }: Reading): Raw | undefined {
  try {
    return resolved(document, entry)
  } catch (error) {
    if (!(error instanceof PointerError)) throw error
    warn(`A parameter is left out: ${error.message}.`, key)
    return undefined
  }
}

/** The parameters of an operation: those of its path, then its own, of which each replaces one of the same name and place. */
export function readParameters (key: string, path: string, lists: ReadonlyArray<readonly unknown[]>, reading: Reading): Parameters {
  const found = new Map<string, { raw: Raw, name: string, place: string }>()
  for (const entry of lists.flat()) {
    const raw = parameterAt(entry, key, reading)
    if (raw === undefined) continue
    const name = textAt(raw, 'name')
    const place = textAt(raw, 'in')
    if (name === '') reading.warn('A parameter without a name is left out.', key)
    else found.set(`${place} ${name}`, { raw, name, place })
  }
  const wanted = variables(path)
  const parameters: Parameter[] = []
  const ofBody: BodyParameter[] = []
  for (const { raw, name, place } of found.values()) {
    const known = places.find((candidate) => candidate === place)
    if (reading.version === '2' && (place === 'body' || place === 'formData')) ofBody.push({ name, raw })
    else if (known === undefined) reading.warn(`The parameter ${plain(name)} is left out: it is in ${JSON.stringify(plain(place))}.`, key)
    else if (known === 'path' && !wanted.includes(name)) reading.warn(`The parameter ${plain(name)} is left out: the path has no place for it.`, key)
    else parameters.push(parameterOf(raw, name, known, reading))
  }
  const told = new Set(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name))
  const untold = wanted.filter((name) => !told.has(name))
  for (const name of untold) reading.warn(`The variable ${plain(name)} of a path is taken for text: no parameter tells about it.`, key)
  return { parameters: [...untold.map(missing), ...parameters], ofBody }
}
