import type { FastifyBaseLogger } from 'fastify'
import type { z } from 'zod'
import type { Principal } from '../auth/principal.ts'
import type { DjangoClient } from '../django/client.ts'

/** What a tool or a resource is called with: everything of the call, and nothing of the server. */
export interface CallContext {
  /** Identifies the call in logs, in the answer and in Django. */
  readonly correlationId: string
  /** Id of the JSON-RPC request. */
  readonly requestId: string | number
  /** Aborted when the client goes away or cancels. */
  readonly signal: AbortSignal
  /** Logger whose lines carry the correlation id. */
  readonly log: FastifyBaseLogger
  /** Who calls. */
  readonly principal: Principal
  /** Client of the Django API whose requests belong to this call and end with it. */
  readonly django: DjangoClient
  /** Tells the client how far the call is, if it asked to be told. `progress` must grow; `total` is in the same unit. */
  readonly progress: (progress: number, total?: number, message?: string) => Promise<void>
}

interface Annotations {
  audience?: Array<'user' | 'assistant'>
  priority?: number
  lastModified?: string
}

interface TextResource { uri: string, mimeType?: string, text: string }
interface BlobResource { uri: string, mimeType?: string, blob: string }

/** One block of a result, as MCP has them (server/tools, "Tool Result"). Binary data is base64. */
export type ContentBlock =
  | { type: 'text', text: string, annotations?: Annotations }
  | { type: 'image' | 'audio', data: string, mimeType: string, annotations?: Annotations }
  | { type: 'resource', resource: TextResource | BlobResource, annotations?: Annotations }
  | { type: 'resource_link', uri: string, name: string, title?: string, description?: string, mimeType?: string, annotations?: Annotations }

/** Contents of a resource; `uri` only where it is not the one that was asked for. */
export type ResourceContents = Omit<TextResource, 'uri'> & { uri?: string } | Omit<BlobResource, 'uri'> & { uri?: string }

/** Hints about a tool for people and clients (server/tools, "ToolAnnotations"). They grant nothing. */
export interface ToolAnnotations {
  readOnlyHint?: boolean
  destructiveHint?: boolean
  idempotentHint?: boolean
  openWorldHint?: boolean
}

export interface Icon {
  src: string
  mimeType?: string
  sizes?: string[]
}

/** A JSON Schema (2020-12) of an object. */
export interface ObjectSchema {
  type: 'object'
  properties?: Record<string, unknown>
  required?: readonly string[]
  [keyword: string]: unknown
}

interface ToolBase {
  /** Letters, digits, `_`, `.` and `-`; at most 64, since clients put their own prefix before it. */
  name: string
  title?: string
  /** What the tool does and when to use it, for the model that chooses. */
  description: string
  /** Scopes that a caller needs; `read` for a read-only tool and `write` for any other where it is left out. */
  scopes?: readonly string[]
  annotations?: ToolAnnotations
  icons?: readonly Icon[]
}

type MaybePromise<Value> = Value | Promise<Value>

type Arguments<Input> = Input extends z.ZodType ? z.output<Input> : Record<string, unknown>

/** What a handler gives: an object of the output schema, or text or blocks where the tool has none. */
type HandlerResult<Output> = Output extends z.ZodType ? z.input<Output> : string | ContentBlock[]

export interface ToolDefinition<
  Input extends z.ZodObject | ObjectSchema = z.ZodObject | ObjectSchema,
  Output extends z.ZodObject | undefined = z.ZodObject | undefined
> extends ToolBase {
  /** Arguments, as a zod object or a JSON Schema. Arguments that it does not name are refused. */
  input: Input
  /** The structured result. Without it the result is text or blocks. */
  output?: Output
  /** Does the work. What it throws becomes an error result: a `CallError` with its text, anything else without. */
  handler: (args: Arguments<Input>, context: CallContext) => MaybePromise<HandlerResult<Output>>
}

/** Declares a tool, so that the types of arguments and result follow from the schemas. */
export function defineTool<Input extends z.ZodObject | ObjectSchema, Output extends z.ZodObject | undefined = undefined> (
  tool: ToolDefinition<Input, Output>
): ToolDefinition<Input, Output> {
  return tool
}

export interface ResourceDefinition<Parameters extends z.ZodObject | undefined = z.ZodObject | undefined> {
  /** A URI, or a template with variables (RFC 6570): `client://{client_id}`. */
  uri: string
  name: string
  title?: string
  description: string
  mimeType?: string
  /** Scopes that a caller needs; `read` where it is left out. */
  scopes?: readonly string[]
  icons?: readonly Icon[]
  /** The variables of the template, which come as text: `z.coerce.number()` where a number is meant. */
  parameters?: Parameters
  /** Gives the contents: text, bytes, or several parts. */
  read: (parameters: Parameters extends z.ZodType ? z.output<Parameters> : Record<string, string>, context: CallContext) =>
  MaybePromise<string | Uint8Array | ResourceContents[]>
}

/** Declares a resource, so that the types of its parameters follow from the schema. */
export function defineResource<Parameters extends z.ZodObject | undefined = undefined> (
  resource: ResourceDefinition<Parameters>
): ResourceDefinition<Parameters> {
  return resource
}
