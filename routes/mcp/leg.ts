import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from '../../plugins/auth/index.ts'
import type { CallIdentity } from '../../plugins/django/index.ts'
import type { Cancelling } from './cancelling.ts'
import type { KnownEnvelopes } from './known-envelopes.ts'
import type { Operation } from './operation.ts'
import type { SealedState } from './sealed-state.ts'

/** Adds to the server that serves one message of the revisions up to 2025-11-25. */
export type ExtendLegacy = (server: Server, request: FastifyRequest) => void

/** What both legs are made with. */
export interface Leg {
  /** What the server calls itself. */
  info: { name: string, version: string }
  /** Seals what travels through the client between a question and its answer. */
  sealed: SealedState
  /** Seconds that serving one request may take. */
  timeout: number
  /** How Django is told whom a request is made for. */
  identityOf: (request: FastifyRequest) => CallIdentity | undefined
  extendLegacy: ExtendLegacy | undefined
  /** Requests that older clients may cancel. */
  cancelling: Cancelling
  /** Envelopes of the newer era that need not be looked at again. */
  envelopes: KnownEnvelopes
}

/** What the handlers of one request need. */
export interface Call {
  app: FastifyInstance
  leg: Leg
  request: FastifyRequest
  principal: Principal
  operation: Operation
}
