import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { isSocketPath } from '../checks/folders.ts'
import { issuersSchema, type CheckedIssuer } from '../checks/issuers.ts'
import { privateKeyIn, publicKeyIn } from '../checks/keys.ts'
import { isHeaderText, isScope } from '../checks/tokens.ts'
import { isBaseUrl, isEndpoint, isHostName, isOrigin, isPath, isRedisUrl, withoutTrailingSlash } from '../checks/urls.ts'
import { isMethodSelector, isSelector } from '../plugins/openapi/select.ts'

/** A type of value: how to read it from text or JSON, and how to say what is expected. */
export interface Format<Schema extends z.ZodType> {
  schema: Schema
  expected: string
}

export const integer = (min: number, max: number): Format<z.ZodType<number>> => ({
  schema: z.union([z.number(), z.string().trim().regex(/^-?\d+$/).transform(Number)]).pipe(z.int().min(min).max(max)),
  expected: max === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`
})

export const flag = (): Format<z.ZodType<boolean>> => ({
  schema: z.union([z.boolean(), z.stringbool()]),
  expected: 'true or false'
})

export const oneOf = <const Value extends string>(values: readonly Value[], fold: (text: string) => string = (text) => text): Format<z.ZodType<Value>> => ({
  schema: z.string().trim().transform(fold).pipe(z.enum(values)),
  expected: `one of ${values.join(', ')}`
})

export const text = (min = 1): Format<z.ZodType<string>> => ({
  schema: z.string().min(min),
  expected: min === 1 ? 'a text' : `a text of at least ${min} characters`
})

export const headerText = (min = 1): Format<z.ZodType<string>> => ({
  schema: z.string().trim().min(min).refine(isHeaderText),
  expected: `${min === 1 ? '' : `at least ${min} `}visible ASCII characters without spaces`
})

export const path = (): Format<z.ZodType<string>> => ({
  schema: z.string().refine(isPath),
  expected: 'a path that starts with /'
})

export const absolutePath = (): Format<z.ZodType<string>> => ({
  schema: z.string().refine(isAbsolute),
  expected: 'an absolute path'
})

export const socketPath = (): Format<z.ZodType<string>> => ({
  schema: z.string().refine(isSocketPath),
  expected: 'an absolute path of at most 100 bytes'
})

export const url = (): Format<z.ZodType<string>> => ({
  schema: z.string().trim().refine(isBaseUrl).transform(withoutTrailingSlash),
  expected: 'an http or https URL without credentials, query or fragment'
})

export const endpoint = (): Format<z.ZodType<string>> => ({
  schema: z.string().trim().refine(isEndpoint),
  expected: 'an http or https URL without credentials and fragment'
})

/** The PEM in a text: as it is, with its line ends written out as in files of variables, or in the file that it names. */
function pemIn (given: string): string {
  if (!isAbsolute(given)) return given.replaceAll('\\n', '\n')
  try {
    return readFileSync(given, 'utf8')
  } catch {
    return ''
  }
}

const pem = (isKey: (pem: string) => boolean) => z.string().trim().transform(pemIn).refine(isKey)

export const privateKey = (): Format<z.ZodType<string>> => ({
  schema: z.union([z.literal('generated'), pem((text) => privateKeyIn(text) !== undefined)]),
  expected: 'the PEM of a private key of P-256, the absolute path of a file with one, or generated'
})

export const publicKey = (): Format<z.ZodType<string>> => ({
  schema: pem((text) => publicKeyIn(text) !== undefined),
  expected: 'the PEM of a key of P-256, or the absolute path of a file with one'
})

export const redisUrl = (): Format<z.ZodType<string>> => ({
  schema: z.string().trim().refine(isRedisUrl),
  expected: 'a redis or rediss URL, with user, password and number of the database where they are needed'
})

/** Entries separated by commas, or a JSON array in a configuration file. */
export const list = (what: string, entry: z.ZodType<string, string> = z.string()): Format<z.ZodType<readonly string[]>> => ({
  schema: z.union([z.array(z.string()), z.string().transform((value) => value.split(','))])
    .transform((entries) => entries.map((value) => value.trim()).filter((value) => value !== ''))
    .pipe(z.array(entry)),
  expected: `${what}, separated by commas`
})

function parsedJson (text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('JSON')
    return z.NEVER
  }
}

/** Entries as JSON, or as they are in a configuration file. */
export const issuers = (): Format<z.ZodType<readonly CheckedIssuer[]>> => ({
  schema: z.union([z.string().transform(parsedJson), z.array(z.unknown())]).pipe(issuersSchema),
  expected: 'a JSON list of issuers'
})

export const origin = z.string().refine(isOrigin)

export const hostName = z.string().refine((value) => value === '*' || isHostName(value))

export const addressRange = z.string().refine((value) => {
  const [address = '', prefix, ...rest] = value.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return isIP(address) !== 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits))
})

export const selector = z.string().refine(isSelector)

export const methodSelector = z.string().refine(isMethodSelector)

export const scope = z.string().refine(isScope)
