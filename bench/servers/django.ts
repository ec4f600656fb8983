import { createServer } from 'node:http'
import { listening } from '../child.ts'

/* A Django that answers at once: ten rows, in the form of the demo's orbit API. */

const statuses = ['active', 'won', 'lost', 'dropped']

function row (id: number) {
  return {
    id,
    name: `Fleet telemetry renewal, region ${id}`,
    status: statuses[id % statuses.length],
    client: { id: 40 + id, name: `Nordwind Logistics ${id} GmbH` },
    value: `${12_500 * id}.00`,
    stage: 'Proposal sent',
    overview: 'Renewal of the telemetry contract for the northern fleet, with the new gateways and three years of support.',
    created_at: `2026-03-${String(id).padStart(2, '0')}T09:15:27.318204Z`,
    closed_at: null,
    close_reason: ''
  }
}

const body = Buffer.from(JSON.stringify({ count: 137, next: 'http://django/api/v1/orbit/opportunities/?limit=10&offset=10', previous: null, results: Array.from({ length: 10 }, (_, index) => row(index + 1)) }))
const headers = { 'content-type': 'application/json', 'content-length': body.length, vary: 'Accept', allow: 'GET, POST, HEAD, OPTIONS', 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' }

const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => { response.writeHead(200, headers).end(body) })
server.listen(0, '127.0.0.1', () => { listening(server.address()) })
