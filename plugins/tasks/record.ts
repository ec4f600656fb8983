import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'

const question = z.object({
  /** The tool's name for it. */
  name: z.string(),
  /** Tells it apart from another one that the tool may ask under that name later. */
  digest: z.string(),
  request: z.looseObject({ method: z.string() })
})

/** A task as it is kept: all that any replica needs to serve it. Times are milliseconds since the epoch. */
export const taskRecord = z.object({
  tool: z.string(),
  status: z.enum(['working', 'input_required', 'completed', 'failed', 'cancelled']),
  message: z.string().optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
  /** Milliseconds from its creation for which it is kept. */
  ttl: z.int(),
  /** What the tool finds its job by. */
  state: z.json(),
  /** Milliseconds between two looks at the job. */
  pollInterval: z.int(),
  /** No look at the job before this time. */
  nextPollAt: z.number(),
  /** Somebody is looking at the job; worth nothing after its end, so that a process that died does not stop the task. */
  lease: z.object({ token: z.string(), until: z.number() }).optional(),
  /** Questions that are open, by the keys that the client knows. */
  questions: z.record(z.string(), question),
  /** Number of questions so far: a key is never used twice. */
  asked: z.int(),
  /** Answers, by the tool's names of the questions, with the digests of these. */
  answers: z.record(z.string(), z.object({ question: z.string(), value: z.unknown() })),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.int(), message: z.string(), data: z.record(z.string(), z.unknown()) }).optional()
})

export type TaskRecord = z.output<typeof taskRecord>

const idShape = /^[\w-]{32}$/

/** An id that cannot be guessed: 192 random bits. */
export function newTaskId (): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Where a task is kept: under its id and its owner in one, so that the task of somebody else is not found, just as one
 * that does not exist; and so that nobody who reads the store learns an id. Undefined for what is no id.
 */
export function taskKey (owner: string, id: string): string | undefined {
  if (!idShape.test(id)) return undefined
  return createHash('sha256').update(JSON.stringify([owner, id])).digest('base64url')
}
