import { z } from 'zod'
import type { Format } from './formats.ts'

/** How a variable is shown in the generated documentation and in error messages. */
export interface Documentation {
  group: string
  description: string
  /** What a valid value looks like, completing the sentence "expected …". */
  expected: string
  /** Shown in `.env.example` where there is no default to show. */
  example?: string
  /** The value is masked wherever it would be shown. */
  secret?: boolean
}

/** The documentation of every variable, by its schema. */
export const documentation = z.registry<Documentation>()

type Meta = Omit<Documentation, 'expected'>

export function required<Value> (format: Format<z.ZodType<Value>>, meta: Meta) {
  return format.schema.register(documentation, { ...meta, expected: format.expected })
}

export function optional<Value> (format: Format<z.ZodType<Value>>, meta: Meta) {
  return format.schema.optional().register(documentation, { ...meta, expected: format.expected })
}

export function defaulted<Value> (format: Format<z.ZodType<Value>>, value: z.util.NoUndefined<Value>, meta: Meta) {
  return format.schema.default(value).register(documentation, { ...meta, expected: format.expected })
}
