import { readFileSync } from 'node:fs'
import { parseDocument } from '../../../plugins/openapi/document.ts'
import { generate, type GenerateOptions } from '../../../plugins/openapi/generate.ts'
import type { GeneratedTool } from '../../../plugins/openapi/generated.ts'
import type { Raw } from '../../../plugins/openapi/read/records.ts'

/** A document of the fixtures. */
export function fixture (name: string): Raw {
  return parseDocument(readFileSync(new URL(`../../fixtures/openapi/${name}`, import.meta.url), 'utf8'))
}

/** A 3.0 document with these operations. */
export function documentWith (paths: Raw, rest: Raw = {}): Raw {
  return { openapi: '3.0.3', paths, ...rest }
}

/** The tool of an operation, by its key. */
export function toolOf (key: string, document: unknown, options: GenerateOptions = {}): GeneratedTool {
  const { tools, skipped } = generate(document, { methods: ['all'], ...options })
  const tool = tools.find(({ operation }) => operation.key === key)
  if (tool === undefined) throw new Error(`there is no tool of ${key}: ${JSON.stringify(skipped)}`)
  return tool
}

/** The tool of the only operation, GET /a/ unless something else is said. */
export function toolFor (operation: Raw, { method = 'get', path = '/a/', ...rest }: { method?: string, path?: string, components?: Raw } = {}): GeneratedTool {
  return toolOf(`${method.toUpperCase()} ${path}`, documentWith({ [path]: { [method]: { responses: {}, ...operation } } }, rest))
}

/** A body of JSON. */
export function json (schema: unknown, rest: Raw = {}): Raw {
  return { requestBody: { ...rest, content: { 'application/json': { schema } } } }
}

/** Answers with JSON. */
export function answers (schema: unknown, status = '200'): Raw {
  return { responses: { [status]: { description: '', content: { 'application/json': { schema } } } } }
}
