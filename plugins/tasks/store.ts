import { CallError } from '../../errors.ts'
import { taskRecord, type TaskRecord } from './record.ts'

/** Where tasks are kept. Everything throws a `CallError` of kind `unavailable` where nothing can be kept or read. */
export interface TaskStore {
  /** Milliseconds for which a task is kept. */
  readonly ttl: number
  /** Whether a task could be kept now, asked before a job is started. */
  readonly check: () => Promise<void>
  /** Keeps a new task: any replica finds it when this is done. */
  readonly create: (key: string, record: TaskRecord) => Promise<void>
  readonly read: (key: string) => Promise<TaskRecord | undefined>
  /**
   * Changes a task in one step that nothing comes between, and gives it as it is then. `change` may run several
   * times; where it gives undefined, the task stays as it is.
   */
  readonly change: (key: string, change: (record: TaskRecord) => TaskRecord | undefined) => Promise<TaskRecord | undefined>
}

/** A kept record. */
export function parsedRecord (text: string): TaskRecord {
  try {
    return taskRecord.parse(JSON.parse(text))
  } catch (cause) {
    throw new CallError('internal', 'The task cannot be read.', { cause })
  }
}
