import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { z } from 'zod'

/*
 * The side of a measured server that answers the benchmark: over IPC, so that asking costs no request. The server
 * gets its settings as JSON in its first argument.
 */

/** What the benchmark may ask. */
export const question = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('usage') }),
  z.object({ ask: z.literal('startProfile') }),
  z.object({ ask: z.literal('stopProfile'), path: z.string() }),
  z.object({ ask: z.literal('stop') })
])

export type Question = z.output<typeof question>

/** What a server answers. */
export const answer = z.object({
  /** Present in the first message only: the server listens. */
  port: z.number().optional(),
  /** Microseconds of CPU that the process has used, in all of its threads. */
  cpu: z.number(),
  /** Bytes. */
  rss: z.number(),
  heapTotal: z.number(),
  heapUsed: z.number()
})

export type Answer = z.output<typeof answer>

/** Settings of this server. */
export function settings<Shape extends z.ZodType> (shape: Shape): z.output<Shape> {
  return shape.parse(JSON.parse(process.argv[2] ?? '{}'))
}

function tell (port?: number): void {
  const { user, system } = process.cpuUsage()
  const { rss, heapTotal, heapUsed } = process.memoryUsage()
  const message: Answer = { cpu: user + system, rss, heapTotal, heapUsed, ...(port === undefined ? {} : { port }) }
  process.send?.(message)
}

/** Says that the server listens, and answers from then on. */
export function listening (address: AddressInfo | string | null): void {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const session = new Session()

  async function answerTo (asked: Question): Promise<void> {
    if (asked.ask === 'stop') process.exit()
    if (asked.ask === 'startProfile') {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: 500 })
      await session.post('Profiler.start')
    }
    if (asked.ask === 'stopProfile') {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      writeFileSync(asked.path, JSON.stringify(profile))
    }
    tell()
  }

  process.on('message', (message) => { void answerTo(question.parse(message)) })
  // The benchmark is gone, however it ended.
  process.on('disconnect', () => { process.exit() })
  tell(address.port)
}
