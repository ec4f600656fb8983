import { z } from 'zod'

/*
 * Methods and their parameters. They are checked here, once, and not by a server of the SDK as well: what it says about
 * parameters that are not valid is made for its own developers.
 */

/** Parameters of the methods, as far as both eras agree on them. */
export const shapes = {
  list: z.looseObject({ cursor: z.string().optional() }),
  callTool: z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).optional() }),
  readResource: z.looseObject({ uri: z.string() }),
  getPrompt: z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.string()).optional() }),
  complete: z.looseObject({
    ref: z.discriminatedUnion('type', [
      z.looseObject({ type: z.literal('ref/prompt'), name: z.string() }),
      z.looseObject({ type: z.literal('ref/resource'), uri: z.string() })
    ]),
    argument: z.looseObject({ name: z.string(), value: z.string() }),
    context: z.looseObject({ arguments: z.record(z.string(), z.string()).optional() }).optional()
  }),
  listen: z.looseObject({
    notifications: z.looseObject({
      toolsListChanged: z.boolean().optional(),
      promptsListChanged: z.boolean().optional(),
      resourcesListChanged: z.boolean().optional(),
      resourceSubscriptions: z.array(z.string()).optional()
    })
  }),
  task: z.looseObject({ taskId: z.string() }),
  updateTask: z.looseObject({ taskId: z.string(), inputResponses: z.record(z.string(), z.unknown()) }),
  initialize: z.looseObject({
    protocolVersion: z.string(),
    capabilities: z.record(z.string(), z.unknown()),
    clientInfo: z.looseObject({ name: z.string(), version: z.string() })
  })
} satisfies Record<string, z.ZodType>

/** Serves one request; `Context` is what it needs beside its parameters. */
export type Handle<Context> = (context: Context) => Promise<object>

/** One request of a method: what is wrong with its parameters, by name, or how it is served. The SDK serves what has no `handle`. */
export type Prepared<Context> = { problem: string } | { handle: Handle<Context> | undefined }

/** A method as one era serves it. */
export type Method<Context> = (params: unknown) => Prepared<Context>

/** A method whose parameters are checked before anything else is done for it. */
export function method<Shape extends z.ZodType, Context> (shape: Shape, handler?: (params: z.output<Shape>, context: Context) => object | Promise<object>): Method<Context> {
  return (params) => {
    const { success, data, error } = shape.safeParse(params ?? {})
    if (success) return { handle: handler === undefined ? undefined : async (context) => await handler(data, context) }
    return { problem: `Invalid params: ${error.issues.map(({ path, message }) => `${path.length === 0 ? 'params' : path.join('.')}: ${message}`).join('; ')}` }
  }
}
