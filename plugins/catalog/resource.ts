import { UriTemplate } from '@modelcontextprotocol/sdk/shared/uriTemplate.js'
import { CallError } from '../../errors.ts'
import type { CacheHint, CallContext, Completer } from './definition.ts'
import { contentsShape, resourceShape } from './shapes.ts'
import { cleanListing, cleanText } from './text.ts'
import { defined } from './tool.ts'

/** One part of what `resources/read` gives. */
export type ReadContents = { uri: string, mimeType?: string, text: string } | { uri: string, mimeType?: string, blob: string }

/** A resource ready to be listed and read. */
export interface Resource {
  /** The URI or the template, which also names the resource in metrics. */
  uri: string
  isTemplate: boolean
  scopes: readonly string[]
  /** The entry of `resources/list` or of `resources/templates/list`. */
  listing: Record<string, unknown> & { name: string, uri: string } | Record<string, unknown> & { name: string, uriTemplate: string }
  /** Whether something that nobody sees, or too much, was taken out of the listing. */
  cleaned: boolean
  completers: Readonly<Record<string, Completer>>
  /** How long what is read may be kept. */
  cache: CacheHint
  /** The variables of the template in a URI, or undefined where the URI is another resource's. */
  match: (uri: string) => Record<string, string> | undefined
  /**
   * Checks the variables and reads.
   * @throws whatever the definition's `read` throws, and `CallError` for what does not pass a check
   */
  read: (uri: string, variables: Record<string, string>, context: CallContext) => Promise<ReadContents[]>
}

/** A URI longer than this is no resource of ours, and matching it would only cost time. */
const maxUriLength = 2048

function decoded (value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}

/** Matches URIs against a template; values are percent-decoded. */
function matcher (template: string): Resource['match'] {
  const parsed = new UriTemplate(template)
  return (uri) => {
    if (uri.length > maxUriLength) return undefined
    const variables: Record<string, string> = {}
    for (const [name, value] of Object.entries(parsed.match(uri) ?? {})) {
      const text = typeof value === 'string' ? decoded(value) : undefined
      if (text === undefined) return undefined
      variables[name] = text
    }
    return Object.keys(variables).length === 0 ? undefined : variables
  }
}

function partsOf (uri: string, mimeType: string | undefined, result: unknown): ReadContents[] {
  const checked = contentsShape.safeParse(result)
  if (!checked.success) throw new CallError('internal', 'The resource gave contents that are not valid.', { cause: checked.error })
  // Clients must not take what is not there for something that is empty (server/resources, "Error Handling").
  if (Array.isArray(checked.data) && checked.data.length === 0) throw new CallError('not_found', 'There is nothing at this URI.')
  const type = mimeType === undefined ? {} : { mimeType }
  if (typeof checked.data === 'string') return [{ uri, ...type, text: cleanText(checked.data) }]
  if (checked.data instanceof Uint8Array) return [{ uri, ...type, blob: Buffer.from(checked.data).toString('base64') }]
  // Types and contents that a part states itself go before those of the resource.
  return checked.data.map((part) => Object.assign({ uri }, type, part, 'text' in part ? { text: cleanText(part.text) } : {}))
}

/**
 * Makes a definition into a resource.
 * @throws {z.ZodError} for something that is not a resource
 * @throws {Error} for a template that is not valid
 */
export function compileResource (definition: unknown): Resource {
  const { uri, name, title, description, mimeType, icons, parameters, read, complete = {}, scopes = ['read'], ...rest } = resourceShape.parse(definition)
  const isTemplate = uri.includes('{')
  const given = { name, ...defined({ title, description, mimeType, icons }) }
  const described = cleanListing(given)
  const variables = isTemplate ? new UriTemplate(uri).variableNames : []
  const stray = Object.keys(complete).filter((variable) => !variables.includes(variable))
  if (stray.length > 0) throw new Error(`complete: no such variable: ${stray.join(', ')}`)

  return {
    uri,
    isTemplate,
    scopes,
    completers: complete,
    cache: rest.cache ?? { ttlMs: 0, scope: 'private' },
    listing: isTemplate ? { ...described, uriTemplate: uri } : { ...described, uri },
    cleaned: described !== given,
    match: isTemplate ? matcher(uri) : (candidate) => candidate === uri ? {} : undefined,
    async read (requested, variables, context) {
      const checked = parameters?.safeParse(variables)
      if (checked?.success === false) {
        throw new CallError('invalid_input', 'The URI is not valid.', {
          problems: checked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
        })
      }
      return partsOf(requested, mimeType, await read(checked?.data ?? variables, context))
    }
  }
}
