import { isRecord } from '../../checks/records.ts'

/** A header that a schema asks for: the argument's place in the arguments, and the rest of the name behind `Mcp-Param-`. */
export interface ParameterHeader {
  path: readonly string[]
  name: string
  numeric: boolean
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const primitive = new Set(['string', 'integer', 'boolean'])

/** Keywords whose schemas hold for some values only, or for a value that has no place of its own: one schema, a list of them, or some by name. */
const elsewhere = ['items', 'prefixItems', 'contains', 'additionalProperties', 'unevaluatedProperties', 'unevaluatedItems', 'propertyNames', 'oneOf', 'anyOf', 'allOf', 'not', 'if', 'then', 'else'] as const
const elsewhereByName = ['patternProperties', 'dependentSchemas', '$defs', 'definitions'] as const

function schemasElsewhere (node: Readonly<Record<string, unknown>>): unknown[] {
  return [...elsewhere.flatMap((keyword) => node[keyword]), ...elsewhereByName.flatMap((keyword) => Object.values(isRecord(node[keyword]) ? node[keyword] : {}))]
}

/**
 * The headers that an input schema asks for with `x-mcp-header` (server/tools, "x-mcp-header").
 * @throws {Error} where it stands on something that cannot be a header, or the same name stands twice: clients would
 * leave out the whole tool
 */
export function parameterHeaders (schema: unknown): ParameterHeader[] {
  const found: ParameterHeader[] = []
  const visit = (node: unknown, path: readonly string[], reachable: boolean): void => {
    if (!isRecord(node)) return
    const name = node['x-mcp-header']
    if (name !== undefined) {
      if (!reachable || path.length === 0) throw new Error('x-mcp-header: expected on an argument, or on a property of one, that no other keyword leads to')
      if (typeof name !== 'string' || !token.test(name)) throw new Error(`x-mcp-header of ${path.join('.')}: expected the name of a header`)
      if (typeof node.type !== 'string' || !primitive.has(node.type)) throw new Error(`x-mcp-header of ${path.join('.')}: expected a string, integer or boolean`)
      if (found.some((other) => other.name.toLowerCase() === name.toLowerCase())) throw new Error(`x-mcp-header ${name} is asked for twice`)
      found.push({ path, name, numeric: node.type === 'integer' })
    }
    if (isRecord(node.properties)) for (const [key, child] of Object.entries(node.properties)) visit(child, [...path, key], reachable)
    for (const child of schemasElsewhere(node)) visit(child, path, false)
  }
  visit(schema, [], true)
  return found
}
