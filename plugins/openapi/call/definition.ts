import { randomUUID } from 'node:crypto'
import { grants } from '../../auth/principal.ts'
import { WithContent, type CallContext, type ObjectSchema, type ToolDefinition } from '../../catalog/definition.ts'
import { cleanText } from '../../catalog/text.ts'
import type { GeneratedTool } from '../generated.ts'
import { declared } from './declared.ts'
import { callErrorFor } from './errors.ts'
import { hostOf } from './hosts.ts'
import type { Locate } from './locate.ts'
import { requestFor } from './request.ts'
import { withResources, type ReadResource } from './resource-file.ts'
import { resultFor, type CallResult } from './result.ts'

export interface CallOptions {
  /** UTF-8 bytes of an answer that is shown; 40,000 where it is left out. */
  readonly maxResultBytes?: number | undefined
  /** Finds the tool that reads what an answer's Location names. */
  readonly locate?: Locate | undefined
  /** A tool by its name, where it is there; each that a tool knows of is where it is left out. */
  readonly named?: ((name: string) => GeneratedTool | undefined) | undefined
  /** Reads resources of this server, whose URIs may stand for files. */
  readonly readResource?: ReadResource | undefined
  /** Whether the API does nothing twice that comes with the same Idempotency-Key, also where its document does not say so. */
  readonly honoursIdempotencyKeys?: boolean | undefined
}

const notAgreed = 'Nothing was done: the user did not agree.'

/** Characters of a value in a question to the user. */
const maxShown = 200

/** What the user is asked: the question, and the values that it is about. */
function questionFor (confirm: string, args: Readonly<Record<string, unknown>>): string {
  const values = Object.entries(args).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${name}: ${cleanText(text.length > maxShown ? `${text.slice(0, maxShown)}…` : text).replaceAll(/\s+/g, ' ')}`
  })
  return [confirm, ...values].join('\n')
}

function declaresIdempotencyKey ({ operation }: GeneratedTool): boolean {
  return operation.parameters.some(({ name, in: place }) => place === 'header' && name.toLowerCase() === 'idempotency-key')
}

/** A generated tool as the catalog takes it: a call is one request to Django, after the user's consent where it is asked for. */
export function toolDefinition (tool: GeneratedTool, options: CallOptions = {}): ToolDefinition<ObjectSchema> {
  const { name, title, description, scopes, annotations, confirm, operation } = tool
  // A key does no harm where it is not known; but only an API that knows it may get the same request twice.
  const hasKey = operation.method === 'POST' || operation.method === 'PATCH'
  const honoured = hasKey && (options.honoursIdempotencyKeys === true || declaresIdempotencyKey(tool))

  async function handler (checked: Record<string, unknown>, context: CallContext): Promise<CallResult> {
    const given = declared(tool, checked)
    const args = await withResources(tool, given, context, options.readResource)
    const request = requestFor(tool, args)
    if (confirm !== undefined) {
      const { action } = await context.ask({ message: questionFor(confirm, given) })
      if (action !== 'accept') return tool.outputSchema === undefined ? notAgreed : new WithContent({ done: false }, [{ type: 'text', text: notAgreed }])
    }
    const answer = await context.django.send(
      hasKey ? { ...request, headers: { ...request.headers, 'idempotency-key': randomUUID() } } : request,
      honoured ? true : undefined
    )
    const host = hostOf(context.django.baseUrl)
    const hosts = host === undefined ? [] : [host]
    if (answer.status < 200 || answer.status > 299) throw callErrorFor(tool, args, answer, hosts)
    const { locate, named } = options
    return resultFor(tool, given, answer, {
      maxBytes: options.maxResultBytes,
      hosts,
      // Of a tool that the caller may not call, it is not told either.
      isThere: named === undefined ? undefined : (name) => {
        const found = named(name)
        return found !== undefined && grants(context.principal, found.scopes)
      },
      locate: locate === undefined ? undefined : (address) => {
        const found = locate(address)
        return found !== undefined && grants(context.principal, found.tool.scopes) ? found : undefined
      }
    })
  }

  return {
    name,
    description,
    scopes,
    annotations,
    input: tool.inputSchema,
    // Identifiers of answers keep all of their digits, and can be given back.
    longIntegers: true,
    asks: confirm !== undefined,
    handler,
    ...title === undefined ? {} : { title },
    ...tool.outputSchema === undefined ? {} : { output: tool.outputSchema }
  }
}
