/*
 * Official clients in pages of headless Chromium against the app in front of the demo's Django: run.ts BUNDLE FOLDER,
 * where the bundle is page.ts made for browsers, and the folder is one for the browser to write to.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { z } from 'zod'
import { startServer, type Running } from '../server.ts'
import { startBrowser, type Browser } from './driver.ts'
import type { Target } from './page.ts'

const [bundle = '', folder = ''] = process.argv.slice(2)
const code = readFileSync(bundle)

/** Serves the page and its script; gives its origin. */
async function servePage (): Promise<{ origin: string, server: Server }> {
  const server = createServer(({ url }, response) => {
    if (url === '/page.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(code)
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>page</title>')
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return { origin: `http://127.0.0.1:${address.port}`, server }
}

const everything = z.object({
  revision: z.string().nullable(),
  tools: z.looseObject({ tools: z.array(z.looseObject({ name: z.string() })).min(3) }),
  call: z.looseObject({ structuredContent: z.looseObject({ total: z.literal(81) }) }),
  // In a request with a header of its own, which the preflight has to allow.
  shout: z.looseObject({ content: z.tuple([z.looseObject({ text: z.literal('QUIET') })]) }),
  read: z.looseObject({ contents: z.tuple([z.looseObject({ text: z.string().startsWith('Client Details: さくら物流\n') })]) }),
  prompts: z.looseObject({ prompts: z.tuple([z.looseObject({ name: z.literal('summarize_client') })]) }),
  prompt: z.looseObject({ messages: z.tuple([z.looseObject({ content: z.looseObject({ text: z.string().regex(/client:\/\/2/) }) })]) }),
  completion: z.looseObject({ completion: z.looseObject({ values: z.tuple([z.literal('さくら物流')]) }) }),
  seen: z.array(z.object({ status: z.int(), correlationId: z.string().nullable(), rateLimit: z.string().nullable() }))
})

const modes: ReadonlyArray<readonly [string, Pick<Target, 'mode'>, string | null]> = [
  ['first generation', {}, null],
  ['second generation, legacy', { mode: 'legacy' }, '2025-11-25'],
  ['second generation, auto', { mode: 'auto' }, '2026-07-28'],
  ['second generation, pinned', { mode: { pin: '2026-07-28' } }, '2026-07-28']
]

function say (text: string): void {
  process.stdout.write(`${text}\n`)
}

async function check (browser: Browser, running: Running, allowed: string, other: string): Promise<void> {
  const { url, token, holding } = running
  const call = async (name: string, argument?: Target): Promise<unknown> => await browser.call('/page.js', name, argument)

  await browser.open(allowed)
  for (const [label, mode, revision] of modes) {
    const target = { url, token, ...mode }
    const given = everything.parse(await call('useEverything', target))
    assert.equal(given.revision, revision, label)
    const posts = given.seen.filter(({ status }) => status !== 405)
    assert.ok(posts.length >= 8, label)
    for (const { status, correlationId, rateLimit } of posts) {
      assert.ok(status === 200 || status === 202, `${label}: ${status}`)
      assert.ok(correlationId !== null, `${label}: the page reads X-Correlation-ID`)
      assert.ok(rateLimit !== null, `${label}: the page reads RateLimit`)
    }
    await call('begin', target)
    await holding.held()
    await call('end')
    await holding.ended()
    assert.match(String(await call('failureOf', { ...target, token: 'nonsense' })), /invalid_token|HTTP 401/, label)
    say(`ok ${label}`)
  }

  const refused = z.object({ status: z.literal(401), challenge: z.string(), correlationId: z.string(), body: z.string() }).parse(await call('post', { url, token: 'nonsense' }))
  assert.match(refused.challenge, /^Bearer .*resource_metadata="http/)
  assert.match(refused.body, /invalid_token/)
  say('ok a page reads a refusal and where to sign in')

  await browser.open(other)
  for (const [label, mode] of modes) {
    // A client that is pinned takes what the browser keeps from it for a server that is too old.
    assert.match(String(await call('failureOf', { url, token, ...mode })), /Failed to fetch|did not offer pinned/, label)
  }
  assert.deepEqual(await call('post', { url, token }), { failure: 'TypeError: Failed to fetch' })
  say('ok a page of another origin gets nothing')
}

const pages = [await servePage(), await servePage()] as const
const [allowed, other] = pages
let running: Running | undefined
let browser: Browser | undefined
try {
  running = await startServer([allowed.origin])
  browser = await startBrowser(folder)
  say(`Chromium ${browser.version}`)
  await check(browser, running, allowed.origin, other.origin)
} finally {
  await browser?.quit()
  await running?.stop()
  for (const { server } of pages) {
    server.closeAllConnections()
    server.close()
  }
}
