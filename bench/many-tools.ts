const nouns = ['client', 'contract', 'invoice', 'reminder', 'contact', 'activity', 'shipment', 'vehicle', 'document', 'comment']
const verbs = ['list', 'retrieve', 'search', 'count', 'export', 'history_of', 'summary_of']

/** Tools like those of a large API, to be in the catalog beside the one that is called. */
export function manyTools (count: number): object[] {
  return Array.from({ length: count }, (_, index) => {
    const noun = nouns[index % nouns.length] ?? ''
    const verb = verbs[index % verbs.length] ?? ''
    return {
      name: `${verb}_${noun}_${index}`,
      title: `${verb} ${noun} ${index}`,
      description: `Gives the ${noun}s that the caller may see, newest first, with what belongs to each of them.`,
      annotations: { readOnlyHint: true, openWorldHint: false },
      input: {
        type: 'object' as const,
        properties: {
          search: { type: 'string', description: `Text that a ${noun} contains` },
          status: { type: 'string', enum: ['open', 'closed', 'archived'], description: 'Only those with this status' },
          owner_id: { type: 'integer', minimum: 1, description: 'Only those of this owner' },
          ordering: { type: 'string', description: 'Field to sort by, with a minus in front for the reverse' },
          limit: { type: 'integer', minimum: 1, maximum: 100, default: 10, description: 'How many to return at most' },
          offset: { type: 'integer', minimum: 0, default: 0, description: 'How many to leave out' }
        }
      },
      handler: () => 'nothing'
    }
  })
}
