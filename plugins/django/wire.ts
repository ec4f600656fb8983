import type { Method } from './exchange.ts'

/** A request as it is sent, but for what the Django client adds: host, credentials, correlation id. */
export interface WireRequest {
  readonly method: Method
  /** Template of the path, for metrics and logs. */
  readonly route: string
  /** Path and query, percent-encoded: `/api/books/5/?page=2`. Never a host. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}
