import { Writable } from 'node:stream'
import { LogController, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { destination as fileDestination } from 'pino'
import pretty from 'pino-pretty'
import { z } from 'zod'
import { checkOptions, text, type OptionsShape } from '../../checks/options.ts'
import { loggedException } from './exception.ts'
import { nameOf } from './named-logger.ts'
import { visible } from './visible.ts'

export interface LogFormat {
  /** Least level that is written, in the names of Python's logging. */
  level: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL'
  format: 'json' | 'text'
  /** Fields that every line carries. */
  environment: string
  service: string
  version: string
  /** Where lines go instead of standard output. */
  destination?: { write: (line: string) => void }
}

const pinoLevels = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' } as const

type Level = keyof typeof pinoLevels

const levels = Object.keys(pinoLevels)

const optionsSchema = z.strictObject({
  level: z.custom<Level>((value) => typeof value === 'string' && levels.includes(value), `one of ${levels.join(', ')}`),
  format: z.enum(['json', 'text'], 'one of json, text'),
  environment: text(),
  service: text(),
  version: text(),
  destination: z.custom<NonNullable<LogFormat['destination']>>(
    (value) => typeof value === 'object' && value !== null && 'write' in value && typeof value.write === 'function',
    'an object with a method write'
  ).optional()
} satisfies OptionsShape<LogFormat>)

const shownLevels = new Map<string, string>([['trace', 'DEBUG'], ['debug', 'DEBUG'], ['info', 'INFO'], ['warn', 'WARNING'], ['error', 'ERROR'], ['fatal', 'CRITICAL']])

type Destination = NonNullable<LogFormat['destination']>

/** Where lines go, with nothing in them that cannot be seen. */
function visiblyTo (destination: Destination): Destination {
  return { write: (line) => { destination.write(visible(line)) } }
}

function streamTo (destination: Destination): Writable {
  return new Writable({
    write (line, _encoding, done) {
      destination.write(String(line))
      done()
    }
  })
}

function textStream (destination: Destination, colorize: boolean) {
  return pretty({
    messageKey: 'message',
    timestampKey: 'timestamp',
    errorLikeObjectKeys: ['exception'],
    // Levels are words already, which pino-pretty takes for unknown ones.
    customPrettifiers: { level: (level) => typeof level === 'string' ? level : '' },
    ignore: 'environment,service,version',
    singleLine: true,
    colorize,
    translateTime: false,
    sync: true,
    destination: streamTo(destination)
  })
}

/** Writes the time of a line; lines of one millisecond share it. */
function timestamps (): () => string {
  let last = 0
  let field = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      field = `,"timestamp":"${new Date(now).toISOString()}"`
    }
    return field
  }
}

/**
 * Lines leave before the call that wrote them goes on: none is lost with the process, and handing each to a thread
 * would cost three times as much.
 */
function standardOutput () {
  return fileDestination({ dest: 1, sync: true })
}

/**
 * Fastify's own lines about requests, without those that the access line stands for and without requests, whose URL
 * may carry what nobody should read in a log. Switching them off by Fastify's option would hide errors too.
 */
class ErrorLines extends LogController {
  override incomingRequest (): void {}
  override requestCompleted (): void {}
  override routeNotFound (): void {}

  override defaultErrorLog (error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    if (reply.statusCode >= 500) reply.log.error({ err: error }, 'request failed')
  }

  override writeHeadError (error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    reply.log.warn({ err: error }, 'the answer cannot be sent')
  }
}

/**
 * Server options that make Fastify write one JSON object a line with the fields timestamp (ISO 8601, UTC), level,
 * logger, message, environment, service, version, correlation_id and exception. Of Fastify's own lines about
 * requests only errors are left: the logging plugin writes one of ours in the place of the others.
 * @throws {OptionsError} naming every wrong option
 */
export function loggingOptions (options: LogFormat) {
  const { level, format, environment, service, version, destination } = checkOptions('logging', optionsSchema, options)
  const lines = visiblyTo(destination ?? standardOutput())
  const stream = format === 'text' ? textStream(lines, destination === undefined && process.stdout.isTTY) : lines
  return {
    logger: {
      level: pinoLevels[level],
      messageKey: 'message',
      errorKey: 'exception',
      base: { environment, service, version },
      timestamp: timestamps(),
      mixin: (_fields: object, _level: number, logger: object) => ({ logger: nameOf(logger) }),
      formatters: {
        level: (label: string) => ({ level: shownLevels.get(label) ?? label.toUpperCase() }),
        // Fastify and its plugins log errors under "err"; readers of these lines look for one name.
        log (fields: Record<string, unknown>) {
          if (fields.err === undefined) return fields
          const { err, ...others } = fields
          return { ...others, exception: err }
        }
      },
      serializers: { exception: (error: unknown) => loggedException(error) },
      stream
    },
    logController: new ErrorLines({ requestIdLogLabel: 'correlation_id' })
  } satisfies FastifyServerOptions
}
