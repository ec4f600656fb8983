import { z } from 'zod'
import { isScope } from '../../checks/tokens.ts'
import type { CallContext, Completer, ObjectSchema } from './definition.ts'

/*
 * What a file must export to be a tool or a resource. The definitions' types help authors while they write; files
 * that operators drop in are JavaScript as often as not, and are checked here when they are loaded.
 */

type Run = (input: Record<string, unknown>, context: CallContext) => unknown

const run = z.custom<Run>((value) => typeof value === 'function', 'expected a function')

type RunOnState = (state: unknown, context: CallContext) => unknown

const runOnState = z.custom<RunOnState>((value) => typeof value === 'function', 'expected a function')

const zodObject = z.custom<z.ZodObject>((value) => value instanceof z.ZodObject, 'expected a zod object')

function isObjectSchema (value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'object'
}

const inputSchema = z.custom<z.ZodObject | ObjectSchema>(
  (value) => value instanceof z.ZodObject || isObjectSchema(value),
  'expected a zod object or a JSON Schema of type "object"'
)

const icons = z.array(z.object({ src: z.string(), mimeType: z.string().optional(), sizes: z.array(z.string()).optional() })).optional()

/** One that is none could be granted to nobody, and would break the challenge that names it. */
const scopes = z.array(z.string().refine(isScope, 'expected a scope without spaces and quotes')).optional()

/** Names that every client takes; some allow 64 characters and put their own prefix before the name. */
const toolName = z.string().regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, "_", "." or "-"')

export const toolShape = z.strictObject({
  name: toolName,
  title: z.string().min(1).optional(),
  description: z.string().min(1),
  scopes,
  annotations: z.strictObject({
    readOnlyHint: z.boolean().optional(),
    destructiveHint: z.boolean().optional(),
    idempotentHint: z.boolean().optional(),
    openWorldHint: z.boolean().optional()
  }).optional(),
  icons,
  cost: z.int().min(1).optional(),
  asks: z.boolean().optional(),
  input: inputSchema,
  longIntegers: z.boolean().optional(),
  output: inputSchema.optional(),
  task: z.strictObject({
    mode: z.enum(['optional', 'required']),
    state: z.custom<z.ZodType>((value) => value instanceof z.ZodType, 'expected a zod schema').optional(),
    poll: runOnState,
    cancel: runOnState.optional()
  }).optional(),
  handler: run
})

const completers = z.record(z.string(), z.custom<Completer>((value) => typeof value === 'function', 'expected a function')).optional()

export const resourceShape = z.strictObject({
  uri: z.string().regex(/^[a-z][a-z0-9+.-]*:/i, 'expected a URI with a scheme'),
  name: z.string().min(1),
  title: z.string().min(1).optional(),
  description: z.string().min(1),
  mimeType: z.string().optional(),
  scopes,
  icons,
  parameters: zodObject.optional(),
  complete: completers,
  cache: z.strictObject({ ttlMs: z.int().min(0), scope: z.enum(['public', 'private']) }).optional(),
  read: run
})

export const promptShape = z.strictObject({
  name: toolName,
  title: z.string().min(1).optional(),
  description: z.string().min(1),
  scopes,
  icons,
  arguments: zodObject.optional(),
  complete: completers,
  get: run
})

/** For whom a block is and how much it matters (server/resources, "Annotations"). */
const annotations = z.object({
  audience: z.array(z.enum(['user', 'assistant'])).optional(),
  priority: z.number().min(0).max(1).optional(),
  lastModified: z.iso.datetime({ offset: true }).optional()
}).optional()

const contents = z.union([
  z.object({ uri: z.string(), mimeType: z.string().optional(), text: z.string() }),
  z.object({ uri: z.string(), mimeType: z.string().optional(), blob: z.base64() })
])

const block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string(), annotations }),
  z.object({ type: z.literal('image'), data: z.base64(), mimeType: z.string(), annotations }),
  z.object({ type: z.literal('audio'), data: z.base64(), mimeType: z.string(), annotations }),
  z.object({ type: z.literal('resource'), resource: contents, annotations }),
  z.object({
    type: z.literal('resource_link'),
    uri: z.string(),
    name: z.string(),
    title: z.string().optional(),
    description: z.string().optional(),
    mimeType: z.string().optional(),
    annotations
  })
])

/** What the handler of a tool without output schema may give. */
export const blocksShape = z.union([z.string().transform((text) => [{ type: 'text' as const, text }]), z.array(block)])

/** What the `poll` of a task may give; the result is checked like that of a handler. */
export const progressShape = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('working'), message: z.string().optional() }),
  z.strictObject({ status: z.literal('completed'), result: z.unknown(), message: z.string().optional() })
])

/** What a handler may say about a job that it has started. */
export const startedShape = z.object({
  // It is stored with the task, and read again for every look at the job.
  state: z.json().refine((state) => JSON.stringify(state).length <= 65_536, 'too large to be kept'),
  pollSeconds: z.number().min(0.1).max(3600),
  message: z.string().optional()
})

/** What the `get` of a prompt may give. */
export const messagesShape = z.union([
  z.string().transform((text) => [{ role: 'user' as const, content: { type: 'text' as const, text } }]),
  z.array(z.object({ role: z.enum(['user', 'assistant']), content: block }))
])

/** What the `read` of a resource may give. */
export const contentsShape = z.union([
  z.string(),
  z.instanceof(Uint8Array),
  z.array(z.union([
    z.object({ uri: z.string().optional(), mimeType: z.string().optional(), text: z.string() }),
    z.object({ uri: z.string().optional(), mimeType: z.string().optional(), blob: z.base64() })
  ]))
])
