import { z } from 'zod'

/*
 * Parameters of the methods, as far as both eras agree on them. They are checked before a server of the SDK sees
 * them: what it says about parameters that are not valid is made for its own developers.
 */

const cursor = z.looseObject({ cursor: z.string().optional() })

const shapes: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['tools/list', cursor],
  ['tools/call', z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).optional() })],
  ['resources/list', cursor],
  ['resources/templates/list', cursor],
  ['resources/read', z.looseObject({ uri: z.string() })],
  ['prompts/list', cursor],
  ['prompts/get', z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.string()).optional() })],
  ['completion/complete', z.looseObject({
    ref: z.discriminatedUnion('type', [
      z.looseObject({ type: z.literal('ref/prompt'), name: z.string() }),
      z.looseObject({ type: z.literal('ref/resource'), uri: z.string() })
    ]),
    argument: z.looseObject({ name: z.string(), value: z.string() }),
    context: z.looseObject({ arguments: z.record(z.string(), z.string()).optional() }).optional()
  })]
])

/** Those of the handshake, which is a method of the older revisions only. */
const legacyShapes: ReadonlyMap<string, z.ZodType> = new Map([
  ['initialize', z.looseObject({
    protocolVersion: z.string(),
    capabilities: z.record(z.string(), z.unknown()),
    clientInfo: z.looseObject({ name: z.string(), version: z.string() })
  })]
])

const task = z.looseObject({ taskId: z.string() })

/** Those of methods that revision 2026-07-28 has brought. */
const modernShapes: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['subscriptions/listen', z.looseObject({
    notifications: z.looseObject({
      toolsListChanged: z.boolean().optional(),
      promptsListChanged: z.boolean().optional(),
      resourcesListChanged: z.boolean().optional(),
      resourceSubscriptions: z.array(z.string()).optional()
    })
  })],
  ['tasks/get', task],
  ['tasks/update', task.extend({ inputResponses: z.record(z.string(), z.unknown()) })],
  ['tasks/cancel', task]
])

/** What is wrong with the parameters of a request, by name, or undefined. A method that has none here is not looked at. */
export function parameterProblem (method: string, params: unknown, modern: boolean): string | undefined {
  const shape = shapes.get(method) ?? (modern ? modernShapes : legacyShapes).get(method)
  const checked = shape?.safeParse(params ?? {})
  if (checked === undefined || checked.success) return undefined
  return `Invalid params: ${checked.error.issues.map(({ path, message }) => `${path.length === 0 ? 'params' : path.join('.')}: ${message}`).join('; ')}`
}
