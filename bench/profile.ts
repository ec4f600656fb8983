import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { table } from './figures.ts'

const cpuProfile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number())
})

/** Groups by what stands in a frame's URL, the first that fits. */
const groups: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  ['got and what it brings', /node_modules\/(got|keyv|cacheable-request|cacheable-lookup|form-data-encoder|responselike|lowercase-keys|@sindresorhus|http2-wrapper|decompress-response|p-cancelable|chunk-data|uint8array-extras|byte-counter|get-stream|@szmarczak|@keyv|cacheable|type-fest)/],
  ['MCP SDK', /node_modules\/@modelcontextprotocol/],
  ['zod', /node_modules\/zod\//],
  ['ajv', /node_modules\/ajv/],
  ['tokens: @fastify/jwt, fast-jwt', /node_modules\/(@fastify\/jwt|fast-jwt|@lukeed|asn1|ecdsa|mnemonist|obliterator)/],
  ['Fastify and its plugins', /node_modules\/(@?fastify|find-my-way|avvio|light-my-request|secure-json-parse|fast-querystring|ipaddr|proxy-addr|toad-cache)/],
  ['logs: pino', /node_modules\/(pino|sonic-boom|safe-stable-stringify|quick-format|thread-stream|on-exit)/],
  ['metrics', /node_modules\/(@prometheus-io|fastify-metrics|prom-client)/],
  ['other packages', /node_modules/],
  ['Node: http', /^node:(_http|internal\/http|http)/],
  ['Node: net, streams, events', /^node:(net|_?stream|internal\/(streams|stream_base|net)|events|internal\/event)/],
  ['Node: crypto', /^node:(crypto|internal\/crypto)/],
  ['Node: timers, promises, queues', /^node:(timers|internal\/(timers|process|async|abort)|async_hooks|diagnostics)/],
  ['Node: other', /^node:/],
  ['our code: plugins', /\/plugins\//],
  ['our code: routes', /\/routes\//],
  ['our code: tools', /\/tools\//],
  ['our code: other', /^file:/]
]

function groupOf (functionName: string, url: string): string {
  if (functionName === '(garbage collector)') return 'garbage collector'
  if (functionName === '(program)') return 'native, outside JavaScript'
  if (url === '') return `native: ${['writev', 'writeBuffer', 'writeLatin1String', 'writeUtf8String'].includes(functionName) ? 'socket writes' : functionName === 'writeString' || functionName === 'writeSync' ? 'log writes' : ['parse', 'stringify'].includes(functionName) ? 'JSON' : 'other'}`
  return groups.find(([, pattern]) => pattern.test(url))?.[0] ?? 'other'
}

/** Where the CPU time of a profile went: by group, and the functions that took most. */
export function summarize (path: string, calls: number, cpuPerCall: number): string {
  const { nodes, samples, timeDeltas } = cpuProfile.parse(JSON.parse(readFileSync(path, 'utf8')))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byGroup = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let total = 0
  samples.forEach((id, index) => {
    const frame = frames.get(id)
    const delta = timeDeltas[index] ?? 0
    if (frame === undefined || frame.functionName === '(idle)') return
    total += delta
    const group = groupOf(frame.functionName, frame.url)
    byGroup.set(group, (byGroup.get(group) ?? 0) + delta)
    const place = `${frame.functionName === '' ? '(anonymous)' : frame.functionName} ${frame.url.replace(/^.*node_modules\//, '').replace(/^.*\/(?=(plugins|routes|tools|bench)\/)/, '')}:${frame.lineNumber + 1}`
    byFunction.set(place, (byFunction.get(place) ?? 0) + delta)
  })
  const rows = (times: ReadonlyMap<string, number>, most: number): string[][] => [...times].toSorted(([, left], [, right]) => right - left).slice(0, most)
    .map(([name, time]) => [name, `${(100 * time / total).toFixed(1)} %`, (cpuPerCall * time / total).toFixed(1)])
  return `${calls} calls, ${cpuPerCall.toFixed(0)} µs each\n\n${table([['self time by group', 'share', 'µs/call'], ...rows(byGroup, 40)])}\n\n${table([['functions', 'share', 'µs/call'], ...rows(byFunction, 60)])}`
}
