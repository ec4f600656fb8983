import type { ErrorObject } from 'ajv'
import { z } from 'zod'
import { isRecord } from '../../checks/records.ts'
import { probablyMeant } from '../../checks/spelling.ts'
import { CallError, type Problem } from '../../errors.ts'
import type { ObjectSchema } from './definition.ts'
import { ajvFor } from './dialects.ts'
import { ofMeantForms, resolvedIn } from './unions.ts'

/** Checks arguments and gives what the handler gets, defaults filled in. Throws a `CallError` that names every wrong argument. */
export type ArgumentCheck = (args: unknown) => Record<string, unknown>

/** An input schema in both forms: as clients see it, and as a check. */
export interface CompiledInput {
  jsonSchema: Record<string, unknown>
  check: ArgumentCheck
}

function unknownArgument (name: string, known: readonly string[], owner?: string): Problem {
  const meant = owner === undefined ? probablyMeant(name, known) : undefined
  const hint = owner !== undefined ? `; it belongs into ${owner}` : meant === undefined ? '' : `; did you mean ${meant}?`
  return { path: name, message: `is not an argument of this tool${hint}` }
}

/** The argument that has a field of this name: models like to give the fields of an object side by side. */
function ownerOf (name: string, { properties = {}, ...root }: ObjectSchema): string | undefined {
  const hasIt = (schema: unknown): boolean => {
    const { properties: fields, anyOf } = resolvedIn(schema, root)
    return (isRecord(fields) && Object.hasOwn(fields, name)) || (Array.isArray(anyOf) && anyOf.some(hasIt))
  }
  return Object.keys(properties).find((argument) => hasIt(properties[argument]))
}

function refuse (problems: Problem[]): never {
  throw new CallError('invalid_input', 'The arguments are not valid.', { problems })
}

/** Choices that a message names. */
const maxChoices = 30

/** What a value must be one of, and which one was probably meant. */
function oneOf (choices: readonly unknown[], given: unknown): string {
  const named = choices.slice(0, maxChoices).map((choice) => JSON.stringify(choice)).join(', ')
  const meant = typeof given === 'string' ? probablyMeant(given, choices.filter((choice) => typeof choice === 'string'), (length) => Math.floor(length / 3)) : undefined
  return `must be one of ${named}${choices.length > maxChoices ? ` and ${choices.length - maxChoices} more` : ''}${meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`}`
}

function valueAt (args: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined, args)
}

function problemsOf (issues: readonly z.core.$ZodIssue[], known: readonly string[], args: unknown): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0) return issue.keys.map((key) => unknownArgument(key, known))
    const given = issue.code === 'invalid_value' ? valueAt(args, issue.path) : undefined
    return [{ path: issue.path.join('.'), message: issue.code === 'invalid_value' && given !== undefined ? oneOf(issue.values, given) : issue.message }]
  })
}

/** The bounds that zod writes for every integer say nothing that a model needs. */
function withoutSafeIntegerBounds ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}

/** A zod schema as JSON Schema 2020-12, the dialect that MCP takes where none is named. */
export function toJsonSchema (schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...jsonSchema } = z.toJSONSchema(schema, { io, override: withoutSafeIntegerBounds })
  return jsonSchema
}

function compileZod (input: z.ZodObject): CompiledInput {
  const schema = input.strict()
  const known = Object.keys(schema.shape)
  return {
    jsonSchema: toJsonSchema(schema, 'input'),
    check (args) {
      const parsed = schema.safeParse(args)
      return parsed.success ? parsed.data : refuse(problemsOf(parsed.error.issues, known, args))
    }
  }
}

function problemOf ({ keyword, instancePath, params, message = 'is not valid' }: ErrorObject, input: ObjectSchema, args: unknown): Problem {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const within = (name: unknown): string => path === '' ? String(name) : `${path}.${String(name)}`
  if (keyword === 'required') return { path: within(params.missingProperty), message: 'is required' }
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty)
    return path === '' ? unknownArgument(name, Object.keys(input.properties ?? {}), ownerOf(name, input)) : { path: within(name), message: 'is not known here' }
  }
  if (keyword === 'enum' && Array.isArray(params.allowedValues)) return { path, message: oneOf(params.allowedValues, valueAt(args, path.split('.'))) }
  return { path, message }
}

const argumentObject = z.record(z.string(), z.unknown())

/** When a JSON Schema is compiled, which takes milliseconds: at once, so that a bad one is found, or for the first call. */
export type CompileWhen = 'now' | 'when called'

/** The check of a JSON Schema, and the Ajv that it is of. */
function validatorOf (schema: ObjectSchema, when: CompileWhen) {
  const { ajv, compilable } = ajvFor(schema, when === 'now' ? 'refused' : 'passed over')
  const compile = () => {
    const validate = ajv.compile(compilable)
    // Ajv remembers every schema for good, also those of tools that a newer catalog has replaced.
    ajv.removeSchema(compilable)
    return validate
  }
  let compiled = when === 'now' ? compile() : undefined
  return { ajv, validator: () => compiled ??= compile() }
}

/** Whether it is all that is wrong with a value that it is an integer of many digits, given as a text. */
function isLongInteger ({ keyword, params, data }: ErrorObject): boolean {
  const expected: unknown = params.type
  return keyword === 'type' && typeof data === 'string' && /^-?\d{16,19}$/.test(data) && (Array.isArray(expected) ? expected : [expected]).includes('integer')
}

function compileJsonSchema (input: ObjectSchema, when: CompileWhen, longIntegers: boolean): CompiledInput {
  const jsonSchema = { additionalProperties: false, ...input }
  const { validator } = validatorOf(jsonSchema, when)
  return {
    jsonSchema,
    check (args) {
      const validate = validator()
      // Defaults are written into what is checked, which is the client's message.
      const copy: unknown = structuredClone(args)
      if (!validate(copy)) {
        const errors = ofMeantForms(validate.errors ?? [], input).filter((error) => !(longIntegers && isLongInteger(error)))
        if (errors.length > 0) return refuse(errors.map((error) => problemOf(error, input, copy)))
      }
      return argumentObject.parse(copy)
    }
  }
}

/**
 * Compiles a tool's input.
 * @param longIntegers whether integers of many digits may be given as texts
 * @throws {Error} for a JSON Schema that is not valid
 */
export function compileInput (input: z.ZodObject | ObjectSchema, when: CompileWhen = 'now', longIntegers = false): CompiledInput {
  return input instanceof z.ZodObject ? compileZod(input) : compileJsonSchema(input, when, longIntegers)
}

/** An output schema in both forms; the check throws for a result that is not of it. */
export interface CompiledOutput {
  jsonSchema: Record<string, unknown>
  check: (result: unknown) => Record<string, unknown>
}

/**
 * Compiles a tool's output.
 * @throws {Error} for a JSON Schema that is not valid
 */
export function compileOutput (output: z.ZodObject | ObjectSchema, when: CompileWhen = 'now'): CompiledOutput {
  if (output instanceof z.ZodObject) return { jsonSchema: toJsonSchema(output, 'output'), check: (result) => output.parse(result) }
  const { ajv, validator } = validatorOf(output, when)
  return {
    jsonSchema: output,
    check (result) {
      const validate = validator()
      if (!validate(result)) throw new Error(ajv.errorsText(validate.errors))
      return argumentObject.parse(result)
    }
  }
}
