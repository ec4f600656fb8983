import { Agent, request } from 'node:http'
import type { FuzzRequest } from './requests.ts'

export interface FuzzAnswer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: string
}

/** Milliseconds in which an answer must be there. */
const patience = 10_000

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/**
 * Sends a request and gives its answer; a stream that stays open is left after its first event.
 * @throws {Error} where there is none
 */
export async function exchangeWith (url: string, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  const { hostname, port } = new URL(url)
  const raw = headers.flat()
  if (!headers.some(([name]) => name === 'host')) raw.push('host', 'localhost')
  if (body.length > 0) raw.push('content-length', String(body.length))
  return await new Promise((resolve, reject) => {
    const outgoing = request({ agent, hostname, port, method, path, headers: raw, setHost: false, timeout: patience }, (response) => {
      const chunks: Buffer[] = []
      const answer = (): FuzzAnswer => ({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() })
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (!Buffer.concat(chunks).includes('notifications/subscriptions/acknowledged')) return
        resolve(answer())
        outgoing.destroy()
      })
      response.on('end', () => { resolve(answer()) })
      response.on('error', reject)
    })
    outgoing.on('timeout', () => {
      reject(new Error(`no answer within ${patience} ms`))
      outgoing.destroy()
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
