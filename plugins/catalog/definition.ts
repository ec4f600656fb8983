import type { ElicitRequestFormParams, InputRequest } from '@modelcontextprotocol/server'
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
  /** Tells the client how far the call is, if it asked to be told. `progress` must grow, or nothing is told; `total` is in the same unit. */
  readonly progress: (progress: number, total?: number, message?: string) => Promise<void>
  /**
   * Asks the user, and gives the answer. The handler runs from its beginning again when the answer is there, so
   * nothing may have been changed before the last question. A tool that asks says so with `asks`.
   */
  readonly ask: (question: Question) => Promise<Answer>
  /** Asks for several things at once, each under a name of its own; for tools that need more than `ask`. */
  readonly input: (requests: Readonly<Record<string, InputRequest>>) => Promise<Readonly<Record<string, unknown>>>
  /** Whether the client of this call can be asked so: a call that asks what its client cannot do is refused. */
  readonly canAsk: (way: WayToAsk) => boolean
}

/** Asking the user, asking the client's model, and asking the client which folders it works in. */
export type WayToAsk = 'elicitation' | 'sampling' | 'roots'

/** A question to the user: to confirm something, or to give values that are missing. */
export interface Question {
  /** What the user reads. Never ask for a secret: what is answered passes through the client. */
  message: string
  /** The values that are asked for; a confirmation needs none. Only texts, numbers, booleans and choices, no objects. */
  schema?: ElicitRequestFormParams['requestedSchema']
}

/** What the user said. `content` holds the values where the question asked for some and they were given. */
export interface Answer {
  action: 'accept' | 'decline' | 'cancel'
  content: Readonly<Record<string, unknown>>
}

/** Something that a client is asked to get from its user, its model or itself (client/elicitation, sampling, roots). */
export type { InputRequest }

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

/** What a handler gives: an object of the output schema, alone or with blocks; text or blocks where the tool has none. */
type HandlerResult<Output> = Output extends z.ZodType ? z.input<Output> | WithContent<z.input<Output>>
  : Output extends ObjectSchema ? Record<string, unknown> | WithContent<Record<string, unknown>>
    : string | ContentBlock[]

/** A structured result together with blocks that are shown in the place of its JSON. */
export class WithContent<Structured> {
  readonly structured: Structured
  readonly content: ContentBlock[]

  constructor (structured: Structured, content: ContentBlock[]) {
    this.structured = structured
    this.content = content
  }
}

/** What a handler gives that has started a job which outlasts the call. Made by `startTask`. */
export class StartedTask {
  readonly state: unknown
  readonly pollSeconds: number
  readonly message: string | undefined

  constructor ({ state, pollSeconds = 5, message }: StartTaskOptions) {
    this.state = state
    this.pollSeconds = pollSeconds
    this.message = message
  }
}

export interface StartTaskOptions {
  /** What `poll` needs to find the job again, as plain JSON: the Location that Django gave. It is kept, so no secrets. */
  state: unknown
  /** Seconds between two looks at the job: 5 where it is left out, 0.1 at least. */
  pollSeconds?: number
  /** What the job is doing, in words that a user or a model may read. */
  message?: string
}

/** Says that a job has been started, in the place of a result. The tool must have a `task` that can look after it. */
export function startTask (options: StartTaskOptions): StartedTask {
  return new StartedTask(options)
}

/** What a look at a job has found. */
export type TaskProgress<Result> = { status: 'working', message?: string } | { status: 'completed', result: Result, message?: string }

/** How a tool whose work outlasts a call looks after it (extension `io.modelcontextprotocol/tasks`). */
export interface TaskDefinition<Output, State> {
  /**
   * What becomes of clients that do not know tasks: with `optional` the server waits for the job, as long as a call
   * may take; with `required` they cannot call the tool.
   */
  mode: 'optional' | 'required'
  /** A zod schema of the state. What another version of the tool has kept is checked as well. */
  state?: State
  /**
   * Looks at the job; called when a client asks and not sooner than `pollSeconds` after the last time. An error of
   * kind `unavailable`, `timeout` or `throttled` says that the job could not be looked at; any other one ends the task.
   * It may ask the user: it runs from its beginning again when the answer is there.
   */
  poll: (state: State extends z.ZodType ? z.output<State> : unknown, context: CallContext) => MaybePromise<TaskProgress<HandlerResult<Output>>>
  /** Stops the job when a client cancels the task, where that can be done. */
  cancel?: (state: State extends z.ZodType ? z.output<State> : unknown, context: CallContext) => MaybePromise<unknown>
}

export interface ToolDefinition<
  Input extends z.ZodObject | ObjectSchema = z.ZodObject | ObjectSchema,
  Output extends z.ZodObject | ObjectSchema | undefined = z.ZodObject | ObjectSchema | undefined,
  State extends z.ZodType | undefined = z.ZodType | undefined
> extends ToolBase {
  /** How many requests a call counts for in the caller's rate limit; 1 where it is left out. */
  cost?: number
  /** Whether the handler may ask the user. Older clients get an argument more, for the answer. */
  asks?: boolean
  /** Arguments, as a zod object or a JSON Schema. Arguments that it does not name are refused. */
  input: Input
  /**
   * Whether an integer of a JSON Schema may also be given as a text of 16 to 19 digits, which the handler gets as it is:
   * as a number it would not arrive exactly.
   */
  longIntegers?: boolean
  /** The structured result, as a zod object or a JSON Schema. Without it the result is text or blocks. */
  output?: Output
  /** Makes this a tool that may start a job and give `startTask(…)` in the place of a result. */
  task?: TaskDefinition<Output, State>
  /** Does the work. What it throws becomes an error result: a `CallError` with its text, anything else without. */
  handler: (args: Arguments<Input>, context: CallContext) => MaybePromise<HandlerResult<Output> | StartedTask>
}

/** Declares a tool, so that the types of arguments and result follow from the schemas. */
export function defineTool<
  Input extends z.ZodObject | ObjectSchema,
  Output extends z.ZodObject | ObjectSchema | undefined = undefined,
  State extends z.ZodType | undefined = undefined
> (tool: ToolDefinition<Input, Output, State>): ToolDefinition<Input, Output, State> {
  return tool
}

/** Values that begin with what is typed so far, at most 100 of which are sent. `given` has the other arguments that are known. */
export type Completer = (typed: string, context: CallContext, given: Readonly<Record<string, string>>) => MaybePromise<readonly string[]>

/** How long a client may keep a result, in milliseconds, and whether others than the caller may see it. */
export interface CacheHint {
  ttlMs: number
  scope: 'public' | 'private'
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
  /** Completers of the variables, by name. */
  complete?: Readonly<Record<string, Completer>>
  /** How long what is read may be kept; not at all where it is left out. */
  cache?: CacheHint
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

export interface PromptMessage {
  role: 'user' | 'assistant'
  content: ContentBlock
}

export interface PromptDefinition<Arguments extends z.ZodObject | undefined = z.ZodObject | undefined> {
  /** Letters, digits, `_`, `.` and `-`; at most 64. */
  name: string
  title?: string
  description: string
  /** Scopes that a caller needs; `read` where it is left out. */
  scopes?: readonly string[]
  icons?: readonly Icon[]
  /** The arguments, which come as text. */
  arguments?: Arguments
  /** Completers of the arguments, by name. */
  complete?: Readonly<Record<string, Completer>>
  /** Gives the messages, or the text of one message of the user. */
  get: (args: Arguments extends z.ZodType ? z.output<Arguments> : Record<string, never>, context: CallContext) => MaybePromise<string | PromptMessage[]>
}

/** Declares a prompt, so that the types of its arguments follow from the schema. */
export function definePrompt<Arguments extends z.ZodObject | undefined = undefined> (
  prompt: PromptDefinition<Arguments>
): PromptDefinition<Arguments> {
  return prompt
}
