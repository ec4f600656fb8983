import { z } from 'zod'
import { defineTool } from '../../plugins/catalog/definition.ts'

/** What Django answers, as far as this tool reads it. */
const opportunity = z.object({
  name: z.string(),
  client: z.object({ name: z.string() }).nullish()
})

const route = '/api/v1/orbit/opportunities/{id}/'

export default defineTool({
  name: 'delete_opportunity',
  title: 'Delete an opportunity',
  description: 'Deletes one opportunity for good, after the user has confirmed it. One that has contracts stays.',
  scopes: ['write'],
  annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
  asks: true,
  input: z.object({
    opportunity_id: z.int().positive().describe('Id of the opportunity')
  }),
  output: z.object({
    deleted: z.boolean().describe('False where the user did not agree'),
    name: z.string().describe('Name of the opportunity')
  }),
  async handler ({ opportunity_id }, { django, ask }) {
    const path = { id: opportunity_id }
    // Read first, so that the user is asked about a name and not about a number.
    const { name, client } = await django.get(route, { path, schema: opportunity })
    const of = client === null || client === undefined ? '' : ` of ${client.name}`
    const { action } = await ask({ message: `Delete the opportunity ${JSON.stringify(name)}${of} (id ${opportunity_id})? This cannot be undone.` })
    if (action !== 'accept') return { deleted: false, name }
    await django.delete(route, { path, schema: z.unknown() })
    return { deleted: true, name }
  }
})
