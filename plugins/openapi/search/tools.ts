import { z } from 'zod'
import { isRecord } from '../../../checks/records.ts'
import { probablyMeant } from '../../../checks/spelling.ts'
import { CallError } from '../../../errors.ts'
import { withIncluded, anonymous, type Principal } from '../../auth/principal.ts'
import { compileInput } from '../../catalog/arguments.ts'
import type { CallContext, ToolAnnotations } from '../../catalog/definition.ts'
import type { Tool, ToolResult } from '../../catalog/index.ts'
import { PermittedList } from '../../catalog/permitted-list.ts'
import { cleanListing, cleanText } from '../../catalog/text.ts'
import { details, hit, signature, tagLine } from './answers.ts'
import { commonScopes, Operations, type SearchedOperation } from './operations.ts'
import { wordsOf } from './words.ts'

/*
 * The tools that stand for an API which is too big for a list: one that finds operations, one that describes them, and
 * one or two that call them. What a caller may not call is not there for it: it is neither found nor described, and a
 * call of it is refused like that of a name that does not exist, with scopes to ask for.
 */

/** Names of the tools. */
const names = { search: 'search_operations', describe: 'describe_operations', read: 'call_read_operation', call: 'call_operation' } as const

/** Operations that are described in one answer. */
const maxDescribed = 10
/** Characters of an answer of `describe_operations`: a few operations of a large API are a book. */
const maxDescription = 40_000
/** Names that are offered in the place of one that does not exist. */
const maxNearest = 3
/** Letters by which a name may differ from one that the caller knows to count as misspelt. */
const misspelt = 2
/** Characters of the list of tags, in an answer and in the description of a tool. */
const tagLength = 600

interface ToolParts<Input extends z.ZodObject> {
  name: string
  title: string
  description: string
  input: Input
  scopes: readonly string[]
  annotations: ToolAnnotations
  asks?: boolean
  scopesFor?: NonNullable<Tool['scopesFor']>
  /** Refuses what can be told better than the schema tells it. */
  refuse?: (args: unknown) => void
  call: (args: z.output<Input>, context: CallContext) => ToolResult | ReturnType<Tool['call']>
}

const objectSchema = z.looseObject({ type: z.literal('object') })

function toolOf<Input extends z.ZodObject> ({ name, title, description, input, scopes, annotations, asks = false, scopesFor, refuse, call }: ToolParts<Input>): Tool {
  const { jsonSchema, check } = compileInput(input)
  const given = { name, title, description, inputSchema: objectSchema.parse(jsonSchema), annotations }
  const listing = cleanListing(given)
  return {
    name,
    scopes,
    ...scopesFor === undefined ? {} : { scopesFor },
    asks,
    cost: 1,
    task: undefined,
    parameterHeaders: [],
    listing,
    cleaned: listing !== given,
    call: async (args, context) => {
      refuse?.(args)
      return await call(input.parse(check(args)), context)
    }
  }
}

function textResult (text: string): ToolResult {
  return { content: [{ type: 'text', text: cleanText(text) }] }
}

function isReadOnly ({ generated }: SearchedOperation): boolean {
  return generated.annotations.readOnlyHint === true
}

function callerFor ({ generated }: SearchedOperation): string {
  return generated.annotations.readOnlyHint === true ? names.read : names.call
}

/** Names that may have been meant by one that is none, of those that the caller may call. */
function nearestTo (operations: Operations, principal: Principal, name: string): string[] {
  const known = operations.find(principal, {}).map(({ generated }) => generated.name)
  const spelt = probablyMeant(name, known)
  const alike = operations.find(principal, { query: wordsOf(name).join(' ') }).map(({ generated }) => generated.name)
  return [...new Set([...spelt === undefined ? [] : [spelt], ...alike])].slice(0, maxNearest)
}

function unknownOperation (operations: Operations, principal: Principal, name: string): string {
  const nearest = nearestTo(operations, principal, name)
  return nearest.length === 0
    ? `there is no operation of this name; ${names.search} finds those there are`
    : `there is no operation of this name; the nearest are ${nearest.join(', ')}`
}

function searchTool (operations: Operations, scopes: readonly string[]): Tool {
  // Everybody reads the same description, so it tells of nothing that needs more than the tool itself.
  const tags = tagLine(operations.tags({ ...anonymous, scopes: withIncluded(scopes) }), tagLength)
  return toolOf({
    name: names.search,
    title: 'Search operations',
    description: [
      `Finds operations of the API by what they do, the best fit first. Use it before ${names.describe} and the tools that call operations.`,
      ...tags === '' ? [] : [`Tags, with the number of operations: ${tags}.`]
    ].join(' '),
    scopes,
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: z.object({
      query: z.string().min(1).max(500).optional().describe('What you want to do, in a few words: "list the invoices of a client"'),
      tag: z.string().optional().describe('Only operations with this tag'),
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional().describe('Only operations with this HTTP method'),
      path: z.string().optional().describe('Only operations whose path contains this'),
      limit: z.int().min(1).max(50).default(8).describe('How many at most')
    }),
    call ({ limit, ...question }, { principal }) {
      const found = operations.find(principal, question)
      if (found.length === 0) {
        const tags = operations.tags(principal)
        const meant = question.tag === undefined ? undefined : probablyMeant(question.tag, tags.map(([tag]) => tag))
        return textResult(`No operation fits.${meant === undefined || meant.toLowerCase() === question.tag?.toLowerCase() ? '' : ` Did you mean the tag ${JSON.stringify(meant)}?`} Use other words, or one of these tags, with the number of operations: ${tagLine(tags, tagLength)}`)
      }
      const shown = found.slice(0, limit)
      return textResult([
        ...shown.map(hit),
        `${shown.length} of ${found.length} operations that fit, the best first.${shown.length < found.length ? ' Narrow the search by tag, method or path, or raise limit.' : ''}`,
        `${names.describe} tells the arguments in full. GET operations are called with ${names.read}${operations.find(principal, {}).every(isReadOnly) ? '' : `, others with ${names.call}`}.`
      ].join('\n'))
    }
  })
}

function describeTool (operations: Operations, scopes: readonly string[]): Tool {
  return toolOf({
    name: names.describe,
    title: 'Describe operations',
    description: `Tells what operations do and which arguments they take, as JSON Schema. The names come from ${names.search}.`,
    scopes,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    input: z.object({
      operations: z.array(z.string()).min(1).max(maxDescribed).describe('Names of operations')
    }),
    call ({ operations: asked }, { principal }) {
      const wanted = [...new Set(asked)]
      const found = wanted.flatMap((name) => operations.get(principal, name) ?? [])
      const unknown = wanted.filter((name) => operations.get(principal, name) === undefined)
      if (found.length === 0) {
        throw new CallError('invalid_input', 'The arguments are not valid.', {
          problems: unknown.map((name) => ({ path: 'operations', message: `${JSON.stringify(name.slice(0, 100))}: ${unknownOperation(operations, principal, name)}` }))
        })
      }
      const parts: string[] = []
      let length = 0
      for (const operation of found) {
        const part = JSON.stringify(details(operation, callerFor(operation)))
        length += part.length
        parts.push(length <= maxDescription || parts.length === 0 ? part : `${operation.generated.name} did not fit: ask for it by itself.`)
      }
      parts.push(...unknown.map((name) => `${name.slice(0, 100)}: ${unknownOperation(operations, principal, name)}`))
      return textResult(parts.join('\n'))
    }
  })
}

/** Names that stand beside `operation`, where models like to put the arguments of the operation. */
function refuseMisplaced (given: unknown): void {
  if (!isRecord(given) || typeof given.operation !== 'string' || given.arguments !== undefined) return
  const names = Object.keys(given).filter((name) => name !== 'operation')
  if (names.length === 0) return
  throw new CallError('invalid_input', 'The arguments are not valid.', { problems: names.map((path) => ({ path, message: 'belongs into arguments, with the other arguments of the operation' })) })
}

/** Calls an operation; its own schema checks the arguments, and what is wrong with them is told with how it is called. */
async function callOperation ({ generated, tool }: SearchedOperation, args: Record<string, unknown>, context: CallContext): ReturnType<Tool['call']> {
  try {
    return await tool.call(args, context)
  } catch (error) {
    if (!(error instanceof CallError) || error.kind !== 'invalid_input') throw error
    throw new CallError('invalid_input', error.message, {
      ...error.status === undefined ? {} : { status: error.status },
      problems: [...error.problems, { path: '', message: `the operation is ${signature(generated)}` }],
      cause: error.cause
    })
  }
}

const namesOperation = z.looseObject({ operation: z.string() })

/**
 * Scopes that the call of an operation needs, so that whoever lacks some hears which. A name that is none needs those
 * of one that is hidden, so that trying names tells nothing, unless it is one that the caller knows and misspelt.
 */
function scopesOfCall (operations: Operations, callable: readonly SearchedOperation[]): NonNullable<Tool['scopesFor']> {
  const scopes = new Map(callable.map(({ generated, tool }) => [generated.name, tool.scopes]))
  const permitted = new PermittedList(callable.map(({ generated, tool }) => ({ scopes: tool.scopes, entry: generated.name })))
  return (principal, args, rank) => {
    const name = namesOperation.safeParse(args).data?.operation
    if (name === undefined || operations.get(principal, name) !== undefined || probablyMeant(name, permitted.of(principal), () => misspelt) !== undefined) return undefined
    const needed = scopes.get(name) ?? permitted.scopesOfUnknown(principal, name, rank)
    return needed.length === 0 ? undefined : needed
  }
}

function callTool (operations: Operations, all: readonly SearchedOperation[], callable: readonly SearchedOperation[], reading: boolean): Tool {
  return toolOf({
    name: reading ? names.read : names.call,
    title: reading ? 'Call an operation that reads' : 'Call an operation',
    description: reading
      ? `Calls an operation of the API that only reads, found with ${names.search}.`
      : `Calls an operation of the API that may change data, found with ${names.search}. For those that only read, ${names.read} is there.`,
    scopes: commonScopes(callable),
    annotations: reading
      ? { readOnlyHint: true, idempotentHint: true, openWorldHint: false }
      : { readOnlyHint: false, destructiveHint: callable.some(({ generated }) => generated.annotations.destructiveHint !== false), idempotentHint: false, openWorldHint: false },
    asks: callable.some(({ tool }) => tool.asks),
    scopesFor: scopesOfCall(operations, reading ? callable : all),
    refuse: refuseMisplaced,
    input: z.object({
      operation: z.string().describe('Name of the operation'),
      arguments: z.looseObject({}).default({}).describe(`Arguments of the operation, as ${names.describe} tells them`)
    }),
    async call ({ operation: name, arguments: args }, context) {
      const operation = operations.get(context.principal, name)
      const problem = operation === undefined
        ? unknownOperation(operations, context.principal, name)
        : reading && !isReadOnly(operation) ? `${name} may change data; call it with ${names.call}` : undefined
      if (operation === undefined || problem !== undefined) {
        throw new CallError('invalid_input', 'The arguments are not valid.', { problems: [{ path: 'operation', message: problem ?? '' }] })
      }
      return await callOperation(operation, args, context)
    }
  })
}

/** The tools that stand for these operations; the one that may change data only where one of them does. */
export function searchTools (all: readonly SearchedOperation[]): Tool[] {
  const operations = new Operations(all)
  const scopes = commonScopes(all)
  const reading = all.filter(isReadOnly)
  const writing = all.filter((operation) => !isReadOnly(operation))
  return [
    searchTool(operations, scopes),
    describeTool(operations, scopes),
    ...reading.length === 0 ? [] : [callTool(operations, all, reading, true)],
    ...writing.length === 0 ? [] : [callTool(operations, all, writing, false)]
  ]
}
