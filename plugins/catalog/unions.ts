import type { ErrorObject } from 'ajv'
import { pointerName, valueAt } from '../../checks/json-pointer.ts'
import { isRecord } from '../../checks/records.ts'

/*
 * A validator that finds a value to fit none of several forms tells what is wrong with it in each. Of these, a caller
 * needs only what is wrong in the form that was meant: that of the value's type, and with the value's own choice in
 * the field that tells the forms apart.
 */

type Schema = Readonly<Record<string, unknown>>

/** References that are followed from one to the next. */
const longestChain = 32

/** A schema, or what it refers to within the whole; anything where that is elsewhere. */
export function resolvedIn (schema: unknown, root: Schema): Schema {
  let current = schema
  for (let step = 0; step < longestChain && isRecord(current) && typeof current.$ref === 'string'; step++) current = valueAt(root, current.$ref)
  return isRecord(current) ? current : {}
}

/** Adds schemas that are about the same value: references, and parts of combinations. */
function expanded (schemas: readonly unknown[], root: Schema, found = new Set<unknown>()): Set<unknown> {
  for (const schema of schemas) {
    if (!isRecord(schema) || found.has(schema)) continue
    found.add(schema)
    const { $ref, anyOf, oneOf, allOf } = schema
    expanded([...$ref === undefined ? [] : [resolvedIn(schema, root)], ...[anyOf, oneOf, allOf].flatMap((list) => Array.isArray(list) ? list : [])], root, found)
  }
  return found
}

/** Schemas about one part of a value that is held against these. */
function schemasOfPart (schemas: ReadonlySet<unknown>, name: string, root: Schema): Set<unknown> {
  return expanded(Array.from(schemas).filter(isRecord).flatMap(({ properties, items, prefixItems, additionalProperties }) => [
    isRecord(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties,
    items,
    prefixItems
  ].flat()), root)
}

/** Schemas about what lies at a path below a value that is held against these. */
function schemasAt (schemas: readonly unknown[], path: string, root: Schema): Set<unknown> {
  let found = expanded(schemas, root)
  for (const name of path.split('/').slice(1)) found = schemasOfPart(found, pointerName(name), root)
  return found
}

const typesOf = ({ type }: Schema): readonly unknown[] => Array.isArray(type) ? type : type === undefined ? [] : [type]

function isOfType (value: unknown, schema: Schema): boolean {
  const types = typesOf(schema)
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return types.length === 0 || types.includes(type) || (type === 'number' && types.includes('integer'))
}

/** The field by which a value shows that it is of another form, with what it would have to be. */
function otherChoice (value: unknown, schema: Schema, root: Schema): { field: string, choices: readonly unknown[] } | undefined {
  if (!isRecord(value) || !isRecord(schema.properties)) return undefined
  for (const [field, property] of Object.entries(schema.properties)) {
    const { enum: choices } = resolvedIn(property, root)
    if (Array.isArray(choices) && Object.hasOwn(value, field) && !choices.includes(value[field])) return { field, choices }
  }
  return undefined
}

function alternatives (words: readonly unknown[]): string {
  const all = [...new Set(words.map(String))]
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${String(all.at(-1))}`
}

function pruned (errors: readonly ErrorObject[], union: ErrorObject, root: Schema): ErrorObject[] {
  const { parentSchema, data, instancePath, keyword } = union
  const listed: unknown = parentSchema?.[keyword]
  const branches: readonly unknown[] = Array.isArray(listed) ? listed : []
  const forms = branches.map((branch) => resolvedIn(branch, root))
  const typed = forms.filter((form) => isOfType(data, form))
  const meant = typed.filter((form) => otherChoice(data, form, root) === undefined)
  const others = forms.filter((form) => !meant.includes(form))
  const isOf = ({ instancePath: path, parentSchema: schema }: ErrorObject, of: readonly Schema[]): boolean => schemasAt(of, path.slice(instancePath.length), root).has(schema)
  const isOfOthers = (error: ErrorObject): boolean => (
    (error.instancePath === instancePath || error.instancePath.startsWith(`${instancePath}/`)) && isOf(error, others) && !isOf(error, meant)
  )
  const left = errors.filter((error) => error !== union && !isOfOthers(error))
  if (meant.length === 1) return left
  if (meant.length > 1) return [...left, { ...union, message: 'is none of the forms that it can have' }]
  const wrong = typed.flatMap((form) => otherChoice(data, form, root) ?? [])
  const [first] = wrong
  if (first === undefined) return [...left, { ...union, keyword: 'type', message: `must be ${alternatives(forms.flatMap(typesOf))}` }]
  const allowedValues = [...new Set(wrong.filter(({ field }) => field === first.field).flatMap(({ choices }) => choices))]
  return [...left, { ...union, keyword: 'enum', instancePath: `${instancePath}/${first.field}`, params: { allowedValues } }]
}

/**
 * What is wrong with a value, without what is wrong with it in forms that were not meant.
 * @param errors of a validator that is verbose
 * @param root the whole schema
 */
export function ofMeantForms (errors: readonly ErrorObject[], root: Schema): readonly ErrorObject[] {
  // Unions within others come before these.
  const meant = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf').reduce<readonly ErrorObject[]>((left, union) => (
    left.includes(union) ? pruned(left, union, root) : left
  ), errors)
  // Several forms may miss the same.
  return [...new Map(meant.map((error) => [JSON.stringify([error.instancePath, error.message, error.params]), error])).values()]
}
