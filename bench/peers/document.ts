/**
 * An OpenAPI document of the one operation that the stub honours, in the form in which drf-spectacular writes it: what
 * is measured is the way of a call, and a server that checks answers must find them as they are described.
 */
export const orbit = {
  openapi: '3.0.3',
  info: { title: 'Orbit API', version: '1.0.0' },
  paths: {
    '/api/v1/orbit/opportunities/': {
      get: {
        operationId: 'opportunities_list',
        description: 'Business opportunities, newest first.',
        tags: ['opportunities'],
        parameters: [
          { in: 'query', name: 'client', schema: { type: 'integer' }, description: 'Only those of this client' },
          { in: 'query', name: 'limit', schema: { type: 'integer' }, description: 'Number of results to return per page.' },
          { in: 'query', name: 'offset', schema: { type: 'integer' }, description: 'The initial index from which to return the results.' },
          { in: 'query', name: 'status', schema: { type: 'string', enum: ['active', 'won', 'lost', 'dropped'] }, description: 'Only those with this status' }
        ],
        responses: { 200: { description: '', content: { 'application/json': { schema: { $ref: '#/components/schemas/PaginatedOpportunityList' } } } } }
      }
    }
  },
  components: {
    schemas: {
      PaginatedOpportunityList: {
        type: 'object',
        required: ['count', 'results'],
        properties: {
          count: { type: 'integer', example: 123 },
          next: { type: 'string', nullable: true, format: 'uri' },
          previous: { type: 'string', nullable: true, format: 'uri' },
          results: { type: 'array', items: { $ref: '#/components/schemas/Opportunity' } }
        }
      },
      Client: { type: 'object', properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string', maxLength: 200 } }, required: ['id', 'name'] },
      Opportunity: {
        type: 'object',
        required: ['id', 'name', 'client', 'created_at'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string', maxLength: 200 },
          status: { type: 'string', enum: ['active', 'won', 'lost', 'dropped'] },
          client: { allOf: [{ $ref: '#/components/schemas/Client' }], readOnly: true },
          value: { type: 'string', format: 'decimal', pattern: String.raw`^-?\d{0,12}(?:\.\d{0,2})?$`, nullable: true },
          stage: { type: 'string' },
          overview: { type: 'string' },
          created_at: { type: 'string', format: 'date-time', readOnly: true },
          closed_at: { type: 'string', format: 'date-time', nullable: true },
          close_reason: { type: 'string' }
        }
      }
    }
  }
}
