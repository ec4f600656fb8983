import { z } from 'zod'
import { CallError } from '../../errors.ts'
import { compileInput, toJsonSchema } from './arguments.ts'
import type { CallContext, ContentBlock } from './definition.ts'
import { blocksShape, toolShape } from './shapes.ts'

/** Result of a tool in the form of the protocol (server/tools, "Tool Result"). */
export interface ToolResult {
  content: ContentBlock[] | z.output<typeof blocksShape>
  structuredContent?: Record<string, unknown>
  isError?: boolean
}

/** A tool ready to be listed and called. */
export interface Tool {
  name: string
  scopes: readonly string[]
  /** The entry of `tools/list`. */
  listing: Record<string, unknown> & { name: string, inputSchema: Record<string, unknown> & { type: 'object' } }
  /**
   * Checks arguments, runs the handler and checks its result.
   * @throws whatever the handler throws, and `CallError` for what does not pass a check
   */
  call: (args: unknown, context: CallContext) => Promise<ToolResult>
}

const objectJsonSchema = z.looseObject({ type: z.literal('object') })

/** Leaves out what is undefined, which JSON has no word for. */
function defined (fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/**
 * Makes a definition into a tool: schemas are compiled here, once, and a call only looks them up.
 * @throws {z.ZodError} for something that is not a tool
 * @throws {Error} for an input schema that is not valid
 */
export function compileTool (definition: unknown): Tool {
  const { name, title, description, annotations, icons, input, output, handler, ...rest } = toolShape.parse(definition)
  const scopes = rest.scopes ?? [annotations?.readOnlyHint === true ? 'read' : 'write']
  const { jsonSchema, check } = compileInput(input)

  return {
    name,
    scopes,
    listing: {
      name,
      inputSchema: objectJsonSchema.parse(jsonSchema),
      ...defined({ title, description, annotations, icons, outputSchema: output === undefined ? undefined : toJsonSchema(output, 'output') })
    },
    async call (args, context) {
      const result = await handler(check(args), context)
      if (output === undefined) {
        const content = blocksShape.safeParse(result)
        if (content.success) return { content: content.data }
        throw new CallError('internal', 'The tool gave a result that is not valid.', { cause: content.error })
      }
      const structured = output.safeParse(result)
      if (!structured.success) throw new CallError('internal', 'The tool gave a result that is not of its form.', { cause: structured.error })
      // Clients that do not know structured content read the same as text (server/tools, "Structured Content").
      return { content: [{ type: 'text', text: JSON.stringify(structured.data) }], structuredContent: structured.data }
    }
  }
}
