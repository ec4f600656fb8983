import { createHash } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import { unattended } from '../../checks/unattended.ts'
import { CallError } from '../../errors.ts'
import { strictEngine } from '../../plugins/catalog/patterns.ts'
import { cleanText } from '../../plugins/catalog/text.ts'
import type { Answer, CallContext, InputRequest } from '../../plugins/catalog/definition.ts'

/** An answer, and a digest of what it answers: in the next run another question may have its name. */
export interface Answered {
  question: string
  value: unknown
}

/** What has been asked so far, as it travels through the client between two rounds. */
export interface AskingState {
  answers: Record<string, Answered>
  /** Digests of what the client was asked for last, by name; nothing else that it sends is taken. */
  pending: Record<string, string>
}

export const askingState = z.strictObject({
  answers: z.record(z.string(), z.strictObject({ question: z.string(), value: z.unknown() })),
  pending: z.record(z.string(), z.string())
})

function digestOf (request: InputRequest): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('base64url')
}

/** Ends a handler whose question has no answer yet. It runs again, from its beginning, with the answer. */
export class InputNeeded extends Error {
  override readonly name = 'InputNeeded'
  readonly requests: Readonly<Record<string, InputRequest>>
  readonly state: AskingState

  constructor (requests: Readonly<Record<string, InputRequest>>, answers: Readonly<Record<string, Answered>>) {
    super('input is needed')
    this.requests = requests
    this.state = { answers: { ...answers }, pending: Object.fromEntries(Object.entries(requests).map(([name, request]) => [name, digestOf(request)])) }
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
export function withResponses ({ answers, pending }: AskingState, responses: Readonly<Record<string, unknown>>): Record<string, Answered> {
  const given = Object.entries(pending).filter(([name]) => Object.hasOwn(responses, name)).map(([name, question]) => [name, { question, value: responses[name] }] as const)
  return { ...answers, ...Object.fromEntries(given) }
}

/** The questions of one run of a handler, answered as far as there are answers. */
export function createAsking (answers: Readonly<Record<string, Answered>>): Pick<CallContext, 'ask' | 'input'> {
  let questions = 0
  const isAnswered = (name: string, request: InputRequest): boolean => Object.hasOwn(answers, name) && answers[name]?.question === digestOf(request)

  const input: CallContext['input'] = async (requests) => {
    const missing = Object.entries(requests).filter(([name, request]) => !isAnswered(name, request))
    if (missing.length > 0) {
      const checked = questionsShape.safeParse(requests)
      if (!checked.success) throw new CallError('internal', 'A question was asked that is none.', { cause: checked.error })
      throw new InputNeeded(Object.fromEntries(missing), answers)
    }
    return Object.fromEntries(Object.keys(requests).map((name) => [name, answers[name]?.value]))
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

  return { ask: (question) => unattended(ask(question)), input: (requests) => unattended(input(requests)) }
}
