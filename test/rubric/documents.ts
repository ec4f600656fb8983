/*
 * Documents that are too large to be kept: a thousand operations and more, and one whose schemas are all written out
 * in place, as some generators do it.
 */

const resources = ['clients', 'contacts', 'invoices', 'payments', 'projects', 'tickets', 'contracts', 'assets', 'reports', 'webhooks'] as const

function row (name: string): object {
  return {
    type: 'object',
    required: ['id', 'name'],
    properties: {
      id: { type: 'integer', readOnly: true },
      url: { type: 'string', format: 'uri', readOnly: true },
      name: { type: 'string', maxLength: 100, description: `Name of the ${name}` },
      status: { type: 'string', enum: ['open', 'closed'], default: 'open' },
      amount: { type: 'string', format: 'decimal', pattern: String.raw`^-?\d{0,8}(?:\.\d{0,2})?$` },
      active: { type: 'boolean' },
      note: { type: 'string', nullable: true }
    }
  }
}

function json (schema: object): object {
  return { 'application/json': { schema } }
}

/** The usual operations on a list and on one of its things. */
function viewSet (prefix: string, parents: readonly string[], name: string, schema: object): Record<string, object> {
  const path = `/api/v1/${[...parents.flatMap((parent) => [parent, `{${parent}_id}`]), name].join('/')}/`
  const outer = parents.map((parent) => ({ in: 'path', name: `${parent}_id`, required: true, schema: { type: 'integer' } }))
  const id = { in: 'path', name: 'id', required: true, schema: { type: 'integer' } }
  const page = ['page', 'page_size'].map((parameter) => ({ in: 'query', name: parameter, schema: { type: 'integer' } }))
  const list = { type: 'object', properties: { count: { type: 'integer' }, next: { type: 'string', nullable: true }, previous: { type: 'string', nullable: true }, results: { type: 'array', items: schema } } }
  const operation = (verb: string, parts: object): object => ({ operationId: `${prefix}_${verb}`, tags: [name], ...parts })
  const one = { 200: { description: '', content: json(schema) } }
  return {
    [path]: {
      parameters: outer,
      get: operation('list', { parameters: [...page, { in: 'query', name: 'search', schema: { type: 'string' } }], responses: { 200: { description: '', content: json(list) } } }),
      post: operation('create', { requestBody: { required: true, content: json(schema) }, responses: { 201: { description: '', content: json(schema) } } })
    },
    [`${path}{id}/`]: {
      parameters: [...outer, id],
      get: operation('retrieve', { responses: one }),
      put: operation('update', { requestBody: { required: true, content: json(schema) }, responses: one }),
      patch: operation('partial_update', { requestBody: { content: json({ ...schema, required: [] }) }, responses: one }),
      delete: operation('destroy', { responses: { 204: { description: '' } } })
    }
  }
}

/** A document of 1,200 operations: ten resources, each alone and below others. */
export function manyOperations (): object {
  const families = resources.flatMap((name) => [[name], ...resources.filter((other) => other !== name).map((other) => [other, name]), ...resources.filter((other) => other !== name).map((other) => ['tenants', other, name]), ['archive', name]])
  const paths = families.slice(0, 200).flatMap((family) => {
    const name = family.at(-1) ?? ''
    return Object.entries(viewSet(`api_v1_${family.join('_')}`, family.slice(0, -1), name, { $ref: `#/components/schemas/${name}` }))
  })
  return {
    openapi: '3.0.3',
    info: { title: 'Many', version: '1' },
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(resources.map((name) => [name, row(name)])) }
  }
}

/** A schema with schemas in it, down to some level. */
function nested (name: string, depth: number): object {
  const own = row(name)
  if (depth === 0) return own
  const inner = ['owner', 'parent', 'items'].map((property) => {
    const schema = nested(`${property} of the ${name}`, depth - 1)
    return [property, property === 'items' ? { type: 'array', items: schema } : schema] as const
  })
  return { ...own, properties: { ...'properties' in own && typeof own.properties === 'object' ? own.properties : {}, ...Object.fromEntries(inner) } }
}

/** A document without references, of which every body and answer is written out: several megabytes. */
export function dereferenced (): object {
  const paths = resources.flatMap((name) => Object.entries(viewSet(`api_v1_${name}`, [], name, nested(name, 4))))
  return { openapi: '3.0.3', info: { title: 'Written out', version: '1' }, paths: Object.fromEntries(paths) }
}
