import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { z } from 'zod'
import { isSocketPath } from '../checks/folders.ts'
import { checkOptions, type OptionsShape } from '../checks/options.ts'
import { digestOf, revocationSchema, type DenyList, type Revocation } from './auth/deny-list.ts'
import { namedLogger } from './logging/named-logger.ts'

export interface RevocationOptions {
  /** Path of the Unix socket. It is made with rights for its owner only, and removed at the end. */
  socket: string
  /** The list that is changed. */
  denyList: DenyList
}

const path = 'an absolute path of at most 100 bytes'

const optionsSchema = z.strictObject({
  socket: z.string(path).refine(isSocketPath, path),
  denyList: z.custom<DenyList>((value) => typeof value === 'object' && value !== null && 'revoke' in value && 'restore' in value, 'a deny-list')
} satisfies OptionsShape<RevocationOptions>)

/** Bytes of a request. */
const maxBytes = 4096

async function bodyOf (request: IncomingMessage): Promise<string | undefined> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += String(chunk)
    if (body.length > maxBytes) return undefined
  }
  return body
}

function parsed (body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function answer (response: ServerResponse, status: number, body: Record<string, unknown>): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body))
}

/** What may be written of an entry: never what a token could be found by. */
function fieldsOf (revocation: Revocation): Record<string, unknown> {
  if ('tokenId' in revocation) return { token_sha256: digestOf(revocation.tokenId), until: revocation.until }
  if ('tokenDigest' in revocation) return { until: revocation.until }
  return { issuer: revocation.issuer, subject: revocation.subject, issued_before: revocation.issuedBefore, until: revocation.until }
}

/** Whether somebody listens on a socket. */
async function isServed (path: string): Promise<boolean> {
  const socket = connect(path)
  const served = await once(socket, 'connect').then(() => true, () => false)
  socket.destroy()
  return served
}

/** Listens on a socket that nobody but this user may open, from its first moment. */
async function listenPrivately (server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
  await once(server, 'listening')
}

async function listen (server: Server, path: string): Promise<void> {
  try {
    await listenPrivately(server, path)
  } catch (error) {
    const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!inUse || !(await lstat(path)).isSocket() || await isServed(path)) throw error
    // Left behind by a process that was killed.
    await unlink(path)
    await listenPrivately(server, path)
  }
}

/**
 * Takes revocations over a Unix socket while the service runs: `POST /revocations` adds an entry to the deny-list and
 * `DELETE /revocations` takes one back. Whoever may open the socket may do so, which is the user that the service runs
 * as: no network reaches it, and there is no further secret to keep. It works for a deny-list in memory as for a shared
 * one.
 */
const revocation: FastifyPluginAsync<RevocationOptions> = async (app, options) => {
  const { socket, denyList } = checkOptions('revocation', optionsSchema, options)
  const log = namedLogger(app.log, 'auth')

  async function change (method: string | undefined, revocation: Revocation): Promise<{ status: number, body: Record<string, unknown> }> {
    const { shared } = denyList
    try {
      if (method === 'POST') {
        await denyList.revoke(revocation)
        log.info(fieldsOf(revocation), 'revoked by an operator')
        return { status: 200, body: { shared } }
      }
      const found = await denyList.restore(revocation)
      if (found) log.info(fieldsOf(revocation), 'revocation taken back by an operator')
      return found ? { status: 200, body: { shared } } : { status: 404, body: { error: 'there is no such entry' } }
    } catch (error) {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'the deny-list cannot be changed')
      return { status: 503, body: { error: 'the deny-list cannot be reached' } }
    }
  }

  async function serve (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url } = request
    if (url !== '/revocations' || (method !== 'POST' && method !== 'DELETE')) {
      answer(response, 404, { error: 'only POST and DELETE of /revocations' })
      return
    }
    const body = await bodyOf(request)
    const checked = revocationSchema.safeParse(body === undefined ? undefined : parsed(body))
    if (!checked.success) {
      answer(response, 400, { error: `expected ${z.prettifyError(checked.error)}` })
      return
    }
    // An entry that has ended refuses nothing, and whoever hears that it was made believes that it does.
    if (method === 'POST' && checked.data.until !== undefined && checked.data.until * 1000 <= Date.now()) {
      answer(response, 400, { error: 'expected an until in the future' })
      return
    }
    const done = await change(method, checked.data)
    answer(response, done.status, done.body)
  }

  const server = createServer((request, response) => {
    // A client that goes away in the middle has asked for nothing.
    serve(request, response).catch(() => { response.destroy() })
  })
  app.addHook('onReady', async () => {
    await listen(server, socket)
    log.info({ socket }, 'revocations are taken')
  })
  app.addHook('onClose', async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => { server.close(resolve) })
  })
}

export default fp(revocation, { name: 'revocation', fastify: '5.x' })
