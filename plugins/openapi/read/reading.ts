import type { Version } from '../document.ts'
import type { Raw } from './records.ts'
import type { Schemas } from './schemas.ts'

/** What is at hand while a document is read. */
export interface Reading {
  readonly document: Raw
  readonly version: Version
  readonly schemas: Schemas
  /** Tells of something that was left out or taken for something else, and in which operation. */
  readonly warn: (warning: string, place?: string) => void
}
