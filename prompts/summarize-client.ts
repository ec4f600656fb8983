import { z } from 'zod'
import { definePrompt } from '../plugins/catalog/definition.ts'

/** What Django answers to a search, as far as completion reads it. */
const clients = z.object({ results: z.array(z.object({ id: z.int(), name: z.string() })) })

/** Clients that are offered at most. */
const offered = 20

export default definePrompt({
  name: 'summarize_client',
  title: 'Summarize a client',
  description: 'Asks for a summary of one client and its open opportunities.',
  scopes: ['read'],
  arguments: z.object({
    client: z.string().min(1).describe('Name of the client')
  }),
  complete: {
    async client (typed, { django }) {
      const { results } = await django.get('/api/v1/orbit/clients/', {
        query: { search: typed === '' ? undefined : typed, page_size: offered },
        schema: clients
      })
      return results.map(({ name }) => name)
    }
  },
  async get ({ client }, { django }) {
    const { results } = await django.get('/api/v1/orbit/clients/', {
      query: { search: client, page_size: 1 },
      schema: clients
    })
    const [found] = results
    const resource = found === undefined ? '' : ` Its details are in the resource client://${found.id}, and its id is ${found.id}.`
    return `Summarize the client ${JSON.stringify(client)} for a sales meeting: who they are, which opportunities are active, and what they are worth.${resource}`
  }
})
