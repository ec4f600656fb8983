import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import { CallError } from '../../errors.ts'
import { strictEngine } from '../../plugins/catalog/patterns.ts'
import { cleanText } from '../../plugins/catalog/text.ts'
import type { Answer, CallContext, InputRequest } from '../../plugins/catalog/definition.ts'

/** What has been asked so far, as it travels through the client between two rounds. */
export interface AskingState {
  answers: Record<string, unknown>
  /** Names of what the client was asked for last; nothing else that it sends is taken. */
  pending: string[]
}

export const askingState = z.strictObject({ answers: z.record(z.string(), z.unknown()), pending: z.array(z.string()) })

/** Ends a handler whose question has no answer yet. It runs again, from its beginning, with the answer. */
export class InputNeeded extends Error {
  override readonly name = 'InputNeeded'
  readonly requests: Readonly<Record<string, InputRequest>>
  readonly state: AskingState

  constructor (requests: Readonly<Record<string, InputRequest>>, answers: Readonly<Record<string, unknown>>) {
    super('input is needed')
    this.requests = requests
    this.state = { answers: { ...answers }, pending: Object.keys(requests) }
  }
}

/** What a client can be asked (client/elicitation, sampling, roots). What is asked in other ways is asked in vain. */
const questionsShape = z.record(z.string(), z.discriminatedUnion('method', [
  z.object({ method: z.literal('elicitation/create'), params: z.looseObject({ mode: z.enum(['form', 'url']).optional(), message: z.string() }) }),
  z.object({ method: z.literal('sampling/createMessage'), params: z.looseObject({}) }),
  z.object({ method: z.literal('roots/list') })
]))

const answerShape = z.object({ action: z.enum(['accept', 'decline', 'cancel']), content: z.record(z.string(), z.unknown()).optional() })

const ajv = new Ajv2020({ strict: false, validateFormats: false, addUsedSchema: false, code: { regExp: strictEngine } })

/** Whether an answer is of the form that was asked for. */
function fits (schema: object, content: unknown): boolean {
  try {
    return ajv.validate(schema, content)
  } finally {
    // A handler makes a new schema for every question, and Ajv remembers each for good.
    ajv.removeSchema(schema)
  }
}

/** The state with what the client has sent; a name that was not asked for is passed over. */
export function withResponses (state: AskingState, responses: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...state.answers, ...Object.fromEntries(state.pending.filter((name) => Object.hasOwn(responses, name)).map((name) => [name, responses[name]])) }
}

/** The questions of one run of a handler, answered as far as there are answers. */
export function createAsking (answers: Readonly<Record<string, unknown>>): Pick<CallContext, 'ask' | 'input'> {
  let questions = 0

  const input: CallContext['input'] = async (requests) => {
    const missing = Object.entries(requests).filter(([name]) => !Object.hasOwn(answers, name))
    if (missing.length > 0) {
      const checked = questionsShape.safeParse(requests)
      if (!checked.success) throw new CallError('internal', 'A question was asked that is none.', { cause: checked.error })
      throw new InputNeeded(Object.fromEntries(missing), answers)
    }
    return Object.fromEntries(Object.keys(requests).map((name) => [name, answers[name]]))
  }

  const ask: CallContext['ask'] = async ({ message, schema }) => {
    questions += 1
    const name = `question_${questions}`
    const request: InputRequest = {
      method: 'elicitation/create',
      params: { mode: 'form', message: cleanText(message), requestedSchema: schema ?? { type: 'object', properties: {} } }
    }
    const given = answerShape.safeParse((await input({ [name]: request }))[name])
    const content = given.data?.content ?? {}
    // An answer that is none, or not of the form that was asked for, is asked for again.
    if (!given.success || (given.data.action === 'accept' && schema !== undefined && !fits(schema, content))) {
      const { [name]: _refused, ...others } = answers
      throw new InputNeeded({ [name]: request }, others)
    }
    const answer: Answer = { action: given.data.action, content }
    return answer
  }

  return { ask, input }
}
