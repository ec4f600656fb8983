import { parseArgs, type ParseArgsConfig } from 'node:util'

/** A mistake of whoever runs a command, told without a stack. */
export class UsageError extends Error {}

/**
 * Options of the command line, and nothing beside them.
 * @throws {UsageError} for what is no option
 */
export function parseOptions<const Options extends NonNullable<ParseArgsConfig['options']>> (options: Options) {
  try {
    return parseArgs({ options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
