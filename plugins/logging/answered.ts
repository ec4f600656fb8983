import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Calls back once when an answer has left, with true, or when its client is gone before that, with false. Hijacked
 * replies count as well, and aborts, where Fastify's onResponse stays silent.
 */
export function onAnswered (request: FastifyRequest, reply: FastifyReply, done: (complete: boolean) => void): void {
  let complete = false
  // Not `writableEnded`: an answer that is complete here may be cut off on its way. Some versions of Node say 'finish'
  // even so, when the socket is gone already.
  reply.raw.once('finish', () => { complete = !request.raw.socket.destroyed })
  reply.raw.once('close', () => { done(complete) })
}
