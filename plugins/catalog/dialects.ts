import { Ajv, type Options } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { passingEngine, strictEngine } from './patterns.ts'

type Schema = Readonly<Record<string, unknown>>

// Schemas are not kept under their $id: two tools may have the same one. 0.07 is a multiple of 0.01 to everybody but a
// processor. What is wrong with a value of several forms is told by the schema that says so.
const options: Options = { strict: false, allErrors: true, verbose: true, unicodeRegExp: false, validateFormats: false, useDefaults: true, addUsedSchema: false, multipleOfPrecision: 6 }

/** Gives the same instance each time, made when it is first needed. */
function once<Instance> (make: () => Instance): () => Instance {
  let made: Instance | undefined
  return () => made ??= make()
}

/** What becomes of a pattern that cannot be matched in bounded time: its schema is refused, or it is passed over. */
export type HardPatterns = 'refused' | 'passed over'

// One of each for all tools: an instance of its own each would cost several times the memory and the time.
function instances (regExp: typeof strictEngine) {
  const given = { ...options, code: { regExp } }
  return { draft7: once(() => new Ajv(given)), draft2019: once(() => new Ajv2019(given)), draft2020: once(() => new Ajv2020(given)) }
}

type Instances = ReturnType<typeof instances>

const instancesFor: Readonly<Record<HardPatterns, Instances>> = { refused: instances(strictEngine), 'passed over': instances(passingEngine) }

/** Dialects by the host and path of their URI, which is written with http and https, and with an empty fragment or none. */
const dialects: ReadonlyMap<string, keyof Instances> = new Map([
  // Draft 7 only adds to it.
  ['json-schema.org/draft-06/schema', 'draft7'],
  ['json-schema.org/draft-07/schema', 'draft7'],
  ['json-schema.org/draft/2019-09/schema', 'draft2019'],
  ['json-schema.org/draft/2020-12/schema', 'draft2020']
])

const fallback = 'json-schema.org/draft/2020-12/schema'

/**
 * The validator for the dialect that a schema names, 2020-12 where it names none, with the schema as that
 * validator takes it. Clients are shown the schema as its author wrote it.
 * @throws {Error} for a dialect that is not supported
 */
export function ajvFor (schema: Schema, hardPatterns: HardPatterns): { ajv: Ajv, compilable: Record<string, unknown> } {
  const { $schema: named, ...compilable } = schema
  const dialect = named === undefined ? fallback : typeof named === 'string' ? named.replace(/^https?:\/\//, '').replace(/#$/, '') : ''
  const version = dialects.get(dialect)
  if (version === undefined) throw new Error(`JSON Schema dialect ${JSON.stringify(named)} is not supported; expected 2020-12, 2019-09, draft-07 or draft-06`)
  return { ajv: instancesFor[hardPatterns][version](), compilable }
}
