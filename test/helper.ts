import { createHmac } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import djangoMcpServer, { serverOptions, type AppOptions } from '../app.ts'
import { loadConfig } from '../config.ts'
import { CallError } from '../errors.ts'

export const secret = 'Zx9-uY2kLm4Qp7Rs1Tv8Wb3Nc6Dh5Fg0'
export const apiKey = 'testkey.0123456789abcdef'

/** Variables of a sound configuration, which a test changes where it has to. */
export function environment (overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    DJANGO_BASE_URL: 'http://127.0.0.1:9',
    DJANGO_API_KEY: apiKey,
    JWT_SECRET: secret,
    TMP_DIR: '/tmp/mcp_server_test',
    LOG_LEVEL: 'CRITICAL',
    AUDIT_LOG: 'false',
    ...overrides
  }
}

/** The whole app as production makes it, closed after the test. `log` collects its log lines. */
export async function buildApp (t: Test, overrides: Record<string, unknown> = {}, log?: LogLines, definitions?: AppOptions['definitions']): Promise<FastifyInstance> {
  const loaded = loadConfig(environment(overrides))
  const options = serverOptions(loaded.config)
  const app = Fastify(log === undefined ? options : { ...options, logger: { ...options.logger, stream: log } })
  t.teardown(() => app.close())
  await app.register(djangoMcpServer, { loaded, ...(definitions === undefined ? {} : { definitions }) })
  await app.ready()
  return app
}

/** The whole app listening on a free port of 127.0.0.1; gives its URL without a trailing slash. */
export async function listen (t: Test, overrides: Record<string, unknown> = {}, log?: LogLines, definitions?: AppOptions['definitions']): Promise<{ app: FastifyInstance, url: string }> {
  const app = await buildApp(t, overrides, log, definitions)
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

/** Log lines as a test reads them. */
export class LogLines {
  readonly lines: string[] = []

  write (line: string): void {
    this.lines.push(line)
  }

  /** The lines parsed. */
  get records (): Array<Record<string, unknown>> {
    return this.lines.map((line) => JSON.parse(line))
  }

  get text (): string {
    return this.lines.join('')
  }
}

function base64url (value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A signed token with exactly these claims and this header: also ones that no library would make. */
export function sign (claims: unknown, { header = { alg: 'HS256', typ: 'JWT' }, key = secret }: { header?: unknown, key?: string } = {}): string {
  const input = `${base64url(header)}.${base64url(claims)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

/** Seconds since the epoch, `offset` seconds from now. */
export function fromNow (offset: number): number {
  return Math.floor(Date.now() / 1000) + offset
}

/** A valid token. */
export function token (claims: Record<string, unknown> = {}): string {
  return sign({ sub: 'user-1', scope: 'read', exp: fromNow(600), ...claims })
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A Django that does on demand what the real one cannot; gives its URL and the requests it has seen. */
export async function djangoStub (t: Test, handle: Handler): Promise<{ url: string, requests: Array<{ method: string, url: string, headers: IncomingMessage['headers'], body: string }> }> {
  const requests: Array<{ method: string, url: string, headers: IncomingMessage['headers'], body: string }> = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => { body += chunk })
    request.on('end', () => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      handle(request, response, body)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${portOf(server.address())}`, requests }
}

function portOf (address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}

/** Answers with JSON. */
export function json (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Headers that every MCP client sends with a POST. */
export function mcpHeaders (bearer?: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` })
  }
}

/** What came over a connection. */
export class WireAnswer {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly body: string

  constructor (statusCode: number, headers: IncomingHttpHeaders, body: string) {
    this.statusCode = statusCode
    this.headers = headers
    this.body = body
  }

  json () {
    return JSON.parse(this.body)
  }
}

export interface WireRequest {
  method?: string
  url: string
  headers?: Record<string, string>
  /** Bytes and a text as they are, anything else as JSON, which the headers then say. */
  payload?: unknown
}

const listening = new WeakMap<FastifyInstance, Promise<string>>()

/** Sends a request to the app over HTTP, on a connection of its own; the app listens from the first one on. */
export async function overHttp (app: FastifyInstance, request: WireRequest | string): Promise<WireAnswer> {
  const { method = 'GET', url, headers = {}, payload } = typeof request === 'string' ? { url: request } : request
  if (!listening.has(app)) listening.set(app, app.server.listening ? Promise.resolve('') : app.listen({ host: '127.0.0.1', port: 0 }))
  await listening.get(app)
  const body = payload === undefined ? '' : typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload)
  const type = typeof payload === 'object' && !Buffer.isBuffer(payload) ? { 'content-type': 'application/json' } : {}
  const port = portOf(app.server.address())
  return await new Promise((resolve, reject) => {
    const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    httpRequest({ host: '127.0.0.1', port, method, path: url, agent: false, headers: { ...length, ...type, ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
      response.on('end', () => { resolve(new WireAnswer(response.statusCode ?? 0, response.headers, text)) })
      response.on('error', reject)
    }).on('error', reject).end(body)
  })
}

/** Sends one JSON-RPC request to the app over HTTP. */
export async function rpc (app: FastifyInstance, method: string, params: Record<string, unknown> = {}, bearer = token()) {
  return await overHttp(app, { method: 'POST', url: '/mcp', headers: mcpHeaders(bearer), payload: { jsonrpc: '2.0', id: 1, method, params } })
}

/** The `CallError` that a promise rejects with; anything else fails the test. */
export async function callError (promise: Promise<unknown>): Promise<CallError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof CallError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** Headers and body of a request of revision 2026-07-28, as its clients send them. */
export function modernRequest (method: string, params: Record<string, unknown> = {}, { bearer = token(), meta = {} }: { bearer?: string, meta?: Record<string, unknown> } = {}) {
  const name = params.name ?? params.uri ?? params.taskId
  return {
    method: 'POST' as const,
    url: '/mcp',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${bearer}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {})
    },
    payload: {
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} }, ...meta }
      }
    }
  }
}

/** Sends one request of revision 2026-07-28 to the app over HTTP. */
export async function modernRpc (app: FastifyInstance, method: string, params: Record<string, unknown> = {}, options: { bearer?: string, meta?: Record<string, unknown> } = {}) {
  return await overHttp(app, modernRequest(method, params, options))
}
