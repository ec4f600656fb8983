import type { GeneratedTool } from '../generated.ts'
import type { Parameter } from '../operation.ts'

/** A tool with arguments. */
export interface Located {
  readonly tool: GeneratedTool
  readonly args: Readonly<Record<string, unknown>>
}

/** Finds the tool that reads what is at an address of the API's. */
export type Locate = (address: string) => Located | undefined

interface Reader {
  readonly tool: GeneratedTool
  readonly pattern: RegExp
  readonly variables: readonly string[]
}

function escaped (text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function readerOf (tool: GeneratedTool): Reader {
  const pieces = tool.operation.path.replace(/\/$/, '').split(/\{([^{}]+)\}/)
  return {
    tool,
    pattern: new RegExp(`^${pieces.map((piece, index) => index % 2 === 0 ? escaped(piece) : '([^/]+)').join('')}/?$`),
    variables: pieces.filter((_, index) => index % 2 === 1)
  }
}

function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A text as the schema of an argument wants it. */
export function typed (text: string, schema: unknown): unknown {
  const type: unknown = typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : undefined
  const isNumber = ['integer', 'number'].some((name) => type === name || (Array.isArray(type) && type.includes(name)))
  return isNumber && /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

/** Whether a parameter can be told from an address: of a list or an object in a path, only its own style knows the parts. */
function isPlain ({ in: place, style, schema }: Parameter): boolean {
  return place !== 'path' || (style === 'simple' && schema.type !== 'array' && schema.type !== 'object')
}

/** Arguments by what they set in the path or the query. */
function argumentsOf ({ tool, variables }: Reader, values: readonly string[], query: URLSearchParams): Record<string, unknown> {
  const args: Record<string, unknown> = {}
  for (const { argument, place } of tool.bindings) {
    if (place.kind !== 'parameter') continue
    const { name } = place.parameter
    const text = place.parameter.in === 'path' ? values[variables.indexOf(name)] : place.parameter.in === 'query' ? query.get(name) ?? undefined : undefined
    if (text !== undefined) args[argument] = typed(place.parameter.in === 'path' ? decoded(text) : text, tool.inputSchema.properties?.[argument])
  }
  return args
}

/**
 * Knows which of these tools reads an address, by its path; the host says nothing.
 * @param basePath path of the URL that Django is called by, which addresses have before the paths of its document
 */
export function locator (tools: readonly GeneratedTool[], basePath = ''): Locate {
  const readers = tools.filter(({ operation }) => operation.method === 'GET' && operation.parameters.every(isPlain)).map(readerOf)
    // Of several that fit, the one with the fewest variables is meant: /jobs/latest/ before /jobs/{id}/.
    .toSorted((one, other) => one.variables.length - other.variables.length)
  return (address) => {
    const [path = '', query = ''] = address.replace(/^(?:https?:)?\/\/[^/?#]*/i, '').replace(/#.*$/, '').split('?', 2)
    const below = basePath !== '' && path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path
    for (const reader of readers) {
      const match = reader.pattern.exec(below)
      if (match !== null) return { tool: reader.tool, args: argumentsOf(reader, match.slice(1), new URLSearchParams(query)) }
    }
    return undefined
  }
}
