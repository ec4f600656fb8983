import { Ajv2020 } from 'ajv/dist/2020.js'
import { Findings, type Outcome } from '../outcome.ts'
import { isNode, listOf, textOf, type Node, type OpenApiDocument } from '../oracle/document.ts'
import { merged, propertiesOf } from '../oracle/schema.ts'
import { legalName } from '../places.ts'
import { schemasIn, target } from '../schemas.ts'
import type { Subject, SubjectTool } from '../subject.ts'

/** 4: strictly, as no client is bound to do but some do. One instance, since schemas are not kept. */
export function strictlyCompiled ({ generated }: Subject): Outcome {
  const findings = new Findings()
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false, addUsedSchema: false })
  for (const { name, inputSchema } of generated.tools) {
    let problem = ''
    try {
      ajv.compile(inputSchema)
    } catch (error) {
      problem = String(error)
    }
    findings.expect(problem === '', `${name}: ${problem}`)
  }
  return findings.outcome('schemas')
}

/** 5 */
export function plainRoots ({ generated }: Subject): Outcome {
  const findings = new Findings()
  for (const { name, inputSchema } of generated.tools) {
    const wrong = ['oneOf', 'anyOf', 'allOf', 'not', 'if', '$ref', 'enum', 'const'].filter((keyword) => keyword in inputSchema)
    findings.expect(inputSchema.type === 'object' && wrong.length === 0, `the input of ${name} is no plain object: ${wrong.join(', ')}`)
  }
  return findings.outcome('schemas')
}

/** 6: legal keys, each for one place of the request, every place with a key. */
export function legalKeys ({ tools }: Subject): Outcome {
  const findings = new Findings()
  for (const { generated: { name, inputSchema }, placeProblems } of tools) {
    for (const key of Object.keys(inputSchema.properties ?? {})) findings.expect(legalName.test(key), `${name} has the argument ${JSON.stringify(key)}`)
    findings.problem(...placeProblems.map((problem) => `${name}: ${problem}`))
  }
  return findings.outcome('arguments')
}

const openApiOnly = ['nullable', 'discriminator', 'example', 'xml', 'externalDocs', 'readOnly', 'writeOnly', 'collectionFormat', 'allowEmptyValue', 'style', 'explode', 'in'] as const

function keywordProblems (schema: Node): string[] {
  return [
    ...openApiOnly.filter((keyword) => keyword in schema),
    ...Object.keys(schema).filter((keyword) => keyword.startsWith('x-')),
    ...['exclusiveMinimum', 'exclusiveMaximum', 'required'].filter((keyword) => typeof schema[keyword] === 'boolean').map((keyword) => `boolean ${keyword}`),
    ...['type', 'enum', 'required'].filter((keyword) => new Set(listOf(schema[keyword]).map((entry) => JSON.stringify(entry))).size < listOf(schema[keyword]).length).map((keyword) => `${keyword} with an entry twice`),
    ...Array.isArray(schema.enum) && schema.enum.length === 0 ? ['an empty enum'] : []
  ]
}

/** 8 */
export function jsonSchemaOnly ({ generated }: Subject): Outcome {
  const findings = new Findings()
  for (const { name, inputSchema } of generated.tools) {
    for (const { schema, at } of schemasIn(inputSchema)) {
      const problems = keywordProblems(schema)
      findings.expect(problems.length === 0, `${name}${at}: ${problems.join(', ')}`)
    }
  }
  return findings.outcome('schemas')
}

/** 9, the part that a look at the tools tells. */
export function localReferences ({ generated }: Subject): Outcome {
  const findings = new Findings()
  for (const { name, inputSchema } of generated.tools) {
    for (const { schema, at } of schemasIn(inputSchema)) {
      if (schema.$ref === undefined) continue
      const reference = textOf(schema.$ref)
      findings.expect(isNode(target(inputSchema, reference)), `${name}${at}: ${JSON.stringify(schema.$ref)} is no reference to a part of this schema`)
    }
    for (const { schema, at } of schemasIn(inputSchema)) {
      for (const keyword of ['$id', '$schema', '$dynamicRef', '$anchor']) if (keyword in schema) findings.problem(`${name}${at} has ${keyword}`)
    }
  }
  return findings.outcome('references')
}

/** Whether a schema of the document comes back to itself. */
function isRecursive (document: OpenApiDocument, value: unknown, path: readonly unknown[] = [], done = new Set<unknown>()): boolean {
  const schema = document.resolve(value)
  if (!isNode(schema)) return isNode(value) && typeof value.$ref === 'string' && value.$ref.startsWith('#/') && document.at(value.$ref) !== undefined
  if (path.includes(schema)) return true
  if (done.has(schema)) return false
  done.add(schema)
  const children = [schema.items, schema.additionalProperties, ...listOf(schema.allOf), ...listOf(schema.oneOf), ...listOf(schema.anyOf), ...isNode(schema.properties) ? Object.values(schema.properties) : []]
  return children.some((child) => isNode(child) && isRecursive(document, child, [...path, schema], done))
}

/** 10 */
export function recursion ({ document, tools }: Subject): Outcome {
  const findings = new Findings()
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false, addUsedSchema: false })
  for (const { generated: { name, inputSchema }, operation } of tools) {
    if (![...operation.bodies.values()].some(({ schema }) => isRecursive(document, schema))) continue
    let problem = ''
    try {
      const { length } = JSON.stringify(inputSchema)
      ajv.compile(inputSchema)
      if (length > 65_536) problem = `its schema has ${length} characters`
    } catch (error) {
      problem = String(error)
    }
    findings.expect(problem === '', `${name}: ${problem}`)
  }
  return findings.outcome('recursive schemas')
}

const maxDepth = 8

/** Names of properties that are marked so in the document and that the schema made from it has all the same. */
function * marked (document: OpenApiDocument, mark: 'readOnly' | 'writeOnly', made: unknown, root: Node, raw: unknown, at = '', depth = 0): Generator<string> {
  const schema = isNode(made) && typeof made.$ref === 'string' ? target(root, made.$ref) : made
  if (!isNode(schema) || depth > maxDepth) return
  const source = merged(document, raw)
  yield * marked(document, mark, schema.items, root, source.items, `${at}[]`, depth + 1)
  if (!isNode(schema.properties) || !isNode(source.properties)) return
  for (const [name, property] of Object.entries(schema.properties)) {
    if (!Object.hasOwn(source.properties, name)) continue
    const original = source.properties[name]
    if (merged(document, original)[mark] === true) yield `${at}.${name}`
    else yield * marked(document, mark, property, root, original, `${at}.${name}`, depth + 1)
  }
}

function readOnlyArguments (document: OpenApiDocument, { generated: { inputSchema, bindings }, operation, places }: SubjectTool): string[] {
  const properties = [...operation.bodies.values()].map(({ schema }) => propertiesOf(document, schema))
  const found = bindings.flatMap(({ place }) => place.kind === 'property' && properties.some((known) => known.get(place.property)?.readOnly === true) ? [place.property] : [])
  for (const [argument, place] of places) {
    const schema = inputSchema.properties?.[argument]
    if (place.kind === 'body') for (const body of operation.bodies.values()) found.push(...marked(document, 'readOnly', schema, inputSchema, body.schema, argument))
    else if (place.kind === 'property') found.push(...marked(document, 'readOnly', schema, inputSchema, place.property.schema, argument))
  }
  return found
}

/** 11 */
export function directions (subject: Subject): Outcome {
  const { document, tools } = subject
  const findings = new Findings()
  for (const tool of tools) {
    const { name, inputSchema } = tool.generated
    const readOnly = readOnlyArguments(document, tool)
    findings.expect(readOnly.length === 0, `${name} takes what is only read: ${readOnly.join(', ')}`)
    for (const { schema, at } of schemasIn(inputSchema)) {
      if (!isNode(schema.properties)) continue
      const missing = listOf(schema.required).filter((key) => typeof key !== 'string' || !Object.hasOwn(isNode(schema.properties) ? schema.properties : {}, key))
      findings.expect(missing.length === 0, `${name}${at} requires ${missing.join(', ')}, which it does not have`)
    }
  }
  const keys = new Map(tools.map(({ operation }) => [operation.key, operation]))
  for (const { name, outputSchema, operation: { key } } of subject.generate(document.root, { outputSchemas: true }).tools) {
    if (outputSchema === undefined) continue
    const written = (keys.get(key)?.answers ?? []).flatMap((raw) => Array.from(marked(document, 'writeOnly', outputSchema, outputSchema, raw)))
    findings.expect(written.length === 0, `the output of ${name} has what is only written: ${written.join(', ')}`)
  }
  return findings.outcome('schemas')
}

/** 12: a PATCH says only what changes. What stands outside of the body may be needed all the same. */
export function patches ({ tools }: Subject): Outcome {
  const findings = new Findings()
  for (const { generated: { name, inputSchema }, operation, places } of tools) {
    if (operation.method !== 'PATCH') continue
    const wrong = (inputSchema.required ?? []).filter((argument) => {
      const place = places.get(argument)
      return place?.kind === 'property' || (place?.kind === 'parameter' && !place.parameter.required)
    })
    findings.expect(wrong.length === 0, `${name} requires ${wrong.join(', ')}`)
  }
  return findings.outcome('PATCH tools')
}
