import { statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import got from 'got'
import { CallError } from '../../errors.ts'
import type { Answer } from '../django/answer.ts'
import type { DjangoClient } from '../django/client.ts'
import { exchange, ExchangeFailed } from '../django/exchange.ts'
import { isTransient } from '../django/retry.ts'

/** A document as it came. */
export interface Fetched {
  text: string
  /** What to ask with whether there is a newer one (RFC 9110 §8.8.3), where the server says it. */
  etag: string | undefined
}

/** A place that a document comes from. */
export interface DocumentSource {
  /** What it is called in logs, without a query, which may hold a secret. */
  readonly name: string
  /**
   * The document, or `unchanged` where it is the one of that `etag` still.
   * @throws {SourceError}
   */
  readonly fetch: (etag: string | undefined, signal: AbortSignal) => Promise<Fetched | 'unchanged'>
}

/** The document could not be had. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  /** Whether another attempt could fare better. */
  readonly transient: boolean

  constructor (message: string, transient: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.transient = transient
  }
}

/** Bytes above which a document is refused; the Django client has a limit of its own. */
const maxBytes = 52_428_800
/** Milliseconds for one fetch from another host than Django's. */
const timeout = 30_000

/**
 * JSON is read many times faster than YAML. Django REST Framework takes the first of its renderers that is accepted as
 * closely as any other, so YAML must not be named to be second.
 */
const accept = 'application/vnd.oai.openapi+json, application/json, */*;q=0.1'

function headersFor (etag: string | undefined): Record<string, string> {
  return { accept, ...etag === undefined ? {} : { 'if-none-match': etag } }
}

function explained (status: number): string {
  if (status === 401 || status === 403) return `it is refused to this service (${status})`
  if (status === 404 || status === 410) return `there is nothing (${status})`
  if (status >= 300 && status < 400) return `there is a redirect (${status}), which is not followed`
  return `the answer is ${status}`
}

/** What an answer amounts to. */
function fetchedFrom ({ status, headers, body }: Answer, name: string): Fetched | 'unchanged' {
  if (status === 304) return 'unchanged'
  if (status !== 200) throw new SourceError(`${name}: ${explained(status)}`, isTransient(status))
  const { etag } = headers
  return { text: body.toString('utf8'), etag: typeof etag === 'string' ? etag : undefined }
}

function failed (error: unknown, name: string): SourceError {
  if (error instanceof SourceError) return error
  const known = error instanceof ExchangeFailed ? error.error : error
  if (!(known instanceof CallError)) throw error
  const transient = known.kind === 'unavailable' || known.kind === 'timeout' || known.kind === 'cancelled'
  return new SourceError(`${name}: ${known.kind === 'cancelled' ? 'there was no answer in time' : known.message}`, transient, error)
}

/** A path on the Django host, asked for with the key of this service. */
function djangoSource (django: DjangoClient, target: string): DocumentSource {
  const [path = target] = target.split('?')
  const name = `${path} of Django`
  return {
    name,
    async fetch (etag, signal) {
      try {
        return fetchedFrom(await django.bind({ signal }).send({ method: 'GET', route: path, target, headers: headersFor(etag), body: undefined }), name)
      } catch (error) {
        throw failed(error, name)
      }
    }
  }
}

/** Any other URL, which must not see the key. */
function urlSource (url: string): DocumentSource {
  const { origin, pathname } = new URL(url)
  const name = `${origin}${pathname}`
  const http = got.extend({ retry: { limit: 0 }, followRedirect: false, throwHttpErrors: false, decompress: false })
  return {
    name,
    async fetch (etag, signal) {
      try {
        const headers = { ...headersFor(etag), 'accept-encoding': 'identity' }
        return fetchedFrom(await exchange(http, url, { method: 'GET', headers, body: undefined, signal, timeout, maxBytes }), name)
      } catch (error) {
        throw failed(error, name)
      }
    }
  }
}

function reasonOf (error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'it may not be read' : String(error)
}

/**
 * The text of a file.
 * @throws {SourceError}
 */
export async function readText (path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) throw new SourceError(`${path}: it is larger than ${maxBytes} bytes`, false)
    return await readFile(path, 'utf8')
  } catch (error) {
    throw error instanceof SourceError ? error : new SourceError(`${path}: ${reasonOf(error)}`, false, error)
  }
}

function fileSource (path: string): DocumentSource {
  return { name: path, fetch: async () => ({ text: await readText(path), etag: undefined }) }
}

function isFile (path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

export interface Places {
  /** Client of the Django whose API the document describes. */
  django: DjangoClient
  /** Where Django answers. A URL below it is fetched with the key, any other one without. */
  djangoUrl: string
}

/**
 * The place that is meant by a text: an http or https URL, a file URL, a path on the Django host that begins with a
 * slash, or else a file. A path with a slash that is a file here and now is that file: no API answers under such a name.
 */
export function sourceOf (place: string, { django, djangoUrl }: Places): DocumentSource {
  if (/^https?:/i.test(place)) return place.startsWith(`${djangoUrl}/`) ? djangoSource(django, place.slice(djangoUrl.length)) : urlSource(place)
  if (/^file:/i.test(place)) return fileSource(fileURLToPath(place))
  return place.startsWith('/') && !isFile(place) ? djangoSource(django, place) : fileSource(place)
}
