import type { FastifyReply, FastifyRequest } from 'fastify'

type Done = (complete: boolean) => void

const waiting = new WeakMap<FastifyReply, Done[]>()

/**
 * Calls back once when an answer has left, with true, or when its client is gone before that, with false. Hijacked
 * replies count as well, and aborts, where Fastify's onResponse stays silent. Whoever asks first is told first.
 */
export function onAnswered (request: FastifyRequest, reply: FastifyReply, done: Done): void {
  // Gone before anybody asked, while a hook took its time: it says so only once.
  if (reply.raw.destroyed) {
    done(false)
    return
  }
  const others = waiting.get(reply)
  if (others !== undefined) {
    others.push(done)
    return
  }
  // One pair of listeners for all who ask.
  const all = [done]
  waiting.set(reply, all)
  let complete = false
  // Not `writableEnded`: an answer that is complete here may be cut off on its way. Some versions of Node say 'finish'
  // even so, when the socket is gone already.
  reply.raw.once('finish', () => { complete = !request.raw.socket.destroyed })
  reply.raw.once('close', () => { for (const one of all) one(complete) })
}
