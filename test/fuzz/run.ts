import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fuzz } from './fuzz.ts'
import { startServer } from './server.ts'

/*
 * `npm run fuzz -- [--seconds N] [--seed N [--path P]]`: requests of every kind against the whole app over HTTP.
 * It must answer each: never with a 5xx, never without the id that is due, never with a word of its inside; it must not
 * crash, log an error that no tool made, or grow.
 */

/** Megabytes that the heap may have grown at the end. */
const maxGrowth = 48

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, path: { type: 'string' } } })
const seconds = Number(values.seconds)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
if (!Number.isFinite(seconds) || seconds <= 0 || !Number.isInteger(seed)) {
  process.stderr.write('--seconds is a number above 0, --seed a whole number\n')
  process.exit(2)
}
process.stdout.write(`seed ${seed}\n`)

const crashes: string[] = []
process.on('uncaughtException', (error) => { crashes.push(`uncaught: ${error.stack ?? error.message}`) })
process.on('unhandledRejection', (error) => { crashes.push(`unhandled: ${error instanceof Error ? error.stack ?? error.message : String(error)}`) })

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')
function heap (): number {
  if (typeof collect === 'function') Reflect.apply(collect, undefined, [])
  return process.memoryUsage().heapUsed / 1_048_576
}

/** A Django that is in a bad mood half of the time. */
const answers: ReadonlyArray<[number, string, string]> = [
  [200, 'application/json', '{"count":1,"results":[{"id":1,"name":"A\\u200b","status":"won"}]}'],
  [200, 'application/json', '{"id":7,"name":"A"}'],
  [200, 'application/json', '{"count":'],
  [200, 'text/html', '<h1>hunter2</h1>'],
  [400, 'application/json', '{"status":["Wrong."],"client":[{"name":["Deep."]}]}'],
  [403, 'application/json', '{"detail":"No."}'],
  [404, 'application/json', '[]'],
  [429, 'application/json', '{}'],
  [500, 'application/json', '{"detail":"hunter2"}'],
  [302, 'text/plain', 'hunter2']
]
let asked = 0
const django = createServer((_request, response) => {
  asked += 1
  const [status, type, body] = answers[asked % answers.length] ?? [500, '', '']
  response.writeHead(status, { 'content-type': type, ...(status === 302 ? { location: 'http://evil.example/' } : {}) }).end(body)
})
await new Promise<void>((resolve) => { django.listen(0, '127.0.0.1', resolve) })
const address = django.address()
if (address === null || typeof address === 'string') throw new Error('not listening on a port')

const { app, log, url } = await startServer(`http://127.0.0.1:${address.port}`)

/** An error in the log that none of the tools has made. */
function alsoWrong (): string | undefined {
  const crash = crashes.shift()
  if (crash !== undefined) return crash
  const error = log.lines.splice(0).find((line) => !line.includes('"logger":"audit"') && !line.includes('password=hunter2'))
  return error === undefined ? undefined : `an error in the log: ${error}`
}

// What is made once is made before the heap is measured.
const warm = await fuzz(url, { seed: 1, seconds: 30, rounds: 300, alsoWrong })
const before = heap()
const result = warm.failure === undefined ? await fuzz(url, { seed, path: values.path, seconds, alsoWrong }) : warm
const growth = heap() - before
process.stdout.write(`${result.requests} requests; statuses ${[...result.statuses].toSorted(([left], [right]) => left - right).map(([status, count]) => `${status}: ${count}`).join(', ')}; heap ${growth.toFixed(1)} MB more\n`)

await app.close()
django.close()
django.closeAllConnections()
if (result.failure !== undefined) process.stdout.write(`${result.failure}\n`)
else if (growth > maxGrowth) process.stdout.write(`the heap has grown by more than ${maxGrowth} MB\n`)
process.exit(result.failure === undefined && growth <= maxGrowth && crashes.length === 0 ? 0 : 1)
