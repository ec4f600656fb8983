import { LogController, type FastifyServerOptions } from 'fastify'
import pretty from 'pino-pretty'
import { loggedException } from './exception.ts'
import { nameOf } from './named-logger.ts'

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

const shownLevels = new Map<string, string>([['trace', 'DEBUG'], ['debug', 'DEBUG'], ['info', 'INFO'], ['warn', 'WARNING'], ['error', 'ERROR'], ['fatal', 'CRITICAL']])

function textStream (destination: LogFormat['destination']) {
  return pretty({
    messageKey: 'message',
    timestampKey: 'timestamp',
    errorLikeObjectKeys: ['exception'],
    // Levels are words already, which pino-pretty takes for unknown ones.
    customPrettifiers: { level: (level) => typeof level === 'string' ? level : '' },
    ignore: 'environment,service,version',
    singleLine: true,
    colorize: destination === undefined && process.stdout.isTTY,
    translateTime: false,
    sync: true,
    ...(destination === undefined ? {} : { destination: { write: (line: string) => { destination.write(line) } } })
  })
}

/**
 * Server options that make Fastify write one JSON object a line with the fields timestamp (ISO 8601, UTC), level,
 * logger, message, environment, service, version, correlation_id and exception. Fastify's own lines about
 * requests are switched off: the logging plugin writes one of ours in their place.
 */
export function loggingOptions ({ level, format, environment, service, version, destination }: LogFormat) {
  const stream = format === 'text' ? textStream(destination) : destination
  return {
    logger: {
      level: pinoLevels[level],
      messageKey: 'message',
      errorKey: 'exception',
      base: { environment, service, version },
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      mixin: (_fields: object, _level: number, logger: object) => ({ logger: nameOf(logger) }),
      formatters: {
        level: (label: string) => ({ level: shownLevels.get(label) ?? label.toUpperCase() }),
        // Fastify and its plugins log errors under "err"; readers of these lines look for one name.
        log: ({ err, ...fields }: Record<string, unknown>) => err === undefined ? fields : { ...fields, exception: err }
      },
      serializers: { exception: (error: unknown) => loggedException(error) },
      ...(stream === undefined ? {} : { stream })
    },
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlation_id' })
  } satisfies FastifyServerOptions
}
