import { z } from 'zod'
import type { Problem } from '../../errors.ts'
import type { ToolListing } from '../../plugins/catalog/tool.ts'
import type { ToolResult } from '../../plugins/catalog/index.ts'
import { askingState, withResponses, type Answered, type InputNeeded } from './asking.ts'
import type { Binding, SealedState } from './sealed-state.ts'

/*
 * Asking the user through a client that cannot be asked: revisions up to 2025-11-25 ask in the middle of a call, over
 * a session that this server does not keep. So the call ends with a question and a token, and the model brings the
 * token back with the user's answer.
 */

const tokenArgument = 'confirmation_token'
const answerArgument = 'confirmation_answer'

/** The entry of a tool that asks, with the two arguments that bring an answer back. */
function withConfirmation (listing: ToolListing): ToolListing {
  const { properties } = z.object({ properties: z.record(z.string(), z.unknown()).default({}) }).parse(listing.inputSchema)
  return {
    ...listing,
    inputSchema: {
      ...listing.inputSchema,
      properties: {
        ...properties,
        [tokenArgument]: { type: 'string', description: 'Only after this tool asked for it and the user has answered: the token from its question' },
        [answerArgument]: { type: 'object', description: 'Only together with the token: the values that the user gave, where the question asked for some' }
      }
    }
  }
}

const changed = new WeakMap<readonly ToolListing[], readonly ToolListing[]>()

/** A list with the two arguments in the entries of tools that ask; the same array for the same list. */
export function withConfirmations (listings: readonly ToolListing[], asks: (name: string) => boolean): readonly ToolListing[] {
  const known = changed.get(listings)
  if (known !== undefined) return known
  const list = listings.map((listing) => asks(listing.name) ? withConfirmation(listing) : listing)
  changed.set(listings, list)
  return list
}

/** The two as they may come: models write null for what they leave out. */
const argumentsShape = z.looseObject({
  [tokenArgument]: z.string('must be the token as the question has it').nullish(),
  [answerArgument]: z.record(z.string(), z.unknown(), 'must be an object that holds the values').nullish()
})

/** What is wrong with the arguments that bring an answer back. */
export function confirmationProblems (given: unknown): Problem[] {
  return argumentsShape.safeParse(given ?? {}).error?.issues.map(({ path, message }) => ({ path: path.join('.'), message })) ?? []
}

/** Arguments without those that bring an answer back, and the answers. A token that is not valid answers nothing: the tool asks again. */
export async function withoutConfirmation (given: unknown, sealed: SealedState, bindingOf: (args: unknown) => Binding): Promise<{ args: unknown, answers: Record<string, Answered> }> {
  const { [tokenArgument]: token, [answerArgument]: content, ...args } = argumentsShape.parse(given)
  if (typeof token !== 'string') return { args, answers: {} }
  const state = askingState.safeParse(await sealed.open(token, bindingOf(args)))
  if (!state.success) return { args, answers: {} }
  const answer = { action: 'accept', content: content ?? {} }
  return { args, answers: withResponses(state.data, Object.fromEntries(Object.keys(state.data.pending).map((name) => [name, answer]))) }
}

const formShape = z.object({ method: z.literal('elicitation/create'), params: z.object({ mode: z.literal('form').optional(), message: z.string(), requestedSchema: z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() }).optional() }) })

/** The question as an error result that tells a model what to do. */
export function question (needed: InputNeeded, sealed: SealedState, binding: Binding): ToolResult {
  const forms = Object.values(needed.requests).map((request) => formShape.safeParse(request))
  if (forms.some(({ success }) => !success)) {
    return { isError: true, content: [{ type: 'text', text: 'This tool needs a client that it can ask, of protocol revision 2026-07-28 or later. Calling again will not help.' }] }
  }
  const lines = forms.flatMap(({ data }) => data === undefined ? [] : [data.params.message].concat(valuesOf(data.params.requestedSchema?.properties)))
  const text = [
    'Nothing has been done yet. This needs the user\'s answer first:',
    ...lines,
    `Ask the user. If they agree, call again with the same arguments and ${tokenArgument}: ${JSON.stringify(sealed.seal(needed.state, binding))}`,
    'If they do not agree, do not call again. Never answer for the user.'
  ]
  return { isError: true, content: [{ type: 'text', text: text.join('\n') }] }
}

function valuesOf (properties: Record<string, unknown> | undefined): string[] {
  if (properties === undefined || Object.keys(properties).length === 0) return []
  return [`Values to ask for, and to send as ${answerArgument}: ${JSON.stringify(properties)}`]
}
