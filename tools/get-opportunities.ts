import { z } from 'zod'
import { defineTool } from '../plugins/catalog/definition.ts'

const statuses = ['active', 'won', 'lost', 'dropped'] as const

/** What Django answers, as far as this tool reads it. */
const page = z.object({
  count: z.int(),
  results: z.array(z.object({
    id: z.int(),
    name: z.string(),
    status: z.string(),
    client: z.object({ name: z.string() }).nullish(),
    // A decimal, which Django sends as text so that it stays exact.
    value: z.union([z.string(), z.number()]).nullish(),
    stage: z.string().nullish()
  }))
})

export default defineTool({
  name: 'get_opportunities',
  title: 'List opportunities',
  description: 'Lists business opportunities, newest first, optionally of one status or one client.',
  scopes: ['read'],
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.object({
    status: z.enum(statuses).optional().describe('Only opportunities with this status'),
    client_id: z.int().positive().optional().describe('Only opportunities of the client with this id'),
    limit: z.int().min(1).max(100).default(10).describe('How many to return at most')
  }),
  output: z.object({
    count: z.int().describe('How many are returned here'),
    total: z.int().describe('How many there are'),
    opportunities: z.array(z.object({
      id: z.int(),
      name: z.string(),
      status: z.string(),
      client: z.string().nullable().describe('Name of the client'),
      value: z.string().nullable().describe('A decimal number'),
      stage: z.string().nullable()
    }))
  }),
  async handler ({ status, client_id, limit }, { django }) {
    const { count, results } = await django.get('/api/v1/orbit/opportunities/', {
      query: { status, client: client_id, limit },
      argumentNames: { client: 'client_id' },
      schema: page
    })
    const opportunities = results.map(({ id, name, status, client, value, stage }) => ({
      id,
      name,
      status,
      client: client?.name ?? null,
      value: value === null || value === undefined ? null : String(value),
      stage: stage ?? null
    }))
    return { count: opportunities.length, total: count, opportunities }
  }
})
