import type { GeneratedTool } from '../plugins/openapi/generated.ts'
import { isNode, textOf, type OpenApiDocument } from './oracle/document.ts'
import type { WireOperation, WireParameter } from './oracle/operations.ts'
import { takesFile } from './oracle/body.ts'
import { isStructured } from './oracle/media-types.ts'
import { File, type Values } from './oracle/values.ts'
import { isFlatObject, merged, propertiesOf, type WireProperty } from './oracle/schema.ts'

/*
 * Which argument stands for what in the request, by the rules for names: an argument is called as what it stands for;
 * names that are there twice get the place before them; what cannot be a name has an alias, which only the tool knows.
 */

export type WirePlace =
  | { readonly kind: 'parameter', readonly parameter: WireParameter }
  | { readonly kind: 'property', readonly name: string, readonly property: WireProperty }
  | { readonly kind: 'body' }
  | { readonly kind: 'fields' }

export const legalName = /^[a-zA-Z0-9_.-]{1,64}$/

export function describePlace (place: WirePlace): string {
  switch (place.kind) {
    case 'parameter': return `${place.parameter.in} parameter ${JSON.stringify(place.parameter.name)}`
    case 'property': return `property ${JSON.stringify(place.name)}`
    case 'body': return 'whole body'
    case 'fields': return 'fields of the answer'
    default: return place satisfies never
  }
}

function nameOf (place: WirePlace): string {
  return place.kind === 'parameter' ? place.parameter.name : place.kind === 'property' ? place.name : place.kind
}

function prefixOf (place: WirePlace): string {
  return place.kind === 'parameter' ? place.parameter.in : 'body'
}

/** Everything that a call of an operation can set. */
export function placesOf (document: OpenApiDocument, { method, parameters, bodies }: WireOperation): WirePlace[] {
  const ofBody: WirePlace[] = []
  if (method !== 'GET' && bodies.size > 0) {
    const schemas = [...bodies].filter(([type, { schema }]) => isStructured(type) && isFlatObject(document, schema)).map(([, { schema }]) => schema)
    const properties = new Map(schemas.flatMap((schema) => Array.from(propertiesOf(document, schema))))
    for (const [name, property] of properties) if (!property.readOnly) ofBody.push({ kind: 'property', name, property })
    ofBody.push({ kind: 'body' })
  }
  return [...parameters.map((parameter): WirePlace => ({ kind: 'parameter', parameter })), ...ofBody]
}

function samePlace (place: WirePlace, bound: GeneratedTool['bindings'][number]['place']): boolean {
  if (place.kind === 'parameter') return bound.kind === 'parameter' && bound.parameter.in === place.parameter.in && bound.parameter.name === place.parameter.name
  if (place.kind === 'property') return bound.kind === 'property' && bound.property === place.name
  return bound.kind === place.kind
}

export interface Placed {
  readonly places: ReadonlyMap<string, WirePlace>
  /** What does not follow the rules, for check 6. */
  readonly problems: readonly string[]
}

/** Where each argument of a tool must go. */
export function placed (document: OpenApiDocument, operation: WireOperation, { inputSchema, bindings, fixed }: GeneratedTool): Placed {
  const all = placesOf(document, operation)
  const named = all.filter(({ kind }) => kind !== 'body')
  const places = new Map<string, WirePlace>()
  const problems: string[] = []
  const taken = new Set<WirePlace>()
  const counts = new Map<string, number>()
  for (const place of named) counts.set(nameOf(place), (counts.get(nameOf(place)) ?? 0) + 1)

  for (const argument of Object.keys(inputSchema.properties ?? {})) {
    const own = bindings.filter((binding) => binding.argument === argument)
    const [binding] = own
    if (binding === undefined || own.length > 1) {
      problems.push(`the argument ${argument} has ${own.length} places`)
      continue
    }
    if (binding.place.kind === 'fields') {
      places.set(argument, { kind: 'fields' })
      continue
    }
    const bound = all.find((place) => samePlace(place, binding.place))
    // By the rules alone, where they leave no choice.
    const called = named.filter((place) => nameOf(place) === argument)
    const prefixed = named.find((place) => (counts.get(nameOf(place)) ?? 0) > 1 && `${prefixOf(place)}_${nameOf(place)}` === argument)
    const ruled = called.length === 1 ? called[0] : called.length === 0 ? prefixed : undefined
    // The rules have nothing to say of a name that is both, and of names that are kept for us.
    const undecided = (called.length === 1 && prefixed !== undefined) || argument === 'fields' || argument === 'body'
    if (bound === undefined) problems.push(`the argument ${argument} stands for nothing that the operation has`)
    else if (ruled !== undefined && ruled !== bound && !undecided) problems.push(`the argument ${argument} stands for the ${describePlace(bound)}, not for the ${describePlace(ruled)}`)
    const place = undecided ? bound : ruled ?? bound
    if (place === undefined) continue
    if (taken.has(place)) problems.push(`two arguments stand for the ${describePlace(place)}`)
    taken.add(place)
    places.set(argument, place)
  }

  const whole = [...taken].some(({ kind }) => kind === 'body')
  for (const place of named) {
    const isRequired = place.kind === 'parameter' ? place.parameter.required : place.kind === 'property' && place.property.required && operation.method !== 'PATCH'
    if (taken.has(place) || (whole && place.kind === 'property') || fixed.some((entry) => samePlace(place, entry.place))) continue
    if (isRequired && !(place.kind === 'parameter' && hasOneValue(document, place.parameter))) problems.push(`no argument stands for the ${describePlace(place)}, which is required`)
    // Headers and cookies that may be left out seldom are for a model.
    else if (place.kind === 'parameter' && place.parameter.in === 'query' && !isOfNoUse(document, operation, place.parameter)) problems.push(`no argument stands for the ${describePlace(place)}`)
    else if (place.kind === 'property' && place.property.schema.readOnly !== true) problems.push(`no argument stands for the ${describePlace(place)}`)
  }
  return { places, problems }
}

const pagingNames: ReadonlySet<string> = new Set(['page', 'page_size', 'limit', 'offset', 'cursor'])

/**
 * Other answers than JSON are of no use, nor is what is only there for old clients, and an action on one thing that has
 * inherited the pages of its list gives none.
 */
function isOfNoUse (document: OpenApiDocument, { answers }: WireOperation, { name, description, deprecated }: WireParameter): boolean {
  if (deprecated || /^\W*deprecated\b/i.test(description)) return true
  const isList = answers.some((answer) => {
    const schema = merged(document, answer)
    return schema.type === 'array' || isNode(schema.items) || (isNode(schema.properties) && 'results' in schema.properties)
  })
  return name === 'format' || (pagingNames.has(name) && !isList)
}

function hasOneValue (document: OpenApiDocument, parameter: WireParameter): boolean {
  const schema = merged(document, parameter.schema)
  return ((Array.isArray(schema.enum) && schema.enum.length === 1) || Object.hasOwn(schema, 'const'))
}

function fileIn (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fileIn)
  if (!isNode(value) || typeof value.base64 !== 'string') return value
  return new File({ filename: textOf(value.filename), type: textOf(value.mime_type), bytes: Buffer.from(value.base64, 'base64') })
}

/** Arguments as the values that they stand for. */
export function valuesOf (document: OpenApiDocument, operation: WireOperation, places: ReadonlyMap<string, WirePlace>, args: Readonly<Record<string, unknown>>): Values {
  const parameters = new Map<WireParameter, unknown>()
  const properties = new Map<string, unknown>()
  let body: Values['body']
  for (const [argument, value] of Object.entries(args)) {
    const place = places.get(argument)
    if (place?.kind === 'parameter') parameters.set(place.parameter, value)
    else if (place?.kind === 'property') properties.set(place.name, takesFile(document, operation, place.name) ? fileIn(value) : value)
    else if (place?.kind === 'body') body = { value: fileIn(value) }
  }
  return { parameters, properties, body }
}
