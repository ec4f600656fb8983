import { isScope } from '../../checks/tokens.ts'
import { versionOf } from './document.ts'
import type { Operation, OperationMethod, Security, Skipped } from './operation.ts'
import { readBody, readFormBody, readResponses } from './read/content.ts'
import { sectionFor, withoutRequestLine } from './read/docstring.ts'
import { readParameters } from './read/parameters.ts'
import { PointerError, resolved } from './read/pointer.ts'
import type { Reading } from './read/reading.ts'
import { isRecord, listAt, own, recordAt, textAt, textsAt, type Raw } from './read/records.ts'
import { Schemas } from './read/schemas.ts'
import { isVisible, plain } from './text.ts'

/** What is told of the document, each thing once: a mistake in a shared part is found in every operation that uses it. */
class Warnings {
  readonly #places = new Map<string, string[]>()

  add (text: string, place?: string): void {
    const places = this.#places.get(text) ?? []
    this.#places.set(text, place === undefined ? places : [...places, place])
  }

  texts (): string[] {
    return [...this.#places].map(([text, [first, ...others]]) => first === undefined ? text
      : `${text} It is so in ${first}${others.length === 0 ? '' : ` and in ${others.length} other ${others.length === 1 ? 'operation' : 'operations'}`}.`)
  }
}

export interface ReadDocument {
  readonly operations: readonly Operation[]
  readonly skipped: readonly Skipped[]
  readonly warnings: readonly string[]
}

const methods: Readonly<Record<string, OperationMethod>> = { get: 'GET', post: 'POST', put: 'PUT', patch: 'PATCH', delete: 'DELETE' }
const passedOver = new Set(['head', 'options', 'trace', 'query'])

/** Why no request can be made to this path, or undefined where one can. */
function wrongPath (path: string): string | undefined {
  if (!path.startsWith('/')) return 'its path does not start with /'
  if (!isVisible(path) || /[\s\\?#]/.test(path)) return 'its path has characters that a path cannot have'
  if (/[{}]/.test(path.replaceAll(/\{[^{}/]+\}/g, ''))) return 'the braces in its path do not match'
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? 'its path leads upwards' : undefined
}

/**
 * What is needed to call an operation: its own requirements, or those of the whole document.
 * @throws {Error} where it needs scopes and none of them is one: left out, the operation would be open to more callers
 */
function securityOf (raw: Raw, { document, version }: Reading): Security {
  const schemes = version === '2' ? recordAt(document, 'securityDefinitions') : recordAt(recordAt(document, 'components'), 'securitySchemes')
  const alternatives = (Array.isArray(raw.security) ? raw.security : listAt(document, 'security')).filter(isRecord)
  const hasScopes = (name: string): boolean => ['oauth2', 'openIdConnect'].includes(textAt(recordAt(schemes, name), 'type'))
  const scopes = alternatives.map((alternative) => Object.keys(alternative).filter(hasScopes).flatMap((name) => textsAt(alternative, name))).filter((names) => names.length > 0)
  const usable = scopes.filter((names) => names.every(isScope))
  if (usable.length === 0 && scopes.length > 0) throw new Error('its security names nothing that is a scope')
  return {
    anonymous: Array.isArray(raw.security) && raw.security.length === 0 || alternatives.some((alternative) => Object.keys(alternative).length === 0),
    scopes: usable
  }
}

function readOperation (key: string, method: OperationMethod, path: string, raw: Raw, item: Raw, reading: Reading): Operation {
  const { parameters, ofBody } = readParameters(key, path, [listAt(item, 'parameters'), listAt(raw, 'parameters')], reading)
  const operationId = plain(textAt(raw, 'operationId'))
  return {
    key,
    method,
    path,
    operationId: operationId === '' ? undefined : operationId,
    summary: plain(textAt(raw, 'summary')),
    description: plain(withoutRequestLine(sectionFor(textAt(raw, 'description'), method, path))),
    tags: textsAt(raw, 'tags').map(plain).filter((tag) => tag !== ''),
    deprecated: raw.deprecated === true,
    parameters,
    body: reading.version === '2' ? readFormBody(raw, ofBody, reading) : readBody(raw, reading),
    responses: readResponses(key, raw, reading),
    security: securityOf(raw, reading),
    definitions: reading.schemas.definitions
  }
}

/** Why an operation could not be read, for the list of those that are left out. */
function reasonOf (error: unknown): string {
  if (error instanceof PointerError) return error.message
  if (error instanceof RangeError) return 'its schemas are nested too deeply'
  return `it cannot be read: ${error instanceof Error ? plain(error.message) : 'unknown error'}`
}

/** Where the API lies below its host, by the document, which may not say where requests go. */
function pathOfServers (document: Raw): string | undefined {
  const paths = listAt(document, 'servers').filter(isRecord).map((server) => textAt(server, 'url').replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*|^\/\/[^/]*/i, '').replace(/[?#].*$/, '').replace(/\/+$/, ''))
  const [first] = paths
  return first !== undefined && first.startsWith('/') && isVisible(first) && paths.every((path) => path === first) ? first : undefined
}

/** What the paths of a 2.0 document lie below, which some write without its first slash. */
export function basePathOf (document: Raw): string {
  const inner = textAt(document, 'basePath').replace(/^\/+/, '').replace(/\/+$/, '')
  return inner === '' ? '' : `/${inner}`
}

/**
 * Reads the operations of an OpenAPI document. What cannot be read loses its own operation only. `servers` and `host`
 * say nothing about where requests go; the base path of a 2.0 document is part of every path.
 * @throws {DocumentError} for a document of an unknown version
 */
export function readOperations (document: unknown): ReadDocument {
  const version = versionOf(document)
  const root = isRecord(document) ? document : {}
  const skipped: Skipped[] = []
  const operations: Operation[] = []
  const keys = new Set<string>()
  const warnings = new Warnings()
  const warn = warnings.add.bind(warnings)
  const reading: Reading = { document: root, version, schemas: new Schemas(root, warn), warn }
  const basePath = version === '2' ? basePathOf(root) : ''
  const below = pathOfServers(root)
  if (below !== undefined && version !== '2') {
    warn(`The document says that its paths lie below ${below}. Requests go where DJANGO_BASE_URL says: let it end in ${below} if the API lies there.`)
  }

  for (const [template, value] of Object.entries(recordAt(root, 'paths'))) {
    if (template.startsWith('x-')) continue
    const path = `${basePath}${template}`
    let item: Raw
    try {
      item = resolved(root, value)
    } catch (error) {
      skipped.push({ operation: path, reason: reasonOf(error) })
      continue
    }
    for (const [name, raw] of Object.entries(item)) {
      const method = own(methods, name.toLowerCase())
      const key = `${name.toUpperCase()} ${path}`
      const wrong = wrongPath(path)
      if (passedOver.has(name.toLowerCase())) skipped.push({ operation: key, reason: `no tools are made for ${name.toUpperCase()}` })
      if (typeof method !== 'string') continue
      if (wrong !== undefined || !isRecord(raw)) {
        skipped.push({ operation: key, reason: wrong ?? 'it is not an object' })
        continue
      }
      // As `get` and `GET`: what is known of operations is known by their keys.
      if (keys.has(key)) {
        skipped.push({ operation: key, reason: 'it is there already, with its method in other capital letters' })
        continue
      }
      keys.add(key)
      try {
        operations.push(readOperation(key, methods[name.toLowerCase()] ?? 'GET', path, raw, item, reading))
      } catch (error) {
        skipped.push({ operation: key, reason: reasonOf(error) })
      }
    }
  }
  return { operations, skipped, warnings: warnings.texts() }
}
