import { isRecord } from '../../checks/records.ts'

/** A header that a schema asks for: the argument's place in the arguments, and the rest of the name behind `Mcp-Param-`. */
export interface ParameterHeader {
  path: readonly string[]
  name: string
  numeric: boolean
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const primitive = new Set(['string', 'integer', 'number', 'boolean'])

/**
 * The headers that an input schema asks for with `x-mcp-header` (server/tools, "x-mcp-header").
 * @throws {Error} where it stands on something that cannot be a header, or the same name stands twice
 */
export function parameterHeaders (schema: unknown): ParameterHeader[] {
  const found: ParameterHeader[] = []
  const visit = (node: unknown, path: readonly string[]): void => {
    if (!isRecord(node)) return
    const name = node['x-mcp-header']
    if (name !== undefined) {
      if (typeof name !== 'string' || !token.test(name)) throw new Error(`x-mcp-header of ${path.join('.')}: expected the name of a header`)
      if (typeof node.type !== 'string' || !primitive.has(node.type)) throw new Error(`x-mcp-header of ${path.join('.')}: expected a string, integer or boolean`)
      if (found.some((other) => other.name.toLowerCase() === name.toLowerCase())) throw new Error(`x-mcp-header ${name} is asked for twice`)
      found.push({ path, name, numeric: node.type === 'integer' || node.type === 'number' })
    }
    if (isRecord(node.properties)) for (const [key, child] of Object.entries(node.properties)) visit(child, [...path, key])
  }
  visit(schema, [])
  return found
}
