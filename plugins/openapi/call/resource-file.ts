import { grants } from '../../auth/principal.ts'
import type { CallContext } from '../../catalog/definition.ts'
import type { Catalog } from '../../catalog/index.ts'
import { wrongArgument } from '../../django/path.ts'
import type { GeneratedTool } from '../generated.ts'

/** Content of a resource of this server, or undefined for a URI that names none that the caller may read. */
export type ReadResource = (uri: string, context: CallContext) => Promise<{ readonly bytes: Buffer, readonly mimeType: string | undefined } | undefined>

/** Reads resources through the catalog there is at the time. */
export function resourceReader (catalog: () => Catalog): ReadResource {
  return async (uri, context) => {
    const found = catalog().resource(uri)
    if (found === undefined || !grants(context.principal, found.resource.scopes)) return undefined
    const [part] = await found.resource.read(uri, found.variables, context)
    if (part === undefined) return undefined
    return { bytes: 'text' in part ? Buffer.from(part.text) : Buffer.from(part.blob, 'base64'), mimeType: part.mimeType }
  }
}

async function fileAt (argument: string, uri: string, context: CallContext, read: ReadResource | undefined): Promise<unknown> {
  const content = await read?.(uri, context)
  if (content === undefined) throw wrongArgument(argument, 'must be a file, { filename, mime_type, base64 }, or the URI of a resource of this server')
  // The last part of the URI, as it would be named when it is saved.
  const [last = ''] = uri.replace(/[?#].*$/, '').split('/').slice(-1)
  return { filename: last, mime_type: content.mimeType ?? 'application/octet-stream', base64: content.bytes.toString('base64') }
}

/**
 * Arguments with the contents of resources in the place of their URIs.
 * @throws {CallError} `invalid_input`, naming the argument, for a URI that names nothing
 */
export async function withResources (
  { fileArguments }: GeneratedTool,
  args: Readonly<Record<string, unknown>>,
  context: CallContext,
  read: ReadResource | undefined
): Promise<Readonly<Record<string, unknown>>> {
  const uris = fileArguments.filter((argument) => typeof args[argument] === 'string' || (Array.isArray(args[argument]) && args[argument].some((entry: unknown) => typeof entry === 'string')))
  if (uris.length === 0) return args
  const files: Record<string, unknown> = {}
  for (const argument of uris) {
    const value = args[argument]
    const entries: readonly unknown[] = Array.isArray(value) ? value : [value]
    const contents = await Promise.all(entries.map(async (entry) => typeof entry === 'string' ? await fileAt(argument, entry, context, read) : entry))
    files[argument] = Array.isArray(value) ? contents : contents[0]
  }
  return { ...args, ...files }
}
