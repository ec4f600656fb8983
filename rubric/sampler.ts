import { isNode, listOf, own, type Node } from './oracle/document.ts'
import { samplings, textFor, texts, Unsampled, type Charset, type Sampling } from './sample-texts.ts'

/*
 * Makes arguments from an input schema, as a model would who reads it: nothing else of the tool is known here.
 */

/** Objects and lists within each other before only what is required is made. */
const shallow = 3
const deepest = 12

interface Scope {
  readonly root: Node
  readonly sampling: Sampling
  readonly charset: Charset
  readonly depth: number
}

function resolved (schema: unknown, root: Node): unknown {
  let current = schema
  for (let hops = 0; isNode(current) && typeof current.$ref === 'string'; hops += 1) {
    if (hops > 50) throw new Unsampled('a reference to itself')
    let target: unknown = root
    for (const part of current.$ref.split('/').slice(1)) target = own(target, decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    const { $ref: _ref, ...beside } = current
    current = isNode(target) && Object.keys(beside).length > 0 ? { ...target, ...beside } : target
  }
  return current
}

/** A schema with its `allOf` in it, and the references of both followed. */
function flat (schema: unknown, root: Node, depth = 0): Node | boolean {
  const target = resolved(schema, root)
  if (typeof target === 'boolean') return target
  if (!isNode(target)) throw new Unsampled('a reference to nothing')
  if (!Array.isArray(target.allOf) || depth > deepest) return target
  const { allOf, ...rest } = target
  const parts = [...allOf.map((part) => flat(part, root, depth + 1)), rest].filter(isNode)
  return {
    ...Object.assign({}, ...parts),
    properties: Object.fromEntries(parts.flatMap(({ properties }) => isNode(properties) ? Object.entries(properties) : [])),
    required: parts.flatMap(({ required }) => listOf(required))
  }
}

function typesOf (schema: Node): unknown[] {
  return Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type]
}

/** Whether null is said to be a value. What says nothing of types allows it too, but nobody would send it. */
function allowsNull (schema: Node, root: Node): boolean {
  if (Array.isArray(schema.enum)) return schema.enum.includes(null)
  if (typesOf(schema).includes('null')) return true
  return [...listOf(schema.anyOf), ...listOf(schema.oneOf)].some((part) => {
    const branch = flat(part, root)
    return isNode(branch) && allowsNull(branch, root)
  })
}

function numberFor (schema: Node, { sampling }: Scope): number {
  const whole = typesOf(schema).includes('integer') && !typesOf(schema).includes('number')
  const step = typeof schema.multipleOf === 'number' ? schema.multipleOf : whole ? 1 : 0.5
  const safe = 2 ** 53 - 1
  const low = Math.max(-safe, typeof schema.minimum === 'number' ? schema.minimum : -Infinity, typeof schema.exclusiveMinimum === 'number' ? schema.exclusiveMinimum + step : -Infinity)
  const high = Math.min(safe, typeof schema.maximum === 'number' ? schema.maximum : Infinity, typeof schema.exclusiveMaximum === 'number' ? schema.exclusiveMaximum - step : Infinity)
  if (low > high) throw new Unsampled('the bounds leave nothing')
  const aimed = sampling === 'edges' ? (low > -safe ? low : 0) : sampling === 'reserved' ? (high < safe ? high : -3) : sampling === 'unicode' && !whole ? 1.5 : 7
  const within = Math.min(high, Math.max(low, aimed))
  const stepped = Math.ceil(within / step) * step
  return stepped <= high ? stepped : Math.floor(high / step) * step
}

function listFor (schema: Node, scope: Scope): unknown[] {
  const least = typeof schema.minItems === 'number' ? schema.minItems : 0
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : Infinity
  const prefix = listOf(schema.prefixItems)
  const wished = scope.depth > shallow ? least : scope.sampling === 'edges' ? Math.max(1, least) : 2
  const count = Math.min(most, Math.max(least, wished, prefix.length))
  const inner = { ...scope, depth: scope.depth + 1 }
  const made: unknown[] = []
  for (let index = 0; index < count; index += 1) {
    const schemaOf = prefix[index] ?? schema.items ?? {}
    if (schemaOf === false) break
    made.push(distinct(valueOf(schemaOf, inner), schemaOf, index, schema.uniqueItems === true, made))
  }
  return made
}

/** The next item of a list in which none may be there twice. */
function distinct (value: unknown, schema: unknown, index: number, unique: boolean, made: readonly unknown[]): unknown {
  if (!unique || !made.includes(value)) return value
  const choices = isNode(schema) ? listOf(schema.enum) : []
  const other = choices.find((choice) => !made.includes(choice))
  return other ?? (typeof value === 'string' ? `${value}${index}` : typeof value === 'number' ? value + index : value)
}

function isFileShape (schema: Node): boolean {
  return isNode(schema.properties) && 'base64' in schema.properties && 'filename' in schema.properties
}

function objectFor (schema: Node, scope: Scope): Record<string, unknown> {
  if (isFileShape(schema)) {
    const name = scope.sampling === 'unicode' ? 'Größe 1.png' : 'a file.png'
    return { filename: name, mime_type: 'image/png', base64: Buffer.from([0, 13, 10, 45, 45, 255]).toString('base64') }
  }
  const required = new Set(listOf(schema.required))
  const properties: Node = isNode(schema.properties) ? schema.properties : {}
  const inner = { ...scope, depth: scope.depth + 1 }
  const entries: Array<[string, unknown]> = []
  for (const [name, property] of Object.entries(properties)) {
    if (property === false) continue
    if (required.has(name)) entries.push([name, valueOf(property, inner)])
    else entries.push(...optional(name, property, inner))
  }
  for (const name of required) if (typeof name === 'string' && !Object.hasOwn(properties, name)) entries.push([name, valueOf(schema.additionalProperties ?? {}, inner)])
  const open = schema.additionalProperties
  const wanted = typeof schema.minProperties === 'number' ? schema.minProperties : scope.sampling === 'all' && isNode(open) && scope.depth <= shallow ? 1 : 0
  for (let index = entries.length; index < wanted; index += 1) entries.push([`key ${index}`, valueOf(open ?? {}, inner)])
  return Object.fromEntries(entries)
}

/** An optional member, where this sampling has it. */
export function optional (name: string, schema: unknown, scope: Scope): Array<[string, unknown]> {
  const { sampling, depth, root } = scope
  try {
    const target = flat(schema, root)
    if (sampling === 'required' || depth > shallow) return []
    if (sampling === 'nulls') return isNode(target) && allowsNull(target, root) ? [[name, null]] : []
    return [[name, valueOf(schema, scope)]]
  } catch (error) {
    if (error instanceof Unsampled) return []
    throw error
  }
}

function branchFor (schema: Node, branches: readonly unknown[], scope: Scope): unknown {
  const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = schema
  const errors: unknown[] = []
  // Which one comes first changes with the sampling, so that each is tried once.
  const first = samplings.indexOf(scope.sampling) % branches.length
  const files = branches.filter((branch) => { const target = flat(branch, scope.root); return isNode(target) && isFileShape(target) })
  // A file may be something that a server already has: nothing that could be made up.
  for (const branch of files.length > 0 ? files : [...branches.slice(first), ...branches.slice(0, first)]) {
    try {
      const target = flat(branch, scope.root)
      if (target === false || (isNode(target) && typesOf(target).length === 1 && target.type === 'null' && branches.length > 1)) continue
      const both: Node = isNode(target)
        ? { ...rest, ...target, ...isNode(rest.properties) || isNode(target.properties) ? { properties: { ...isNode(rest.properties) ? rest.properties : {}, ...isNode(target.properties) ? target.properties : {} } } : {}, required: [...listOf(rest.required), ...listOf(target.required)] }
        : rest
      return valueOf(both, scope)
    } catch (error) {
      if (!(error instanceof Unsampled)) throw error
      errors.push(error.message)
    }
  }
  throw new Unsampled(`no branch of a union: ${errors.join('; ')}`)
}

/**
 * A value for a schema.
 * @throws {Unsampled} where none is found
 */
export function valueOf (schema: unknown, scope: Scope): unknown {
  if (scope.depth > deepest) throw new Unsampled('there is no end to what is required')
  const target = flat(schema, scope.root)
  if (target === false) throw new Unsampled('nothing is allowed')
  if (target === true) return texts[scope.charset].required
  if (Object.hasOwn(target, 'const')) return target.const
  if (Array.isArray(target.enum)) {
    const choices: unknown[] = target.enum.filter((choice) => choice !== null)
    const choice = scope.sampling === 'edges' ? choices.at(-1) : choices[0]
    if (choice === undefined && !target.enum.includes(null)) throw new Unsampled('an enum without values')
    return choice ?? null
  }
  const branches = [...listOf(target.anyOf), ...listOf(target.oneOf)]
  if (branches.length > 0) return branchFor(target, branches, scope)
  const types = typesOf(target).filter((type) => type !== 'null')
  const type = types.length > 0 ? types[samplings.indexOf(scope.sampling) % types.length] : typesOf(target)[0]
  switch (type) {
    case 'string': return textFor(target, scope.sampling, scope.charset)
    case 'integer': case 'number': return numberFor(target, scope)
    case 'boolean': return scope.sampling !== 'edges'
    case 'null': return null
    case 'array': return listFor(target, scope)
    case 'object': return objectFor(target, scope)
    default:
      if (isNode(target.properties)) return objectFor(target, scope)
      if (target.items !== undefined) return listFor(target, scope)
      return textFor(target, scope.sampling, scope.charset)
  }
}

/**
 * Arguments for a tool.
 * @param charsetOf where the argument of a name goes
 * @throws {Unsampled} where a required one has no value
 */
export function sampleArguments (schema: Node, sampling: Sampling, charsetOf: (name: string) => Charset): Record<string, unknown> {
  const required = new Set(listOf(schema.required))
  const properties: Node = isNode(schema.properties) ? schema.properties : {}
  return Object.fromEntries(Object.entries(properties).flatMap(([name, property]): Array<[string, unknown]> => {
    const scope: Scope = { root: schema, sampling, charset: charsetOf(name), depth: 1 }
    return required.has(name) ? [[name, valueOf(property, scope)]] : optional(name, property, scope)
  }))
}
