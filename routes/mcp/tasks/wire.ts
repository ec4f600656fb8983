import type { TaskRecord } from '../../../plugins/tasks/index.ts'

/** Longest interval that clients are told, in milliseconds, where the tool does not want a longer one. */
const longestInterval = 60_000

/**
 * How long a client should wait before it asks again. It grows with the age of the task, to a tenth of it: whoever
 * has waited for an hour does not need to know within seconds, and what it asks counts against its rate limit.
 */
function intervalOf ({ pollInterval, createdAt }: TaskRecord): number {
  return Math.max(pollInterval, Math.min(longestInterval, Math.floor((Date.now() - createdAt) / 10)))
}

/** The fields that a task has in every status. */
export function taskFields (id: string, record: TaskRecord) {
  return {
    taskId: id,
    status: record.status,
    ...(record.message === undefined ? {} : { statusMessage: record.message }),
    createdAt: new Date(record.createdAt).toISOString(),
    lastUpdatedAt: new Date(record.updatedAt).toISOString(),
    ttlMs: record.ttl,
    pollIntervalMs: intervalOf(record)
  }
}

/** The whole task: with its questions, its result or its error, as its status has them. */
export function detailedTask (id: string, record: TaskRecord): Record<string, unknown> {
  const { status, questions, result, error } = record
  return {
    ...taskFields(id, record),
    ...(status === 'input_required' ? { inputRequests: Object.fromEntries(Object.entries(questions).map(([key, { request }]) => [key, request])) } : {}),
    // As the call itself would have given it, which names its own type.
    ...(status === 'completed' && result !== undefined ? { result: { resultType: 'complete', ...result } } : {}),
    ...(status === 'failed' && error !== undefined ? { error } : {})
  }
}
