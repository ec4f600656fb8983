import Fastify, { type FastifyInstance } from 'fastify'
import { anonymous } from '../plugins/auth/principal.ts'
import { asCallError, errorText, StartedJob, type Tool, type ToolResult } from '../plugins/catalog/index.ts'
import type { CallContext } from '../plugins/catalog/definition.ts'
import django from '../plugins/django/index.ts'
import type { CallError } from '../errors.ts'
import { Recorder } from './recorder.ts'
import type { SeenRequest } from './oracle/values.ts'

const correlationId = 'rubric-0001'

/** What became of a call. */
export interface Called {
  readonly requests: readonly SeenRequest[]
  readonly result: ToolResult | undefined
  readonly error: CallError | undefined
  /** What the model reads, of a result or of an error. */
  readonly text: string
}

/** The parts of the app that calls go through, in front of a recording server. */
export class Service {
  readonly recorder = new Recorder()
  /** Somebody else's server, which must never hear of anything. */
  readonly stranger = new Recorder()
  readonly #app: FastifyInstance = Fastify()

  static async start (): Promise<Service> {
    const service = new Service()
    await service.recorder.listen()
    await service.stranger.listen()
    await service.#app.register(django, { baseUrl: service.recorder.url, apiKey: 'rubric.0123456789abcdef', userAgent: 'rubric/1', timeout: 20, maxRetries: 1 })
    return service
  }

  async stop (): Promise<void> {
    await this.#app.close()
    await this.recorder.close()
    await this.stranger.close()
  }

  async call (tool: Tool, args: unknown): Promise<Called> {
    this.recorder.take()
    try {
      const result = await tool.call(args, this.#context())
      if (result instanceof StartedJob) throw new Error('a job was started')
      return { requests: this.recorder.take(), result, error: undefined, text: textOf(result) }
    } catch (thrown) {
      const error = asCallError(thrown)
      return { requests: this.recorder.take(), result: undefined, error, text: errorText(error, correlationId) }
    }
  }

  /** A user who says yes to everything. */
  #context (): CallContext {
    const { signal } = new AbortController()
    return {
      correlationId,
      requestId: 1,
      signal,
      log: this.#app.log,
      principal: anonymous,
      django: this.#app.django.bind({ correlationId, signal }),
      progress: async () => undefined,
      ask: async () => ({ action: 'accept', content: {} }),
      input: async () => ({}),
      canAsk: () => true
    }
  }
}

/** Everything of a result that a model reads. */
function textOf ({ content, structuredContent }: ToolResult): string {
  return [...content.map((block) => block.type === 'text' ? block.text : JSON.stringify(block)), ...structuredContent === undefined ? [] : [JSON.stringify(structuredContent)]].join('\n')
}
