import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { djangoStub, json, listen, modernRpc, rpc, type WireAnswer } from '../helper.ts'

/*
 * What a Django that is broken, taken over or behind a broken proxy answers, to calls that come over HTTP through the
 * whole service: what counts is what the caller gets, and how much of it the service takes in.
 */

const canary = 'canary-b7e1'
const page = `<!DOCTYPE html><html><title>OperationalError</title><pre>Traceback (most recent call last): File "/srv/${canary}.py" postgres://django:${canary}@db.internal/</pre></html>`
const eras = { legacy: rpc, modern: modernRpc } as const
/** One that is written by hand and one that is made from a document. */
const tools = ['get_opportunities', 'list_books'] as const

const document = {
  openapi: '3.0.3',
  info: { title: 'Books', version: '1' },
  paths: { '/books/': { get: { operationId: 'list_books', responses: { 200: { description: '' } } } } }
}

type Answering = (response: ServerResponse) => void

/** The service before a Django that answers calls as it is told to, and everything else as it should. */
async function build (t: Test, variables: Record<string, unknown> = {}) {
  let answering: Answering = (response) => { json(response, 200, {}) }
  const asked: string[] = []
  const django = await djangoStub(t, ({ url = '' }, response) => {
    if (url.startsWith('/api/v1/core/')) { json(response, 200, {}); return }
    asked.push(url)
    answering(response)
  })
  const folder = t.testdir({ 'schema.json': JSON.stringify(document) })
  const { app } = await listen(t, { DJANGO_BASE_URL: django.url, DJANGO_SCHEMA: `${folder}/schema.json`, BUILT_IN_TOOLS: true, DJANGO_MAX_RETRIES: 0, RATE_LIMIT_REQUESTS: 100_000, ...variables })
  const hosts = [new URL(django.url).host, '127.0.0.1']

  /** The text of an answer to a call, which is one of the protocol's and says nothing of the inside. */
  function textOf (t: Test, answer: WireAnswer, what: string): string {
    t.equal(answer.statusCode, 200, what)
    const { result: { content } } = answer.json()
    const text = content.map((block: { text: string }) => block.text).join('\n')
    t.ok(answer.body.length < 3_000, `${what}: bounded`)
    t.notMatch(answer.body, new RegExp(`${canary}|<|Traceback|node:|\\.ts:|\\n +at |db\\.internal`), what)
    for (const host of hosts) t.notOk(answer.body.includes(host), `${what}: ${host} is not named`)
    return text
  }

  async function call (era: keyof typeof eras, tool: string): Promise<WireAnswer> {
    return await eras[era](app, 'tools/call', { name: tool, arguments: {} })
  }

  /** What every tool says in both eras to one answer of Django's: an error with its correlation id, after one request. */
  async function everyCall (t: Test, what: string, next: Answering, expected: RegExp): Promise<void> {
    answering = next
    for (const era of ['legacy', 'modern'] as const) {
      for (const tool of tools) {
        const before = asked.length
        const answer = await call(era, tool)
        const text = textOf(t, answer, `${what}, ${era}, ${tool}`)
        t.equal(answer.json().result.isError, true, `${what}, ${era}, ${tool}`)
        t.match(text, expected, `${what}, ${era}, ${tool}`)
        t.ok(text.endsWith(`Correlation id: ${String(answer.headers['x-correlation-id'])}`), `${what}: the correlation id is that of the answer`)
        t.equal(asked.length, before + 1, `${what}: Django is asked once`)
      }
    }
  }

  return { asked, textOf, call, everyCall, answer: (next: Answering) => { answering = next } }
}

/** More than the buffers of a connection take, and less than a test can afford to send. */
const flood = 200_000_000
/** What the buffers between two processes of one machine hold, with room. */
const buffered = 50_000_000

/** Sends a chunk again and again until the other side hangs up; gives how many bytes it could send until then. */
async function pour (response: ServerResponse, chunk: Buffer): Promise<number> {
  return await new Promise((resolve) => {
    let sent = 0
    const more = (): void => {
      let room = true
      while (room && sent < flood) {
        room = response.write(chunk)
        sent += chunk.length
      }
      if (sent >= flood) response.end()
    }
    response.on('drain', more)
    response.on('close', () => { resolve(sent) })
    more()
  })
}

t.test('[attack 52] [requirement 27] a compressed answer is cut off unopened, however much it would come to', async (t) => {
  // As much as can be allowed: it is not the size that saves us.
  const { everyCall } = await build(t, { DJANGO_MAX_RESPONSE_BYTES: 104_857_600 })
  const zeros = Buffer.alloc(10_000_000)
  const bombs = { gzip: gzipSync(zeros), br: brotliCompressSync(zeros), deflate: deflateSync(zeros), zstd: zstdCompressSync(zeros) }
  for (const [encoding, bomb] of Object.entries(bombs)) {
    for (const status of [200, 400, 500]) {
      const sent: Array<Promise<number>> = []
      await everyCall(t, `${encoding} ${status}`, (response) => {
        response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': encoding })
        sent.push(pour(response, bomb))
      }, /encoding that was not asked for/)
      for (const bytes of await Promise.all(sent)) t.ok(bytes < buffered, `cut off after ${bytes} bytes`)
    }
  }
})

t.test('[attack 53] an answer in several encodings, or in one under another name, is not opened', async (t) => {
  const { everyCall } = await build(t)
  const twice = gzipSync(gzipSync('{}'))
  const chains: Array<string | string[]> = ['gzip, gzip', 'gzip,br', 'identity, gzip', 'gzip, identity', ['gzip', 'gzip'], Array.from({ length: 1_000 }, () => 'gzip').join(','), 'GZIP', 'x-gzip', 'compress', 'nonsense', ',', 'identity;q=1']
  for (const chain of chains) {
    await everyCall(t, String(chain).slice(0, 40), (response) => { response.setHeader('content-encoding', chain).writeHead(200, { 'content-type': 'application/json' }).end(twice) }, /encoding that was not asked for/)
  }
  await everyCall(t, 'an encoding that is not named', (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end(twice) }, /not valid/)
  await everyCall(t, 'an encoding of the transfer', ({ socket }) => { socket?.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: gzip, chunked\r\n\r\n${twice.length.toString(16)}\r\n${twice.toString('latin1')}\r\n0\r\n\r\n`, 'latin1') }, /not valid|cannot be reached/)
})

t.test('[attack 54] [requirement 27] an answer that never ends is cut off while it comes', async (t) => {
  const { everyCall } = await build(t, { DJANGO_MAX_RESPONSE_BYTES: 65_536 })
  for (const type of ['application/json', 'text/plain', 'text/html', 'application/octet-stream']) {
    for (const status of [200, 404, 500]) {
      const sent: Array<Promise<number>> = []
      await everyCall(t, `${type} ${status}`, (response) => {
        response.writeHead(status, { 'content-type': type })
        sent.push(pour(response, Buffer.alloc(65_536, 32)))
      }, /too large/)
      for (const bytes of await Promise.all(sent)) t.ok(bytes < buffered, `cut off after ${bytes} bytes`)
    }
  }
  await everyCall(t, 'announced', (response) => { response.writeHead(200, { 'content-type': 'application/json', 'content-length': 65_537 }).flushHeaders() }, /too large/)
})

/** Writes it again and again until the other side hangs up. */
function drip (response: ServerResponse, write: () => unknown): void {
  const timer = setInterval(write, 50)
  response.on('close', () => { clearInterval(timer) })
}

/** Answers that nothing but a limit of time ends. */
const ways: readonly Answering[] = [
  () => undefined,
  (response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n')
    drip(response, () => response.socket?.write('x-a: b\r\n'))
  },
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    drip(response, () => response.write(' '))
  }
]

t.test('[attack 54] [requirement 27] an answer that does not come, or a byte at a time, is given up and hung up on', async (t) => {
  // Each of the two limits alone, and all calls at once: they wait as long as the least that can be set.
  const limits = [{ DJANGO_TIMEOUT: 5, CALL_TIMEOUT: 300 }, { DJANGO_TIMEOUT: 300, CALL_TIMEOUT: 5 }]
  await Promise.all(limits.map(async (limit) => {
    const { call, answer, asked, textOf } = await build(t, limit)
    const closed: Array<Promise<void>> = []
    answer((response) => {
      closed.push(new Promise((resolve) => { response.on('close', resolve) }))
      ways[closed.length % ways.length]?.(response)
    })
    const calls = (['legacy', 'modern'] as const).flatMap((era) => tools.flatMap((tool) => ways.map(async () => ({ what: `${JSON.stringify(limit)} ${era} ${tool}`, answer: await call(era, tool) }))))
    for (const { what, answer } of await Promise.all(calls)) {
      const text = textOf(t, answer, what)
      t.equal(answer.json().result.isError, true, what)
      t.match(text, /in time|took too long|longer than/, what)
      t.ok(text.endsWith(`Correlation id: ${String(answer.headers['x-correlation-id'])}`), what)
    }
    t.equal(asked.length, calls.length)
    await Promise.all(closed)
  }))
})

t.test('[attack 54] an answer that is cut off, or none of HTTP, is an error without a word of it', async (t) => {
  const { everyCall } = await build(t)
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-secret: ${canary}\r\n`
  const answers: Record<string, Answering> = {
    'nothing at all': ({ socket }) => { socket?.destroy() },
    'a reset': ({ socket }) => { socket?.resetAndDestroy() },
    'half a head': ({ socket }) => { socket?.end(head) },
    'less than announced': ({ socket }) => { socket?.end(`${head}content-length: 1000\r\n\r\n{"count": 0, "results": ["${canary}`) },
    'chunks without an end': ({ socket }) => { socket?.end(`${head}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`) },
    'a chunk of no size': ({ socket }) => { socket?.end(`${head}transfer-encoding: chunked\r\n\r\n${canary}\r\n`) },
    'two lengths': ({ socket }) => { socket?.end(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`) },
    'a head of a megabyte': ({ socket }) => { socket?.end(`${head}x-a: ${'a'.repeat(1_000_000)}\r\n\r\n{}`) },
    'another protocol': ({ socket }) => { socket?.end(`SSH-2.0-${canary}\r\n`) }
  }
  for (const [what, answer] of Object.entries(answers)) await everyCall(t, what, answer, /^The API cannot be reached\.\nTry again later\.\nCorrelation id/)

  const closed: Array<Promise<void>> = []
  await everyCall(t, 'a switch of protocols', ({ socket }) => {
    closed.push(new Promise((resolve) => { socket?.on('close', resolve) }))
    socket?.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  }, /a protocol that was not asked for/)
  await Promise.all(closed)
})

t.test('[attack 54] [attack 74] a page of HTML is not shown, whatever its status and whatever it says it is', async (t) => {
  const { everyCall, answer, call, textOf } = await build(t)
  for (const status of [400, 401, 403, 404, 409, 429, 500, 502, 503]) {
    await everyCall(t, `${status}`, (response) => { response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(page) }, /The API/)
    await everyCall(t, `${status} as JSON`, (response) => { response.writeHead(status, { 'content-type': 'application/json' }).end(page) }, /The API/)
  }
  await everyCall(t, '200 as JSON', (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end(page) }, /not valid/)
  for (const type of ['text/html', 'TEXT/HTML; charset=utf-8', '', 'application/xhtml+xml', 'nonsense']) {
    answer((response) => { response.writeHead(200, type === '' ? {} : { 'content-type': type }).end(page) })
    for (const era of ['legacy', 'modern'] as const) {
      const byHand = await call(era, 'get_opportunities')
      t.match(textOf(t, byHand, type), /not JSON/)
      t.equal(byHand.json().result.isError, true)
      t.match(textOf(t, await call(era, 'list_books'), type), /not shown/, 'that there is a page is said')
    }
  }
})

t.test('[attack 54] JSON that is not valid is an error without a word of it', async (t) => {
  const { everyCall } = await build(t)
  for (const text of ['{"count":', `{"${canary}`, `{'${canary}': 1}`, 'NaN', '\0', `{} ${canary}`, '\u001f\u008b', `"${canary}\n"`]) {
    await everyCall(t, JSON.stringify(text), (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end(text) }, /JSON that is not valid/)
  }
  await everyCall(t, '800 KB of brackets', (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('['.repeat(800_000)) }, /nested more than 100 levels deep/)
  await everyCall(t, '800 KB of brackets, all closed', (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('['.repeat(400_000) + ']'.repeat(400_000)) }, /nested more than 100 levels deep/)
  await everyCall(t, 'brackets of a refusal', (response) => { response.writeHead(400, { 'content-type': 'application/json' }).end('['.repeat(400_000) + ']'.repeat(400_000)) }, /did not accept the arguments/)
  await everyCall(t, 'objects in each other', (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":'.repeat(20_000) + '"]"' + '}'.repeat(20_000)) }, /nested more than 100 levels deep/)
})
