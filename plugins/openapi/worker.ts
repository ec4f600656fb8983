import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { parseLock } from '../catalog/lock.ts'
import { parseDocument } from './document.ts'
import { generate } from './generate.ts'
import { parseOverlay } from './overlay.ts'

/* A thread that makes tools from one document and ends. */

const texts = z.array(z.string()).optional()

const { document, overlay, lock, ...options } = z.strictObject({
  document: z.string(),
  overlay: z.string().optional(),
  lock: z.string().optional(),
  methods: texts,
  include: texts,
  exclude: texts,
  outputSchemas: z.boolean()
}).parse(workerData)

const generated = generate(parseDocument(document), {
  ...options,
  overlay: overlay === undefined ? undefined : parseOverlay(overlay),
  lock: lock === undefined ? undefined : parseLock(lock)
})
// The rule is about windows, which have origins; a thread has none.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(generated)
