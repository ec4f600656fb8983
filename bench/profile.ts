import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { table } from './figures.ts'

const cpuProfile = z.object({
  nodes: z.array(z.object({
    id: z.number(),
    callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    children: z.array(z.number()).default([])
  })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number())
})

/** Who a frame belongs to, by what stands in its URL: the first that fits. */
const owners: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ['audit line', /\/plugins\/audit|\/routes\/mcp\/audit/],
  ['access line, pino', /node_modules\/(pino|sonic-boom)|\/plugins\/logging/],
  ['metrics', /node_modules\/(@prometheus-io|fastify-metrics)|\/plugins\/metrics|\/routes\/mcp\/operation/],
  ['rate limit', /rate-limit/],
  ['token, scopes', /\/plugins\/auth/],
  ['CORS, hosts, load shedding, correlation', /@fastify\/(cors|under-pressure)|\/plugins\/(cors|host|load-shedding|correlation)/],
  ['zod', /node_modules\/zod\//],
  ['ajv', /node_modules\/ajv/],
  ['MCP SDK', /node_modules\/@modelcontextprotocol/],
  ['request to Django: got, http client', /node_modules\/(got|keyv|cacheable|responselike|lowercase-keys|@sindresorhus|@szmarczak|@keyv)|_http_client|_http_agent|\/plugins\/django/],
  ['catalog, tool', /\/plugins\/(catalog|openapi)|\/tools\//],
  ['MCP route', /\/routes\/mcp/],
  ['body parser', /content-type-parser|secure-json-parse/],
  ['Fastify', /node_modules\/(fastify|find-my-way|avvio)/],
  ['HTTP server', /_http_(server|incoming|outgoing|common)/],
  ['sockets, streams', /^node:(net|internal\/(streams|stream_base))/],
  ['the bare route', /\/bench\/servers/]
]

interface Node { callFrame: { functionName: string, url: string, lineNumber: number }, parent?: Node }

/** The owner of a sample: of the nearest frame that has one. What Node does for somebody counts as theirs. */
function ownerOf (node: Node): string {
  if (node.callFrame.functionName === '(garbage collector)') return 'garbage collector'
  for (let frame: Node | undefined = node; frame !== undefined; frame = frame.parent) {
    const { url } = frame.callFrame
    const owner = owners.find(([, pattern]) => pattern.test(url))
    if (owner !== undefined) return owner[0]
  }
  return 'event loop, native code'
}

/** Where the CPU time of a profile went: by group, and the functions that took most. */
export function summarize (path: string, calls: number, cpuPerCall: number): string {
  const { nodes, samples, timeDeltas } = cpuProfile.parse(JSON.parse(readFileSync(path, 'utf8')))
  const tree = new Map<number, Node>(nodes.map(({ id, callFrame }) => [id, { callFrame }]))
  for (const { id, children } of nodes) {
    const parent = tree.get(id)
    for (const child of children) {
      const node = tree.get(child)
      if (node !== undefined && parent !== undefined) node.parent = parent
    }
  }
  const byGroup = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let total = 0
  samples.forEach((id, index) => {
    const node = tree.get(id)
    const delta = timeDeltas[index] ?? 0
    if (node === undefined || node.callFrame.functionName === '(idle)') return
    const frame = node.callFrame
    total += delta
    const group = ownerOf(node)
    byGroup.set(group, (byGroup.get(group) ?? 0) + delta)
    const place = `${frame.functionName === '' ? '(anonymous)' : frame.functionName} ${frame.url.replace(/^.*node_modules\//, '').replace(/^.*\/(?=(plugins|routes|tools|bench)\/)/, '')}:${frame.lineNumber + 1}`
    byFunction.set(place, (byFunction.get(place) ?? 0) + delta)
  })
  const rows = (times: ReadonlyMap<string, number>, most: number): string[][] => [...times].toSorted(([, left], [, right]) => right - left).slice(0, most)
    .map(([name, time]) => [name, `${(100 * time / total).toFixed(1)} %`, (cpuPerCall * time / total).toFixed(1)])
  return `${calls} calls, ${cpuPerCall.toFixed(0)} µs each\n\n${table([['spent for', 'share', 'µs/call'], ...rows(byGroup, 40)])}\n\n${table([['functions', 'share', 'µs/call'], ...rows(byFunction, 60)])}`
}
