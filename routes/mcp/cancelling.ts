import type { FastifyRequest } from 'fastify'
import { anonymous } from '../../plugins/auth/index.ts'

type Id = string | number

/**
 * What tells apart the client that an id belongs to. There is no session that would, so two programs of one user on one
 * machine may share it.
 */
function keyOf (request: FastifyRequest, id: Id): string {
  return JSON.stringify([(request.principal ?? anonymous).key, request.ip, request.headers['user-agent'], id])
}

/**
 * Requests under way of revisions up to 2025-11-25, whose clients cancel one with a message of its own and leave the
 * connection open (basic/utilities/cancellation). It finds the request in this process only; in another replica the
 * request goes on to its end, as the protocol allows.
 */
export class Cancelling {
  readonly #cancels = new Map<string, Set<() => void>>()

  /** Has `cancel` called when the client of a request cancels it. Gives what ends that. */
  watch (request: FastifyRequest, id: Id, cancel: () => void): () => void {
    const key = keyOf(request, id)
    const cancels = this.#cancels.get(key) ?? new Set()
    this.#cancels.set(key, cancels.add(cancel))
    return () => {
      cancels.delete(cancel)
      if (cancels.size === 0 && this.#cancels.get(key) === cancels) this.#cancels.delete(key)
    }
  }

  /** Cancels what a client cancels. Where two have the same id, it is not known which is meant: both go on. */
  cancel (request: FastifyRequest, id: Id): void {
    const cancels = this.#cancels.get(keyOf(request, id))
    if (cancels?.size === 1) for (const cancel of cancels) cancel()
  }
}
