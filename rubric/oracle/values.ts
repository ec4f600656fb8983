import type { WireParameter } from './operations.ts'

/** A file as an argument holds it. */
export interface FileValue {
  readonly filename: string
  readonly type: string
  readonly bytes: Buffer
}

export class File implements FileValue {
  readonly filename: string
  readonly type: string
  readonly bytes: Buffer

  constructor ({ filename, type, bytes }: FileValue) {
    this.filename = filename
    this.type = type
    this.bytes = bytes
  }
}

/** Values by where they go. */
export interface Values {
  readonly parameters: ReadonlyMap<WireParameter, unknown>
  readonly properties: ReadonlyMap<string, unknown>
  /** The body as a whole, boxed since it may be anything. */
  readonly body: { readonly value: unknown } | undefined
}

export interface SeenRequest {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}
