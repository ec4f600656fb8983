import type { FastifyInstance } from 'fastify'
import { isRecord } from '../../checks/records.ts'
import { grants, type Principal } from '../../plugins/auth/index.ts'
import { CallError } from '../../errors.ts'
import { asCallError, type Prompt, type Resource, type ToolResult } from '../../plugins/catalog/index.ts'
import { cleanText } from '../../plugins/catalog/text.ts'
import type { CacheHint, Completer } from '../../plugins/catalog/definition.ts'
import { InputNeeded } from './asking.ts'
import { errorCodes } from './protocol-error.ts'
import { errorResult, fail, logFailure, refuse, run, type McpRequest } from './request.ts'
import { refusalWithoutTasks, withTask, type CreatedTask } from './tasks/start.ts'

/*
 * The methods of the protocol on the catalog, for both of its eras. A leg brings the request here and the result back
 * in the form of its era; it decides nothing.
 */

/** What a call comes to that fails: a result that a model can read. */
export function failedCall (request: McpRequest, tool: string, error: CallError): ToolResult {
  request.operation.failed(error)
  logFailure(request, { tool }, error)
  return errorResult(request, error)
}

/**
 * `tools/call`. What goes wrong in the tool is a result that a model can read; only an unknown tool is a protocol error.
 * @throws {ProtocolError}
 * @throws {InputNeeded} where the tool asks and there is no answer yet
 */
export async function callTool (app: FastifyInstance, request: McpRequest, name: string, args: unknown): Promise<ToolResult | CreatedTask> {
  const { operation } = request
  const tool = app.catalog.tool(name)
  operation.calls(tool?.name)
  if (tool === undefined) return refuse(request, errorCodes.invalidParams, `Unknown tool: ${cleanText(name.slice(0, 100))}`)
  const refusal = refusalWithoutTasks(request, tool)
  if (refusal !== undefined) return refusal
  try {
    const result = await withTask(app, request, tool, () => run(app, request, `tool.${tool.name}`, (context) => tool.call(args ?? {}, context)))
    if ('taskId' in result) return result
    operation.gave(result.content.reduce((bytes, block) => bytes + (block.type === 'text' ? Buffer.byteLength(block.text) : 0), 0))
    return result
  } catch (thrown) {
    if (!(thrown instanceof InputNeeded)) return failedCall(request, tool.name, asCallError(thrown))
    if (tool.asks) throw thrown
    // Clients of one era could not bring an answer, so that nobody is left in the belief that it works.
    return failedCall(request, tool.name, new CallError('internal', 'This tool asks, and does not declare that it does.'))
  }
}

/**
 * `resources/read`. Reading has no error results, so everything that goes wrong is a protocol error.
 * @throws {ProtocolError}
 * @throws {InputNeeded}
 */
export async function readResource (app: FastifyInstance, request: McpRequest, uri: string): Promise<{ contents: Awaited<ReturnType<Resource['read']>>, cache: CacheHint }> {
  // Revision 2026-07-28 has no code of its own for this (server/resources, "Error Handling").
  const notFound = request.era === 'legacy' ? errorCodes.resourceNotFound : errorCodes.invalidParams
  const data = { uri: uri.slice(0, 2048) }
  const found = app.catalog.resource(uri)
  if (found === undefined) return refuse(request, notFound, 'Resource not found', data)
  const { resource, variables } = found
  try {
    return { contents: await run(app, request, `resource.${resource.listing.name}`, (context) => resource.read(uri, variables, context)), cache: resource.cache }
  } catch (thrown) {
    if (thrown instanceof InputNeeded) throw thrown
    return fail(request, { resource: resource.uri }, thrown, ({ kind }) => (
      kind === 'not_found' ? notFound : kind === 'invalid_input' ? errorCodes.invalidParams : errorCodes.internalError
    ), data)
  }
}

/**
 * `prompts/get`.
 * @throws {ProtocolError}
 * @throws {InputNeeded}
 */
export async function getPrompt (app: FastifyInstance, request: McpRequest, name: string, args: unknown): Promise<{ description: string, messages: Awaited<ReturnType<Prompt['get']>> }> {
  const prompt = app.catalog.prompt(name)
  if (prompt === undefined) return refuse(request, errorCodes.invalidParams, `Unknown prompt: ${cleanText(name.slice(0, 100))}`)
  try {
    return { description: prompt.description, messages: await run(app, request, `prompt.${prompt.name}`, (context) => prompt.get(args, context)) }
  } catch (thrown) {
    if (thrown instanceof InputNeeded) throw thrown
    return fail(request, { prompt: prompt.name }, thrown, ({ kind }) => kind === 'invalid_input' ? errorCodes.invalidParams : errorCodes.internalError)
  }
}

/** What a completion is for: an argument of a prompt, or a variable of a resource's template. */
export type CompletionReference = { type: 'ref/prompt', name: string } | { type: 'ref/resource', uri: string }

/** Values that are sent at most (server/utilities/completion). */
const maxCompletions = 100

function completersOf (app: FastifyInstance, request: McpRequest, reference: CompletionReference): Readonly<Record<string, Completer>> {
  const item = reference.type === 'ref/prompt' ? app.catalog.prompt(reference.name) : app.catalog.template(reference.uri)
  // What a caller may not use is not there for it.
  if (item === undefined || !grants(request.principal, item.scopes)) return refuse(request, errorCodes.invalidParams, 'Nothing to complete: unknown reference')
  return item.completers
}

/**
 * `completion/complete`.
 * @throws {ProtocolError} for a reference to nothing, and where a completer fails
 */
export async function complete (app: FastifyInstance, request: McpRequest, reference: CompletionReference, argument: { name: string, value: string }, given: Readonly<Record<string, string>>): Promise<{ values: string[], total: number, hasMore: boolean }> {
  const completers = completersOf(app, request, reference)
  const completer = Object.hasOwn(completers, argument.name) ? completers[argument.name] : undefined
  if (completer === undefined) return { values: [], total: 0, hasMore: false }
  try {
    const values = await run(app, request, 'completion', (context) => completer(argument.value, context, given))
    return { values: values.slice(0, maxCompletions).map(cleanText), total: values.length, hasMore: values.length > maxCompletions }
  } catch (thrown) {
    return fail(request, { completion: argument.name }, thrown, () => errorCodes.internalError)
  }
}

/**
 * Scopes that a request needs beyond those that every request needs. What is not there is refused to a caller like
 * what it may not use, so that trying names tells nothing.
 */
export function scopesFor ({ catalog }: FastifyInstance, principal: Principal, method: string | undefined, { name, uri, ref, arguments: args }: Readonly<Record<string, unknown>>): readonly string[] {
  if (method === 'tools/call' && typeof name === 'string') return catalog.toolScopes(principal, name, args)
  if (method === 'prompts/get' && typeof name === 'string') return catalog.promptScopes(principal, name)
  if (method === 'resources/read' && typeof uri === 'string') return catalog.resourceScopes(principal, uri)
  if (method === 'completion/complete' && isRecord(ref)) {
    if (typeof ref.name === 'string') return catalog.promptScopes(principal, ref.name)
    if (typeof ref.uri === 'string') return catalog.template(ref.uri)?.scopes ?? catalog.resourceScopes(principal, ref.uri)
  }
  return []
}
