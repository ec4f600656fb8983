import { on, EventEmitter } from 'node:events'
import { createServer, request as send } from 'node:http'

/** A way to Django on which some requests are never answered, so that a test can see who ends them. */
export interface Holding {
  /** What stands in for Django's URL. */
  readonly url: string
  /** Waits for the next request that is kept back. */
  readonly held: () => Promise<void>
  /** Waits for the next such request to be ended by whoever sent it. */
  readonly ended: () => Promise<void>
  readonly stop: () => Promise<void>
}

/**
 * Puts a proxy before a Django, on a free port of 127.0.0.1. Other processes wait with `GET /-/held` and `GET /-/ended`.
 * @param isHeld whether a request is kept back, by its path and query
 */
export async function holdBack (django: string, isHeld: (url: string) => boolean): Promise<Holding> {
  const events = new EventEmitter()
  const stopped = new AbortController()
  // Iterators collect what happens before somebody waits for it.
  const all = { held: on(events, 'held', { signal: stopped.signal }), ended: on(events, 'ended', { signal: stopped.signal }) }
  const next = async (what: keyof typeof all): Promise<void> => { await all[what].next() }

  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const control = /^\/-\/(held|ended)$/.exec(path)?.[1]
    if (control === 'held' || control === 'ended') {
      next(control).then(() => response.writeHead(204).end(), () => response.destroy())
      return
    }
    if (isHeld(path)) {
      response.once('close', () => { events.emit('ended') })
      events.emit('held')
      return
    }
    const outgoing = send(new URL(path, django), { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => { response.destroy() })
    request.pipe(outgoing)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    held: () => next('held'),
    ended: () => next('ended'),
    async stop () {
      stopped.abort()
      server.closeAllConnections()
      await new Promise<void>((resolve) => { server.close(() => { resolve() }) })
    }
  }
}
