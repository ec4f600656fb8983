import { z } from 'zod'
import { defineResource } from '../plugins/catalog/definition.ts'

/** What Django answers, as far as this resource reads it. */
const client = z.object({
  id: z.int(),
  name: z.string(),
  legal_name: z.string().nullish(),
  client_type: z.string().nullish(),
  vertical: z.string().nullish(),
  overview: z.string().nullish()
})

function orNotAvailable (value: string | null | undefined): string {
  return value === null || value === undefined || value === '' ? 'N/A' : value
}

export default defineResource({
  uri: 'client://{client_id}',
  name: 'client',
  title: 'Client details',
  description: 'Details of one client as readable text; client_id is the numeric id.',
  mimeType: 'text/plain',
  scopes: ['read'],
  parameters: z.object({
    client_id: z.string().regex(/^[1-9]\d{0,15}$/, 'must be a positive whole number')
  }),
  async read ({ client_id }, { django }) {
    const { id, name, legal_name, client_type, vertical, overview } = await django.get('/api/v1/orbit/clients/{client_id}/', {
      path: { client_id },
      schema: client
    })
    const heading = `Client Details: ${name}`
    const lines = [
      heading,
      '='.repeat(heading.length),
      '',
      `ID: ${id}`,
      `Legal Name: ${orNotAvailable(legal_name)}`,
      `Type: ${orNotAvailable(client_type)}`,
      `Vertical: ${orNotAvailable(vertical)}`
    ]
    if (overview !== null && overview !== undefined && overview !== '') lines.push('', 'Overview:', overview)
    return lines.join('\n') + '\n'
  }
})
