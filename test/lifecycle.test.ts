import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { freePort } from '../demo/free-port.ts'
import { djangoStub, environment, json, mcpHeaders, token } from './helper.ts'

const page = { count: 0, results: [] }

/** Ways to start the service, as operators do. */
const starts = {
  'fastify start': (port: number) => ['node_modules/fastify-cli/cli.js', 'start', '-o', '-a', '127.0.0.1', '-p', String(port), '-g', '40000', 'app.ts'],
  'server.ts': () => ['server.ts']
}

async function startProcess (t: Test, args: string[], variables: Record<string, unknown>, port: number, host = '127.0.0.1') {
  const env = Object.fromEntries(Object.entries({ PATH: process.env.PATH, ...environment(variables), PORT: port, MCP_HOST: host, LOG_LEVEL: 'INFO' })
    .map(([name, value]) => [name, String(value)]))
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => { child.kill('SIGKILL') })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const url = `http://${host}:${port}`
  while (await fetch(`${url}/live/`).then(({ ok }) => !ok, () => true)) {
    if (child.exitCode !== null) throw new Error(output)
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
  const exited = once(child, 'exit').then(([code]) => Number(code))
  return { child, url, exited, output: () => output }
}

async function call (url: string): Promise<Response> {
  return await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(token()),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_opportunities', arguments: {} } })
  })
}

for (const [name, argsFor] of Object.entries(starts)) {
  t.test(`[attack 85] ${name}: a call in flight finishes on SIGTERM and the process exits 0`, async (t) => {
    let answer: () => void = () => undefined
    let reached: () => void = () => undefined
    const atDjango = new Promise<void>((resolve) => { reached = resolve })
    const django = await djangoStub(t, (request, response) => {
      if (request.url?.includes('opportunities') !== true) { json(response, 200, {}); return }
      answer = () => { json(response, 200, page) }
      reached()
    })
    const port = await freePort()
    const { child, url, exited, output } = await startProcess(t, argsFor(port), { DJANGO_BASE_URL: django.url }, port)
    const inFlight = call(url)
    await atDjango
    child.kill('SIGTERM')
    while (!output().includes('shutting down')) await new Promise((resolve) => { setTimeout(resolve, 10) })
    answer()
    const response = await inFlight
    t.equal(response.status, 200)
    t.match(await response.json(), { result: { structuredContent: { count: 0 } } })
    t.equal(await exited, 0)
  })

  t.test(`${name}: while draining it says not ready and still serves`, async (t) => {
    const django = await djangoStub(t, (_request, response) => { json(response, 200, page) })
    const port = await freePort()
    // Longer than this takes: the end is not waited for.
    const { child, url, output } = await startProcess(t, argsFor(port), { DJANGO_BASE_URL: django.url, DRAIN_SECONDS: 30 }, port)
    t.equal((await fetch(`${url}/ready/`)).status, 200)
    child.kill('SIGTERM')
    while (!output().includes('shutting down')) await new Promise((resolve) => { setTimeout(resolve, 10) })
    const ready = await fetch(`${url}/ready/`)
    t.equal(ready.status, 503)
    t.match(await ready.json(), { status: 'not_ready', checks: { server: 'draining' } })
    t.equal((await call(url)).status, 200)
    t.equal((await fetch(`${url}/live/`)).status, 200)
  })

  t.test(`${name}: SIGHUP makes it look for a newer schema, and ends nothing`, async (t) => {
    const documentOf = (name: string) => ({ openapi: '3.0.3', info: { title: 'T', version: '1' }, paths: { [`/api/${name}/`]: { get: { operationId: `${name}_list`, responses: { 200: { description: '' } } } } } })
    let document = documentOf('books')
    const django = await djangoStub(t, (request, response) => { json(response, 200, request.url === '/api/schema/' ? document : {}) })
    const port = await freePort()
    const { child, url, exited, output } = await startProcess(t, argsFor(port), { DJANGO_BASE_URL: django.url, DJANGO_SCHEMA: '/api/schema/' }, port)
    const listed = async (): Promise<string> => await (await fetch(`${url}/mcp`, { method: 'POST', headers: mcpHeaders(token()), body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }) })).text()
    t.match(await listed(), '"books_list"')
    document = documentOf('loans')
    child.kill('SIGHUP')
    while (!output().includes('the schema has changed')) await new Promise((resolve) => { setTimeout(resolve, 10) })
    t.match(await listed(), '"loans_list"')
    child.kill('SIGTERM')
    t.equal(await exited, 0)
  })

  t.test(`${name}: a file that is no tool stops the start with its path and the reason`, async (t) => {
    const folder = t.testdir({ 'broken.mjs': 'export default { name: "x" }' })
    const port = await freePort()
    await t.rejects(startProcess(t, argsFor(port), { TOOLS_DIR: folder }, port), { message: /broken\.mjs[\s\S]*description/ })
  })
}

t.test('the command of the image listens at MCP_HOST and nowhere else', async (t) => {
  const port = await freePort()
  const { output } = await startProcess(t, ['--import', './listen-address.ts', 'node_modules/fastify-cli/cli.js', 'start', '-o', 'app.ts'], {}, port, '127.0.0.2')
  t.strictSame(output().match(/Server listening at http:[^"]*/g), [`Server listening at http://127.0.0.2:${port}`])
})
