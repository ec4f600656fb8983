import { z } from 'zod'
import { CallError } from '../../errors.ts'
import type { Principal } from '../auth/principal.ts'
import { compileInput, compileOutput, type CompiledOutput, type CompileWhen } from './arguments.ts'
import { StartedTask, WithContent, type CallContext, type ContentBlock } from './definition.ts'
import { parameterHeaders, type ParameterHeader } from './parameter-headers.ts'
import type { Rank } from './permitted-list.ts'
import { blocksShape, toolShape } from './shapes.ts'
import { cleanBlocks, cleanListing, cleanValue, isCleanJson } from './text.ts'
import { compileTask, startedJob, type StartedJob, type ToolTask } from './task.ts'

/** Result of a tool in the form of the protocol (server/tools, "Tool Result"). */
export interface ToolResult {
  content: ContentBlock[] | z.output<typeof blocksShape>
  structuredContent?: Record<string, unknown>
  isError?: boolean
}

/** The entry of `tools/list`. */
export type ToolListing = Record<string, unknown> & { name: string, inputSchema: Record<string, unknown> & { type: 'object' } }

/** A tool ready to be listed and called. */
export interface Tool {
  name: string
  scopes: readonly string[]
  /**
   * Scopes that a call with these arguments needs, where they differ from call to call: all of them, in the place of
   * `scopes`. Undefined where the arguments do not say.
   */
  scopesFor?: (principal: Principal, args: unknown, rank: Rank) => readonly string[] | undefined
  listing: ToolListing
  /** Whether something that nobody sees, or too much, was taken out of the listing. */
  cleaned: boolean
  /** Requests that a call counts for. */
  cost: number
  /** Whether the handler may ask the user. */
  asks: boolean
  /** Arguments that clients repeat in headers. */
  parameterHeaders: readonly ParameterHeader[]
  /** How the jobs are looked after that the handler may start; undefined where it starts none. */
  task: ToolTask | undefined
  /**
   * Checks arguments, runs the handler and checks its result.
   * @throws whatever the handler throws, and `CallError` for what does not pass a check
   */
  call: (args: unknown, context: CallContext) => Promise<ToolResult | StartedJob>
}

const structuredShape = z.record(z.string(), z.unknown())

const objectJsonSchema = z.looseObject({ type: z.literal('object') })

/** Leaves out what is undefined, which JSON has no word for. */
export function defined (fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function blocksFrom (result: unknown): ToolResult['content'] {
  const content = blocksShape.safeParse(result)
  if (content.success) return cleanBlocks(content.data)
  throw new CallError('internal', 'The tool gave a result that is not valid.', { cause: content.error })
}

function structuredFrom (output: CompiledOutput, result: unknown): ToolResult {
  const { structured, content } = result instanceof WithContent ? result : { structured: result, content: undefined }
  let checked: Record<string, unknown>
  try {
    checked = output.check(structured)
  } catch (cause) {
    throw new CallError('internal', 'The tool gave a result that is not of its form.', { cause })
  }
  if (content !== undefined) return { content: blocksFrom(content), structuredContent: structuredShape.parse(cleanValue(checked)) }
  let text = JSON.stringify(checked)
  if (!isCleanJson(text)) {
    checked = structuredShape.parse(cleanValue(checked))
    text = JSON.stringify(checked)
  }
  // Clients that do not know structured content read the same as text (server/tools, "Structured Content").
  return { content: [{ type: 'text', text }], structuredContent: checked }
}

/**
 * Makes a definition into a tool: schemas are compiled here, once, and a call only looks them up.
 * @param when JSON Schemas are compiled; `when called` for tools that are made by the hundred, from schemas that we write
 * @throws {z.ZodError} for something that is not a tool
 * @throws {Error} for a schema that is not valid
 */
export function compileTool (definition: unknown, when: CompileWhen = 'now'): Tool {
  const { name, title, description, annotations, icons, handler, asks = false, cost = 1, ...rest } = toolShape.parse(definition)
  const { jsonSchema, check } = compileInput(rest.input, when, rest.longIntegers)
  const output = rest.output === undefined ? undefined : compileOutput(rest.output, when)
  const resultFrom = (result: unknown): ToolResult => output === undefined ? { content: blocksFrom(result) } : structuredFrom(output, result)
  const task = rest.task === undefined ? undefined : compileTask(rest.task, resultFrom)

  const given = {
    name,
    inputSchema: objectJsonSchema.parse(jsonSchema),
    ...defined({ title, description, annotations, icons, outputSchema: output?.jsonSchema })
  }
  const listing = cleanListing(given)

  return {
    name,
    scopes: rest.scopes ?? [annotations?.readOnlyHint === true ? 'read' : 'write'],
    cost,
    asks,
    task,
    parameterHeaders: parameterHeaders(jsonSchema),
    listing,
    cleaned: listing !== given,
    async call (args, context) {
      const result = await handler(check(args), context)
      return task !== undefined && result instanceof StartedTask ? startedJob(task, result) : resultFrom(result)
    }
  }
}
