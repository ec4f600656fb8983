import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { z } from 'zod'
import { apiKey, callError, json } from '../../helper.ts'
import { withDjango } from './helper.ts'

const anything = { schema: z.unknown() }

t.test('a request carries the key, the correlation id, the version and its parameters', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 200, { ok: true }) })
  const body = await client.bind({ correlationId: 'abc-1' }).get('/things/{id}/', {
    path: { id: 'ä b' },
    query: { limit: 5, flag: true, none: null, left_out: undefined, many: ['x', 'y'] },
    schema: z.object({ ok: z.boolean() })
  })
  t.strictSame(body, { ok: true })
  t.match(stub.requests, [{
    method: 'GET',
    url: '/things/%C3%A4%20b/?limit=5&flag=true&none=&many=x&many=y',
    headers: { authorization: `Api-Key ${apiKey}`, 'x-correlation-id': 'abc-1', 'user-agent': 'test-service/1.2.3', accept: 'application/json' }
  }])
})

t.test('every method sends its body as JSON, null included', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 200, {}) })
  await client.post('/a/', { json: { value: null }, ...anything })
  await client.put('/a/', { json: [1], ...anything })
  await client.patch('/a/', { json: null, ...anything })
  await client.delete('/a/', anything)
  t.strictSame(stub.requests.map(({ method, body, headers }) => [method, body, headers['content-type']]), [
    ['POST', '{"value":null}', 'application/json'],
    ['PUT', '[1]', 'application/json'],
    ['PATCH', 'null', 'application/json'],
    ['DELETE', '', undefined]
  ])
})

t.test('a request can be sent as it stands, and gives any answer', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 404, { detail: 'No.' }, { etag: '"1"' }) })
  const answer = await client.bind({ correlationId: 'abc-1' }).send({
    method: 'POST', route: '/a/{id}/', target: '/a/%C3%A4/?b=1&b=2', headers: { accept: 'application/yaml', 'content-type': 'text/plain' }, body: Buffer.from('text')
  })
  t.match(answer, { status: 404, headers: { etag: '"1"' } })
  t.equal(answer.body.toString(), '{"detail":"No."}')
  t.match(stub.requests, [{
    method: 'POST',
    url: '/a/%C3%A4/?b=1&b=2',
    body: 'text',
    headers: { authorization: `Api-Key ${apiKey}`, 'x-correlation-id': 'abc-1', accept: 'application/yaml', 'content-type': 'text/plain', 'content-length': '4' }
  }])
  t.throws(() => client.send({ method: 'GET', route: '', target: '@elsewhere/', headers: {}, body: undefined }), TypeError)
})

t.test('an answer without content is undefined', async (t) => {
  const { client } = await withDjango(t, (_request, response) => { response.writeHead(204).end() })
  t.equal(await client.delete('/a/', anything), undefined)
})

t.test('an answer of another form than the schema is a bad response', async (t) => {
  const { client } = await withDjango(t, (_request, response) => { json(response, 200, { count: 'many' }) })
  const error = await callError(client.get('/a/', { schema: z.object({ count: z.int() }) }))
  t.match(error, { kind: 'bad_response', status: 200 })
})

t.test('answers that are errors', async (t) => {
  const cases = [
    { title: '400 with field errors', status: 400, body: { client: ['No such client.'], tags: { 1: { name: ['Too long.'] } }, non_field_errors: ['A before B.'] }, expected: { kind: 'invalid_input', problems: [{ path: 'client_id', message: 'No such client.' }, { path: 'tags.1.name', message: 'Too long.' }, { path: '', message: 'A before B.' }] } },
    { title: '400 with a list', status: 400, body: ['Wrong.'], expected: { kind: 'invalid_input', problems: [{ path: '', message: 'Wrong.' }] } },
    { title: '400 of a bulk write', status: 400, body: [{}, { name: ['Blank.'] }], expected: { kind: 'invalid_input', problems: [{ path: '1.name', message: 'Blank.' }] } },
    { title: '400 of drf-standardized-errors', status: 400, body: { type: 'validation_error', errors: [{ code: 'x', detail: 'Bad.', attr: 'client' }, { code: 'y', detail: 'Worse.', attr: null }] }, expected: { kind: 'invalid_input', problems: [{ path: 'client_id', message: 'Bad.' }, { path: '', message: 'Worse.' }] } },
    { title: '400 of RFC 9457', status: 400, body: { title: 'Bad', 'invalid-params': [{ name: 'client', reason: 'Gone.' }] }, expected: { kind: 'invalid_input', problems: [{ path: 'client_id', message: 'Gone.' }] } },
    { title: '401', status: 401, body: { detail: 'Invalid token.' }, expected: { kind: 'forbidden', message: /credentials of this server/ } },
    { title: '403 for the key', status: 403, body: { detail: 'Authentication credentials were not provided.' }, expected: { kind: 'forbidden', message: /credentials of this server/ } },
    { title: '403 for the user', status: 403, body: { detail: 'Not yours.' }, expected: { kind: 'forbidden', message: 'Not yours.' } },
    { title: '404', status: 404, body: { detail: 'Not found.' }, expected: { kind: 'not_found', message: 'Not found.' } },
    { title: '409', status: 409, body: { detail: 'Already closed.' }, expected: { kind: 'conflict', message: 'Already closed.' } },
    { title: '412', status: 412, body: {}, expected: { kind: 'conflict' } },
    { title: '413', status: 413, body: {}, expected: { kind: 'invalid_input' } },
    { title: '414', status: 414, body: {}, expected: { kind: 'invalid_input', message: /too large/ } },
    { title: '431', status: 431, body: {}, expected: { kind: 'invalid_input', message: /too large/ } },
    { title: '415', status: 415, body: { detail: 'Unsupported.' }, expected: { kind: 'bad_response' } },
    { title: '503', status: 503, body: { detail: 'secret host db-1' }, expected: { kind: 'unavailable', message: 'The API failed.' } },
    { title: '504', status: 504, body: {}, expected: { kind: 'timeout' } },
    { title: '302', status: 302, body: {}, expected: { kind: 'bad_response', message: /redirect/ } }
  ]
  for (const { title, status, body, expected } of cases) {
    await t.test(title, async (t) => {
      const { client, stub } = await withDjango(t, (_request, response) => { json(response, status, body, { location: '/elsewhere/' }) }, { maxRetries: 0 })
      t.match(await callError(client.get('/a/', { argumentNames: { client: 'client_id' }, ...anything })), { status, ...expected })
      t.equal(stub.requests.length, 1)
    })
  }
})

t.test('[attack 54] an HTML page is never passed on', async (t) => {
  const page = '<html><body>Traceback: SECRET_KEY</body></html>'
  for (const status of [200, 400, 403, 404, 500]) {
    const { client } = await withDjango(t, (_request, response) => { response.writeHead(status, { 'content-type': 'text/html' }).end(page) }, { maxRetries: 0 })
    const error = await callError(client.get('/a/', anything))
    t.notMatch(error.message + JSON.stringify(error.problems), /Traceback|SECRET|</, `status ${status}`)
  }
})

t.test('[attack 54] JSON that is not valid is a bad response', async (t) => {
  const { client } = await withDjango(t, (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":') })
  t.match(await callError(client.get('/a/', anything)), { kind: 'bad_response', message: /not valid/ })
})

t.test('429 tells how long to wait, in seconds or as a date', async (t) => {
  const seconds = await withDjango(t, (_request, response) => { json(response, 429, {}, { 'retry-after': '60' }) })
  t.match(await callError(seconds.client.get('/a/', anything)), { kind: 'throttled', retryAfter: 60 })
  t.equal(seconds.stub.requests.length, 1, 'a wait beyond the deadline is not begun')

  const date = await withDjango(t, (_request, response) => { json(response, 429, {}, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() }) })
  const { retryAfter = 0 } = await callError(date.client.get('/a/', anything))
  t.ok(retryAfter > 60 && retryAfter <= 90)

  const nonsense = await withDjango(t, (_request, response) => { json(response, 429, {}, { 'retry-after': 'soon' }) }, { maxRetries: 0 })
  t.equal((await callError(nonsense.client.get('/a/', anything))).retryAfter, undefined)
})

t.test('a safe request is tried again, as long as Django asks for', async (t) => {
  let calls = 0
  const retries: string[] = []
  const { client, stub, attempts } = await withDjango(t, (_request, response) => {
    calls += 1
    if (calls === 1) json(response, 503, {}, { 'retry-after': '0' })
    else if (calls === 2) json(response, 429, {}, { 'retry-after': '0' })
    else json(response, 200, { calls })
  }, { onRetry: (reason) => { retries.push(reason) } })
  t.strictSame(await client.get('/a/{id}/', { path: { id: 7 }, ...anything }), { calls: 3 })
  t.equal(stub.requests.length, 3)
  t.strictSame(retries, ['status', 'status'])
  t.match(attempts, [
    { method: 'GET', route: '/a/{id}/', status: 503, errorKind: 'unavailable' },
    { status: 429, errorKind: 'throttled' },
    { status: 200, errorKind: undefined }
  ])
})

t.test('the last answer counts when all attempts are used up', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 500, {}, { 'retry-after': '0' }) }, { maxRetries: 2 })
  t.match(await callError(client.get('/a/', anything)), { kind: 'unavailable', status: 500 })
  t.equal(stub.requests.length, 3)
})

t.test('[requirement 27] POST and PATCH are sent once, unless an idempotency key makes them safe', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 503, {}, { 'retry-after': '0' }) }, { maxRetries: 1 })
  await callError(client.post('/a/', { json: {}, ...anything }))
  await callError(client.patch('/a/', { json: {}, ...anything }))
  t.equal(stub.requests.length, 2)
  await callError(client.post('/a/', { json: {}, idempotencyKey: 'key-1', ...anything }))
  t.equal(stub.requests.length, 4)
  t.strictSame(stub.requests.slice(2).map(({ headers }) => headers['idempotency-key']), ['key-1', 'key-1'])
})

t.test('400 and 404 are final', async (t) => {
  const { client, stub } = await withDjango(t, (request, response) => { json(response, request.url === '/a/' ? 400 : 404, {}) })
  await callError(client.get('/a/', anything))
  await callError(client.get('/b/', anything))
  t.equal(stub.requests.length, 2)
})

t.test('[attack 48] [attack 49] [requirement 25] redirects are not followed, not even within Django', async (t) => {
  const { client, stub } = await withDjango(t, (request, response) => {
    if (request.url === '/a') response.writeHead(301, { location: '/a/' }).end()
    else json(response, 200, {})
  })
  t.match(await callError(client.post('/a', { json: {}, ...anything })), { kind: 'bad_response', status: 301 })
  t.match(await callError(client.get('/a', anything)), { kind: 'bad_response', status: 301 })
  t.equal(stub.requests.length, 2)
})

t.test('a Django that is not there is unavailable, after the attempts', async (t) => {
  const retries: string[] = []
  const { client } = await withDjango(t, () => undefined, { baseUrl: 'http://127.0.0.1:9', maxRetries: 1, onRetry: (reason) => { retries.push(reason) } })
  t.match(await callError(client.get('/a/', anything)), { kind: 'unavailable', status: undefined, message: 'The API cannot be reached.' })
  t.strictSame(retries, ['network'])
})

t.test('[attack 54] a connection that breaks off in the middle of an answer is unavailable', async (t) => {
  const { client } = await withDjango(t, (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"a":')
    setImmediate(() => { request.socket.destroy() })
  }, { maxRetries: 0 })
  t.match(await callError(client.get('/a/', anything)), { kind: 'unavailable' })
})

t.test('something that does not speak HTTP is unavailable', async (t) => {
  const server = createServer((socket) => { socket.end('SSH-2.0-nope\r\n') })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const { client } = await withDjango(t, () => undefined, { baseUrl: `http://127.0.0.1:${address.port}`, maxRetries: 0 })
  t.match(await callError(client.get('/a/', anything)), { kind: 'unavailable' })
})

t.test('[attack 54] [requirement 27] a Django that hangs times out, and so does one that never ends its answer', async (t) => {
  const hanging = await withDjango(t, () => undefined, { timeout: 1 })
  t.match(await callError(hanging.client.get('/a/', anything)), { kind: 'timeout' })
  t.equal(hanging.attempts.length, 1, 'the deadline is for all attempts together')

  const dripping = await withDjango(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => { clearInterval(timer) })
  }, { timeout: 0.2 })
  t.match(await callError(dripping.client.get('/a/', anything)), { kind: 'timeout' })
})

t.test('[requirement 27] an answer over the size limit is cut off while it comes', async (t) => {
  let closed: () => void = () => undefined
  const cutOff = new Promise<void>((resolve) => { closed = resolve })
  const endless = await withDjango(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(16_384, 32)
    const more = (): void => { while (response.write(chunk)); }
    response.on('drain', more)
    response.on('close', closed)
    more()
  }, { maxResponseBytes: 100_000 })
  t.match(await callError(endless.client.get('/a/', anything)), { kind: 'bad_response', message: /too large/ })
  await cutOff

  const announced = await withDjango(t, (_request, response) => { json(response, 200, 'x'.repeat(2000)) }, { maxResponseBytes: 1000 })
  t.match(await callError(announced.client.get('/a/', anything)), { kind: 'bad_response', message: /too large/ })
  t.equal(announced.stub.requests.length, 1)
})

t.test('[attack 52] a compressed bomb is not opened', async (t) => {
  const bomb = gzipSync(Buffer.alloc(50_000_000, 32))
  const { client, stub } = await withDjango(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb)
  })
  t.match(await callError(client.get('/a/', anything)), { kind: 'bad_response', message: /encoding/ })
  t.equal(stub.requests[0]?.headers['accept-encoding'], 'identity')
})

t.test('[attack 53] an answer in any other encoding, or in several, is not opened', async (t) => {
  for (const encoding of ['br', 'deflate', 'zstd', 'x-gzip', 'gzip, gzip', 'identity, gzip', Array.from({ length: 100 }, () => 'gzip').join(', '), 'GZIP', 'nonsense']) {
    const { client, stub } = await withDjango(t, (_request, response) => { response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end('{}') })
    t.match(await callError(client.get('/a/', anything)), { kind: 'bad_response', message: /encoding/ }, encoding)
    t.equal(stub.requests.length, 1, 'and not asked for again')
  }
})

t.test('[attack 84] [requirement 32] a call that is cancelled ends its request', async (t) => {
  const controller = new AbortController()
  let ended: () => void = () => undefined
  const closed = new Promise<void>((resolve) => { ended = resolve })
  const { client } = await withDjango(t, (_request, response) => {
    response.on('close', ended)
    controller.abort()
  })
  t.match(await callError(client.bind({ signal: controller.signal }).get('/a/', anything)), { kind: 'cancelled' })
  await closed
})

t.test('a call that is cancelled while it waits to try again sends nothing more', async (t) => {
  const controller = new AbortController()
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 503, {}, { 'retry-after': '20' }) }, {
    onRetry: () => { controller.abort() }
  })
  t.match(await callError(client.bind({ signal: controller.signal }).get('/a/', anything)), { kind: 'cancelled' })
  t.equal(stub.requests.length, 1)
})

t.test('[attack 47] a header that cannot be sent is an internal error, not a retry', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 200, {}) })
  t.match(await callError(client.bind({ correlationId: 'a\r\nb: c' }).get('/a/', anything)), { kind: 'internal' })
  t.equal(stub.requests.length, 0)
})

t.test('[attack 42] [attack 43] [requirement 24] values that would change the path are refused before anything is sent', async (t) => {
  const { client, stub } = await withDjango(t, (_request, response) => { json(response, 200, {}) })
  for (const id of ['', '.', '..', '5/delete', '5%2Fdelete', '5%2fdelete', 'a\\b', 'a\u0000', 'a\r\nb', '%2e%2e', '%2E', 'a%5Cb']) {
    const error = await callError(client.get('/things/{id}/', { path: { id }, ...anything }))
    t.match(error, { kind: 'invalid_input', problems: [{ path: 'id' }] }, JSON.stringify(id))
  }
  t.equal(stub.requests.length, 0)
  for (const id of ['a?b', 'a#b', 'a;b', '%252e', '\u2025', '...']) await client.get('/things/{id}/', { path: { id }, ...anything })
  t.ok(stub.requests.every(({ url }) => /^\/things\/[^/?#]+\/$/.test(url)), 'others stay inside their segment')
})

t.test('a template without a value is a mistake of the caller', async (t) => {
  const { client } = await withDjango(t, () => undefined)
  await t.rejects(client.get('/things/{id}/', anything), { name: 'TypeError', message: /needs a value for id/ })
})

t.test('[requirement 27] no more connections are opened than the pool has', async (t) => {
  let open = 0
  let most = 0
  const { client } = await withDjango(t, (_request, response) => {
    open += 1
    most = Math.max(most, open)
    // Answers in pairs, so that a third request has the time to come.
    setTimeout(() => {
      open -= 1
      json(response, 200, {})
    }, 20)
  }, { poolSize: 2 })
  await Promise.all(Array.from({ length: 10 }, () => client.get('/a/', anything)))
  t.equal(most, 2)
})
