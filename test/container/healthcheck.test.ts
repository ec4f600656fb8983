import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { djangoStub as server, json } from '../helper.ts'

const script = fileURLToPath(new URL('../../healthcheck.ts', import.meta.url))

/** Runs the check as the container does. */
async function check (environment: Record<string, string>): Promise<{ code: unknown, out: string }> {
  const child = spawn(process.execPath, [script], { env: { ...process.env, ...environment } })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { out += chunk })
  const [code]: unknown[] = await once(child, 'close')
  return { code, out }
}

t.test('0 when /health answers 200', async (t) => {
  const { url, requests } = await server(t, (_request, response) => { json(response, 200, { status: 'healthy' }) })
  const { code, out } = await check({ PORT: new URL(url).port, MCP_HOST: '0.0.0.0' })
  t.equal(code, 0)
  t.equal(out, '{"status":"healthy"}')
  t.match(requests, [{ method: 'GET', url: '/health' }])
})

t.test('1 when /health answers anything else, with what it says', async (t) => {
  const { url } = await server(t, (_request, response) => { json(response, 503, { status: 'degraded' }) })
  const { code, out } = await check({ PORT: new URL(url).port })
  t.equal(code, 1)
  t.match(out, 'degraded')
})

t.test('1 when nothing listens', async (t) => {
  const { code, out } = await check({ PORT: '1' })
  t.equal(code, 1)
  t.match(out, '127.0.0.1:1 does not answer')
})

t.test('asks the address that the service listens on', async (t) => {
  const { url } = await server(t, (_request, response) => { json(response, 200, {}) })
  const { port } = new URL(url)
  t.equal((await check({ PORT: port, MCP_HOST: 'localhost' })).code, 0)
  t.match(await check({ PORT: port, MCP_HOST: '127.0.0.2' }), { code: 1, out: '127.0.0.2' })
})
