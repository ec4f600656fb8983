import type { SealedState } from './sealed-state.ts'

/** What both legs are made with. */
export interface Leg {
  /** What the server calls itself. */
  info: { name: string, version: string }
  /** Seals what travels through the client between a question and its answer. */
  sealed: SealedState
  /** Seconds that serving one request may take. */
  timeout: number
}
