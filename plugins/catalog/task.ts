import type { z } from 'zod'
import { CallError } from '../../errors.ts'
import type { CallContext, StartedTask } from './definition.ts'
import { progressShape, startedShape, type toolShape } from './shapes.ts'
import type { ToolResult } from './tool.ts'

/** A job that a handler has started, checked. */
export class StartedJob {
  readonly task: ToolTask
  readonly state: z.output<typeof startedShape>['state']
  /** Milliseconds between two looks at it. */
  readonly pollInterval: number
  readonly message: string | undefined

  constructor (task: ToolTask, { state, pollSeconds, message }: z.output<typeof startedShape>) {
    this.task = task
    this.state = state
    this.pollInterval = Math.round(pollSeconds * 1000)
    this.message = message
  }
}

/** What a look at a job has found, its result in the form of the protocol. */
export type JobProgress = { status: 'working', message: string | undefined } | { status: 'completed', message: string | undefined, result: ToolResult }

/** How a tool looks after the jobs that it has started. */
export interface ToolTask {
  mode: 'optional' | 'required'
  /** @throws {CallError} for a state that the tool cannot have made */
  checkState: (state: unknown) => void
  /**
   * Looks at a job and checks what was found.
   * @throws whatever the definition's `poll` throws, and `CallError` for what does not pass a check
   */
  poll: (state: unknown, context: CallContext) => Promise<JobProgress>
  /** Stops a job; undefined where the tool cannot. */
  cancel: ((state: unknown, context: CallContext) => Promise<void>) | undefined
}

/** Makes the part of a definition that looks after jobs ready to be used. */
export function compileTask (definition: NonNullable<z.output<typeof toolShape>['task']>, resultFrom: (result: unknown) => ToolResult): ToolTask {
  const { mode, state: schema, poll, cancel } = definition

  function checked (state: unknown): unknown {
    const parsed = schema?.safeParse(state) ?? { success: true, data: state }
    if (parsed.success) return parsed.data
    throw new CallError('internal', 'The state of the job is not of its form.', { cause: parsed.error })
  }

  return {
    mode,
    checkState: checked,
    async poll (state, context) {
      const progress = progressShape.safeParse(await poll(checked(state), context))
      if (!progress.success) throw new CallError('internal', 'The tool gave a state of its job that is not valid.', { cause: progress.error })
      const { message } = progress.data
      return progress.data.status === 'working' ? { status: 'working', message } : { status: 'completed', message, result: resultFrom(progress.data.result) }
    },
    cancel: cancel === undefined ? undefined : async (state, context) => { await cancel(checked(state), context) }
  }
}

/**
 * What a handler says about the job that it has started.
 * @throws {CallError} where it cannot be kept
 */
export function startedJob (task: ToolTask, started: StartedTask): StartedJob {
  const parsed = startedShape.safeParse(started)
  if (!parsed.success) throw new CallError('internal', 'The tool started a job that cannot be looked after.', { cause: parsed.error })
  task.checkState(parsed.data.state)
  return new StartedJob(task, parsed.data)
}
