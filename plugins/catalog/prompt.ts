import { z } from 'zod'
import { CallError } from '../../errors.ts'
import type { CallContext, Completer, PromptMessage } from './definition.ts'
import { messagesShape, promptShape } from './shapes.ts'
import { cleanBlocks, cleanListing, cleanText } from './text.ts'
import { defined } from './tool.ts'

/** A prompt ready to be listed and got. */
export interface Prompt {
  name: string
  scopes: readonly string[]
  /** The entry of `prompts/list`. */
  listing: Record<string, unknown> & { name: string }
  /** Whether something that nobody sees, or too much, was taken out of the listing. */
  cleaned: boolean
  description: string
  completers: Readonly<Record<string, Completer>>
  /**
   * Checks the arguments and makes the messages.
   * @throws whatever the definition's `get` throws, and `CallError` for what does not pass a check
   */
  get: (args: unknown, context: CallContext) => Promise<PromptMessage[] | z.output<typeof messagesShape>>
}

/** Arguments in the form of `prompts/list`; one that may be left out is one whose schema takes undefined. */
function argumentListing (schema: z.ZodObject): Array<{ name: string, description?: string, required: boolean }> {
  return Object.entries(schema.shape).map(([name, argument]) => {
    const { description } = z.toJSONSchema(argument, { io: 'input', unrepresentable: 'any' })
    const required = !z.safeParse(argument, undefined).success
    return description === undefined ? { name, required } : { name, description, required }
  })
}

/**
 * Makes a definition into a prompt.
 * @throws {z.ZodError} for something that is not a prompt
 */
export function compilePrompt (definition: unknown): Prompt {
  const { name, title, description, icons, get, complete = {}, scopes = ['read'], arguments: declared } = promptShape.parse(definition)
  const schema = (declared ?? z.object({})).strict()
  const stray = Object.keys(complete).filter((argument) => !Object.hasOwn(schema.shape, argument))
  if (stray.length > 0) throw new Error(`complete: no such argument: ${stray.join(', ')}`)

  const given = { name, ...defined({ title, description, icons }), arguments: argumentListing(schema) }
  const listing = cleanListing(given)

  return {
    name,
    scopes,
    description: cleanText(description),
    completers: complete,
    listing,
    cleaned: listing !== given,
    async get (args, context) {
      const checked = schema.safeParse(args ?? {})
      if (!checked.success) {
        throw new CallError('invalid_input', 'The arguments are not valid.', {
          problems: checked.error.issues.flatMap((issue) => issue.code === 'unrecognized_keys'
            ? issue.keys.map((key) => ({ path: key, message: 'is not an argument of this prompt' }))
            : [{ path: issue.path.join('.'), message: issue.message }])
        })
      }
      const messages = messagesShape.safeParse(await get(checked.data, context))
      if (messages.success) return messages.data.map(({ role, content }) => ({ role, content: cleanBlocks([content])[0] ?? content }))
      throw new CallError('internal', 'The prompt gave messages that are not valid.', { cause: messages.error })
    }
  }
}
