import { Ajv, type Options } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'

type Schema = Readonly<Record<string, unknown>>

// Schemas are not kept under their $id: two tools may have the same one.
const options: Options = { strict: false, allErrors: true, unicodeRegExp: false, validateFormats: false, useDefaults: true, addUsedSchema: false }

/** Gives the same instance each time, made when it is first needed. */
function once<Instance> (make: () => Instance): () => Instance {
  let made: Instance | undefined
  return () => made ??= make()
}

// One of each for all tools: an instance of its own each would cost several times the memory and the time.
const draft7 = once(() => new Ajv(options))
const draft2019 = once(() => new Ajv2019(options))
const draft2020 = once(() => new Ajv2020(options))

/** Dialects by the host and path of their URI, which is written with http and https, and with an empty fragment or none. */
const dialects: ReadonlyMap<string, () => Ajv> = new Map<string, () => Ajv>([
  // Draft 7 only adds to it.
  ['json-schema.org/draft-06/schema', draft7],
  ['json-schema.org/draft-07/schema', draft7],
  ['json-schema.org/draft/2019-09/schema', draft2019],
  ['json-schema.org/draft/2020-12/schema', draft2020]
])

const fallback = 'json-schema.org/draft/2020-12/schema'

/**
 * The validator for the dialect that a schema names, 2020-12 where it names none, with the schema as that
 * validator takes it. Clients are shown the schema as its author wrote it.
 * @throws {Error} for a dialect that is not supported
 */
export function ajvFor (schema: Schema): { ajv: Ajv, compilable: Record<string, unknown> } {
  const { $schema: named, ...compilable } = schema
  const dialect = named === undefined ? fallback : typeof named === 'string' ? named.replace(/^https?:\/\//, '').replace(/#$/, '') : ''
  const ajv = dialects.get(dialect)
  if (ajv === undefined) throw new Error(`JSON Schema dialect ${JSON.stringify(named)} is not supported; expected 2020-12, 2019-09, draft-07 or draft-06`)
  return { ajv: ajv(), compilable }
}
