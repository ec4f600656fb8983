import { KeyObject, sign as signBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Test } from 'tap'
import { fromNow, json, listen, mcpHeaders } from './helper.ts'

export const audience = 'https://mcp.example.com/mcp'

/** A key pair under a name, as an authorization server has it. */
export interface Key {
  alg: string
  privateKey: KeyObject
  /** The public half, as it is published. */
  jwk: JWK
}

export async function createKey (kid: string, alg = 'RS256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, privateKey: KeyObject.from(privateKey), jwk: { ...await exportJWK(publicKey), kid, alg, use: 'sig' } }
}

function base64url (value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** Claims of an access token that is good for an hour. */
export function claims (issuer: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { iss: issuer, aud: audience, sub: 'user-1', client_id: 'client-1', scope: 'read', jti: 'id-1', iat: fromNow(0), exp: fromNow(3600), ...more }
}

/** A token with exactly these claims, which may be JSON of any kind, and this header: also ones that no library would make. */
export function signToken (key: Key, payload: unknown, header: Record<string, unknown> = {}): string {
  const input = `${base64url({ alg: key.alg, typ: 'at+jwt', kid: key.jwk.kid, ...header })}.${base64url(payload)}`
  const hash = /^(?:RS|PS|ES)(\d+)$/.exec(key.alg)?.[1]
  const signature = signBytes(hash === undefined ? null : `sha${hash}`, Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

type Handle = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** An authorization server of the test's own, whose answers the test can replace. */
export class AuthorizationServer {
  readonly issuer: string
  readonly key: Key
  /** Keys that it publishes. */
  keys: JWK[]
  /** Paths of the requests that it has seen, in their order. */
  readonly seen: string[] = []
  /** Answers by path, in the place of its own. */
  readonly answers = new Map<string, Handle>()
  /** What introspection says of a token. */
  introspection: (token: string) => unknown = () => ({ active: false })
  /** Requests to the introspection endpoint. */
  readonly introspected: Array<{ authorization: string | undefined, body: string }> = []
  readonly #path: string

  constructor (url: string, path: string, key: Key) {
    this.issuer = `${url}${path}`
    this.#path = path
    this.key = key
    this.keys = [key.jwk]
  }

  get url (): string {
    return new URL(this.issuer).origin
  }

  get jwksUrl (): string {
    return `${this.url}/keys`
  }

  /** How often a path was asked for. */
  count (path: string): number {
    return this.seen.filter((seen) => seen === path).length
  }

  /** A token as this server issues it. */
  token (more: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = this.key): string {
    return signToken(key, claims(this.issuer, more), header)
  }

  /** @internal */
  serve (request: IncomingMessage, response: ServerResponse, body: string): void {
    const path = request.url ?? ''
    this.seen.push(path)
    const answer = this.answers.get(path)
    if (answer !== undefined) {
      answer(request, response, body)
    } else if (path === `/.well-known/oauth-authorization-server${this.#path.replace(/\/$/, '')}`) {
      json(response, 200, { issuer: this.issuer, jwks_uri: this.jwksUrl })
    } else if (path === '/keys') {
      json(response, 200, { keys: this.keys })
    } else if (path === '/introspect') {
      this.introspected.push({ authorization: request.headers.authorization, body })
      json(response, 200, this.introspection(new URLSearchParams(body).get('token') ?? ''))
    } else {
      json(response, 404, {})
    }
  }
}

/** Starts an authorization server whose issuer has this path. It ends with the test. */
export async function startAuthorizationServer (t: Test, { path = '', key, port = 0 }: { path?: string, key?: Key, port?: number } = {}): Promise<AuthorizationServer> {
  let server: AuthorizationServer | undefined
  const http = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk })
    request.on('end', () => { server?.serve(request, response, body) })
  }).listen(port, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(() => {
    http.closeAllConnections()
    http.close()
  })
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  server = new AuthorizationServer(`http://127.0.0.1:${address.port}`, path, key ?? await createKey('key-1'))
  return server
}

/** Variables of a service that has this authorization server. */
export function issuedBy ({ issuer }: { issuer: string }, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { ENVIRONMENT: 'test', PUBLIC_URL: 'https://mcp.example.com', JWT_SECRET: undefined, JWT_ISSUER: issuer, RATE_LIMIT_REQUESTS: 100_000, ...more }
}

/** What the service answers to a ping with a token, over HTTP. */
export async function ping (url: string, bearer: string | undefined): Promise<Response> {
  return await fetch(`${url}/mcp`, { method: 'POST', headers: mcpHeaders(bearer), body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' })
}

/** The whole service in front of an authorization server, listening. */
export async function serviceOf (t: Test, server: { issuer: string }, more: Record<string, unknown> = {}, log?: Parameters<typeof listen>[2]) {
  const { app, url } = await listen(t, issuedBy(server, more), log)
  return { app, url, status: async (bearer: string | undefined) => (await ping(url, bearer)).status }
}

/** Every token of the table gets 401 `invalid_token`, over HTTP. */
export async function refusesAll (t: Test, url: string, tokens: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, bearer] of Object.entries(tokens)) {
    const response = await ping(url, bearer)
    t.equal(response.status, 401, name)
    t.match(response.headers.get('www-authenticate'), 'error="invalid_token"', name)
  }
}
