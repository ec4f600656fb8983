import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Ports from which a free one is taken: below those that Linux, macOS and Windows give to whoever asks for any. A port
 * of the system's would be free only until another test listens, or connects, before the program under test does.
 */
const first = 20_000
const count = 12_000

async function isFree (port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

/** A port of 127.0.0.1 that nobody listens on, for a program that has to be told one. */
export async function freePort (): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = first + Math.floor(Math.random() * count)
    if (await isFree(port)) return port
  }
  throw new Error('no free port')
}
