import { CallError } from '../../errors.ts'
import { taskRecord, type TaskRecord } from './record.ts'

/** Where tasks are kept. Everything throws a `CallError` of kind `unavailable` where nothing can be kept or read. */
export interface TaskStore {
  /** Milliseconds for which a task is kept. */
  readonly ttl: number
  /** Whether a task of this owner could be kept now, asked before a job is started. */
  readonly check: (owner: string) => Promise<void>
  /** Keeps a new task under the key that `taskKey` gives: any replica finds it when this is done. */
  readonly create: (owner: string, key: string, record: TaskRecord) => Promise<void>
  readonly read: (key: string) => Promise<TaskRecord | undefined>
  /**
   * Changes a task in one step that nothing comes between, and gives it as it is then. `change` may run several
   * times; where it gives undefined, the task stays as it is.
   */
  readonly change: (key: string, change: (record: TaskRecord) => TaskRecord | undefined) => Promise<TaskRecord | undefined>
}

/** There is no room for what a task would have to keep. */
export class NoRoom extends CallError {
  constructor () {
    super('unavailable', 'There is no room to keep this task.')
  }
}

/** What is said to an owner that has as many tasks as one may have. */
export function tooManyTasks (): CallError {
  return new CallError('unavailable', 'Too many tasks of yours are kept already.')
}

/** A kept record. */
export function parsedRecord (text: string): TaskRecord {
  try {
    return taskRecord.parse(JSON.parse(text))
  } catch (cause) {
    throw new CallError('internal', 'The task cannot be read.', { cause })
  }
}
