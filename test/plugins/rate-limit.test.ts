import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { loggingOptions } from '../../plugins/logging/index.ts'
import rateLimit, { RateLimitError, type RateLimitOptions } from '../../plugins/rate-limit/index.ts'
import { WindowCounters } from '../../plugins/rate-limit/window-counters.ts'
import redis from '../../plugins/redis.ts'
import { stopClock } from '../clock.ts'
import { buildApp, LogLines, mcpHeaders, modernRpc, overHttp, rpc, token } from '../helper.ts'
import { head, pipeline } from '../raw.ts'
import { startRedis, withoutRedis } from '../redis.ts'

async function build (t: Test, options: Partial<RateLimitOptions> = {}, server: { trustProxy?: string } = {}) {
  const app = Fastify(server)
  t.teardown(() => app.close())
  await app.register(rateLimit, {
    requests: 2,
    addressRequests: 3,
    window: 60,
    principalOf: ({ headers }) => typeof headers['x-principal'] === 'string' ? headers['x-principal'] : undefined,
    ...options
  })
  app.get('/address', { onRequest: app.limits.address }, async () => 'ok')
  app.get('/principal', { onRequest: app.limits.principal }, async () => 'ok')
  app.get('/refused', { onRequest: app.limits.refused }, async () => 'ok')
  app.get('/free', async () => 'ok')
  await app.ready()
  return app
}

async function statuses (app: FastifyInstance, count: number, url: string, options: { remoteAddress?: string, headers?: Record<string, string> } = {}): Promise<number[]> {
  const found: number[] = []
  for (let index = 0; index < count; index += 1) found.push((await app.inject({ url, ...options })).statusCode)
  return found
}

t.test('each limit refuses what is more than its number, and none counts for another', async (t) => {
  const app = await build(t)
  t.same(await statuses(app, 5, '/address'), [200, 200, 200, 429, 429])
  t.same(await statuses(app, 3, '/principal'), [200, 200, 429])
  t.same(await statuses(app, 3, '/refused'), [200, 200, 429])
  t.same(await statuses(app, 5, '/free'), [200, 200, 200, 200, 200])
})

t.test('answers say how much is left and when the window ends', async (t) => {
  const move = stopClock(t)
  const app = await build(t)
  const first = await overHttp(app, '/address')
  t.match(first.headers, { 'ratelimit-policy': '"address";q=3;w=60', ratelimit: '"address";r=2;t=60' })
  t.equal(first.headers['retry-after'], undefined)
  move(20.5)
  t.match((await overHttp(app, '/address')).headers, { ratelimit: '"address";r=1;t=40' })
  t.match((await overHttp(app, '/address')).headers, { ratelimit: '"address";r=0;t=40' })
  const refused = await overHttp(app, '/address')
  t.match(refused.headers, { 'ratelimit-policy': '"address";q=3;w=60', ratelimit: '"address";r=0;t=40', 'retry-after': '40' })
  t.match((await overHttp(app, '/principal')).headers, { 'ratelimit-policy': '"principal";q=2;w=60', ratelimit: '"principal";r=1;t=60' })
})

t.test('a refusal is an error of status 429 that says how long to wait', async (t) => {
  const move = stopClock(t)
  const app = await build(t)
  await statuses(app, 2, '/principal')
  t.match((await overHttp(app, '/principal')).json(), { statusCode: 429, code: 'rate_limited', message: 'Too many requests. Please try again in 60 seconds.' })
  move(59.5)
  t.match((await overHttp(app, '/principal')).json(), { message: 'Too many requests. Please try again in 1 second.' })
  t.match(new RateLimitError(5), { name: 'RateLimitError', retryAfter: 5, statusCode: 429 })
})

t.test('a window ends, whatever came while it was full', async (t) => {
  const move = stopClock(t)
  const app = await build(t)
  t.same(await statuses(app, 4, '/principal'), [200, 200, 429, 429])
  move(59.999)
  t.same(await statuses(app, 1, '/principal'), [429])
  move(0.001)
  t.same(await statuses(app, 3, '/principal'), [200, 200, 429])
})

t.test('refusals are reported', async (t) => {
  let limited = 0
  const app = await build(t, { onLimited: () => { limited += 1 } })
  await statuses(app, 2, '/principal')
  t.equal(limited, 0)
  await statuses(app, 3, '/principal')
  t.equal(limited, 3)
})

t.test('principals are counted by themselves, and by address where nobody is known', async (t) => {
  const app = await build(t)
  t.same(await statuses(app, 3, '/principal', { headers: { 'x-principal': 'a' } }), [200, 200, 429])
  t.same(await statuses(app, 3, '/principal', { headers: { 'x-principal': 'b' } }), [200, 200, 429])
  t.same(await statuses(app, 1, '/principal', { headers: { 'x-principal': 'a' }, remoteAddress: '192.0.2.7' }), [429])
  t.same(await statuses(app, 3, '/principal', { remoteAddress: '192.0.2.7' }), [200, 200, 429])
  t.same(await statuses(app, 1, '/principal', { remoteAddress: '192.0.2.8' }), [200])

  const alone = await build(t, { principalOf: () => undefined })
  t.same(await statuses(alone, 3, '/principal', { headers: { 'x-principal': 'a' } }), [200, 200, 429])
})

t.test('a limit where nobody says who a principal is counts by address', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(rateLimit, { requests: 1, addressRequests: 1, window: 60 })
  app.get('/', { onRequest: app.limits.principal }, async () => 'ok')
  t.same(await statuses(app, 2, '/', { remoteAddress: '192.0.2.1' }), [200, 429])
  t.same(await statuses(app, 1, '/', { remoteAddress: '192.0.2.2' }), [200])
})

t.test('[attack 68] addresses of one IPv6 /64 network share one count', async (t) => {
  const app = await build(t)
  const network = ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:DB8:1:2:0:0:0:3', '2001:0db8:0001:0002::4']
  const found: number[] = []
  for (const remoteAddress of network) found.push(...await statuses(app, 1, '/address', { remoteAddress }))
  t.same(found, [200, 200, 200, 429])
  t.same(await statuses(app, 1, '/address', { remoteAddress: '2001:db8:1:3::1' }), [200], 'the next network')
  t.equal(app.limits.clients(), 2)
})

t.test('[attack 68] a mapped IPv4 address is the IPv4 address', async (t) => {
  const app = await build(t)
  const found: number[] = []
  for (const remoteAddress of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1']) found.push(...await statuses(app, 1, '/address', { remoteAddress }))
  t.same(found, [200, 200, 200, 429])
  t.same(await statuses(app, 1, '/address', { remoteAddress: '::ffff:192.0.2.2' }), [200], 'mapped addresses are not one network')
})

t.test('[attack 69] a flood of more keys than are kept does not free one that is held back', async (t) => {
  const app = await build(t, { maxKeys: 10 })
  const victim = { remoteAddress: '192.0.2.1' }
  t.same(await statuses(app, 4, '/address', victim), [200, 200, 200, 429])
  for (let index = 0; index < 100; index += 1) await app.inject({ url: '/address', remoteAddress: `198.51.100.${index}` })
  t.equal(app.limits.clients(), 10, 'no more keys than allowed are kept')
  t.same(await statuses(app, 1, '/address', victim), [429])
})

t.test('[attack 69] one that has used up its number, but not gone over it, is held back after a flood too', async (t) => {
  const app = await build(t, { maxKeys: 10 })
  const victim = { remoteAddress: '192.0.2.1' }
  t.same(await statuses(app, 3, '/address', victim), [200, 200, 200])
  for (let index = 0; index < 100; index += 1) await app.inject({ url: '/address', remoteAddress: `198.51.100.${index}` })
  t.same(await statuses(app, 1, '/address', victim), [429])
})

/** Requests of as many addresses, each its own; a trusted proxy says so. */
function flood (path: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => head(['Host: localhost', `X-Forwarded-For: 198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`], `GET ${path} HTTP/1.1`))
}

t.test('[attack 69] over the wire a flood of addresses does not free one that is held back, at any of the limits', async (t) => {
  const app = await build(t, { maxKeys: 500 }, { trustProxy: '127.0.0.1' })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const path of ['/address', '/principal', '/refused']) {
    const victim = head(['Host: localhost', 'X-Forwarded-For: 192.0.2.1'], `GET ${path} HTTP/1.1`)
    t.equal((await pipeline(url, [victim, victim, victim, victim])).at(-1), 429)
    t.same(await pipeline(url, flood(path, 2_000)), Array.from({ length: 2_000 }, () => 200), 'everybody else gets in')
    t.same(await pipeline(url, [victim]), [429], path)
  }
  t.equal(app.limits.clients(), 500, 'no more keys than allowed are kept')
})

t.test('where all keys are held back a new one takes the place of the oldest', (t) => {
  const counters = new WindowCounters(3)
  for (const key of ['a', 'b', 'c']) counters.use(key, 1, 1000, 1)
  t.match(counters.use('d', 1, 1000, 1), { fits: true, used: 1 })
  t.equal(counters.size, 3)
  t.match(counters.use('b', 1, 1000, 1), { fits: false, used: 1 })
  t.match(counters.use('c', 1, 1000, 1), { fits: false, used: 1 })
  t.match(counters.use('a', 1, 1000, 1), { fits: true, used: 1 })
  t.end()
})

t.test('the search for a key to forget is bounded', (t) => {
  const counters = new WindowCounters(200)
  for (let index = 0; index < 150; index += 1) counters.use(`full-${index}`, 1, 1000, 1)
  for (let index = 0; index < 50; index += 1) counters.use(`free-${index}`, 1, 1000, 2)
  counters.use('new', 1, 1000, 1)
  t.equal(counters.size, 200)
  t.match(counters.use('full-1', 1, 1000, 1), { fits: false }, 'only the oldest is forgotten')
  t.match(counters.use('full-0', 1, 1000, 1), { fits: true })
  t.end()
})

t.test('keys are forgotten when their window has ended', (t) => {
  const move = stopClock(t)
  const counters = new WindowCounters(10)
  counters.use('a', 1, 1000, 5)
  move(0.5)
  counters.use('b', 1, 1000, 5)
  t.equal(counters.size, 2)
  t.same(counters.use('a', 1, 1000, 5), { fits: true, used: 2, ttl: 500 })
  move(0.5)
  t.equal(counters.size, 1)
  t.same(counters.use('a', 1, 1000, 5), { fits: true, used: 1, ttl: 1000 })
  move(1)
  t.equal(counters.size, 0)
  t.end()
})

t.test('ended windows make room before anyone is forgotten', (t) => {
  const move = stopClock(t)
  const counters = new WindowCounters(2)
  counters.use('old', 1, 1000, 5)
  move(0.9)
  counters.use('young', 1, 1000, 5)
  move(0.2)
  counters.use('new', 1, 1000, 5)
  t.match(counters.use('young', 1, 1000, 5), { used: 2 })
  t.end()
})

t.test('what does not fit is not counted', (t) => {
  const counters = new WindowCounters(10)
  t.same(counters.use('a', 6, 1000, 5), { fits: false, used: 0, ttl: 1000 })
  t.equal(counters.size, 0)
  t.match(counters.use('a', 3, 1000, 5), { fits: true, used: 3 })
  t.match(counters.use('a', 3, 1000, 5), { fits: false, used: 3 })
  t.match(counters.use('a', 2, 1000, 5), { fits: true, used: 5 })
  t.match(counters.use('a', 1, 1000, 5), { fits: false, used: 5 })
  t.end()
})

t.test('clients counts those of the limit that knows most', async (t) => {
  const move = stopClock(t)
  const app = await build(t)
  t.equal(app.limits.clients(), 0)
  await overHttp(app, '/address')
  await app.inject({ url: '/address', remoteAddress: '192.0.2.1' })
  await overHttp(app, '/principal')
  t.equal(app.limits.clients(), 2)
  move(61)
  t.equal(app.limits.clients(), 0)
})

// The whole app

const few = { RATE_LIMIT_REQUESTS: '2', RATE_LIMIT_ADDRESS_REQUESTS: '6' }

async function ping (app: FastifyInstance, bearer = token(), options: { headers?: Record<string, string> } = {}) {
  return await overHttp(app, {
    method: 'POST', url: '/mcp', ...options, headers: { ...mcpHeaders(bearer), ...options.headers }, payload: { jsonrpc: '2.0', id: 1, method: 'ping' }
  })
}

t.test('[requirement 34] a principal is refused with error, message, Retry-After and the metric', async (t) => {
  const app = await buildApp(t, few)
  t.equal((await ping(app)).statusCode, 200)
  const second = await ping(app)
  t.equal(second.statusCode, 200)
  t.match(second.headers, { 'ratelimit-policy': '"principal";q=2;w=3600', ratelimit: /^"principal";r=0;t=\d+$/ })
  const refused = await ping(app)
  t.equal(refused.statusCode, 429)
  t.match(refused.headers['retry-after'], /^[1-9]\d*$/)
  t.match(refused.headers['content-type'], 'application/json')
  t.same(refused.json(), { error: 'Rate limit exceeded', message: `Too many requests. Please try again in ${refused.headers['retry-after']} seconds.` })
  t.match((await overHttp(app, '/metrics')).body, '\nmcp_rate_limited_total 1\n')
})

t.test('[attack 71] two principals behind one address have their own numbers', async (t) => {
  const app = await buildApp(t, few)
  const a = token({ sub: 'a' })
  const b = token({ sub: 'b' })
  const found: number[] = []
  for (const bearer of [a, a, a, b, b, b]) found.push((await ping(app, bearer)).statusCode)
  t.same(found, [200, 200, 429, 200, 200, 429])
})

t.test('[attack 71] the same user through another client or of another issuer is another principal', async (t) => {
  const app = await buildApp(t, { ...few, RATE_LIMIT_ADDRESS_REQUESTS: '100' })
  for (const claims of [{ sub: 'a' }, { sub: 'a', client_id: 'one' }, { sub: 'a', client_id: 'two' }, { sub: 'a', iss: 'https://auth.example.com' }]) {
    const found: number[] = []
    for (let index = 0; index < 3; index += 1) found.push((await ping(app, token({ ...claims, jti: String(index) }))).statusCode)
    t.same(found, [200, 200, 429], JSON.stringify(claims))
  }
})

t.test('[attack 71] one principal has one number from many addresses', async (t) => {
  const app = await buildApp(t, { ...few, TRUST_PROXY: '127.0.0.1' })
  const found: number[] = []
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) found.push((await ping(app, token(), { headers: { 'x-forwarded-for': address } })).statusCode)
  t.same(found, [200, 200, 429])
})

t.test('[attack 66] an address that a client makes up does not count', async (t) => {
  const app = await buildApp(t, few)
  const found: number[] = []
  for (let index = 0; index < 3; index += 1) found.push((await overHttp(app, { url: '/nothing', headers: { 'x-forwarded-for': `192.0.2.${index}` } })).statusCode)
  t.same(found, [404, 404, 429], 'without a trusted proxy')

  const behind = await buildApp(t, { ...few, TRUST_PROXY: '127.0.0.1' })
  const spoofed: number[] = []
  for (let index = 0; index < 3; index += 1) spoofed.push((await overHttp(behind, { url: '/nothing', headers: { 'x-forwarded-for': `192.0.2.${index}, 198.51.100.1` } })).statusCode)
  t.same(spoofed, [404, 404, 429], 'in front of what the proxy saw')
})

t.test('[attack 68] over the wire a network of IPv6 counts once, an address of IPv4 in all of its forms and with any port, and what is none like the proxy', async (t) => {
  for (const [addresses, expected] of [
    [['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:0DB8:0001:0002::a'], [404, 404, 429]],
    [['2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8:1:4::1'], [404, 404, 404]],
    [['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201'], [404, 404, 429]],
    [['192.0.2.1:4711', '192.0.2.1:4712', '192.0.2.1'], [404, 404, 429]],
    [['[2001:db8::1]:4711', '[2001:db8::2]', '2001:db8::3'], [404, 404, 429]],
    [['made-up', 'unknown', '192.0.2.300:1'], [404, 404, 429]],
    [['192.0.2.1:4711', '192.0.2.2:4711', '192.0.2.3'], [404, 404, 404]]
  ] as const) {
    const app = await buildApp(t, { ...few, TRUST_PROXY: '127.0.0.1' })
    const found: number[] = []
    for (const address of addresses) found.push((await overHttp(app, { url: '/nothing', headers: { 'x-forwarded-for': address } })).statusCode)
    t.same(found, expected, addresses.join())
  }
})

t.test('[requirement 34] an address is limited before authentication', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '100', RATE_LIMIT_ADDRESS_REQUESTS: '3', TRUST_PROXY: '127.0.0.1' })
  t.equal((await ping(app)).statusCode, 200)
  t.equal((await overHttp(app, { method: 'POST', url: '/mcp' })).statusCode, 401)
  t.equal((await overHttp(app, '/mcp')).statusCode, 405)
  const refused = await overHttp(app, { method: 'POST', url: '/mcp', headers: { authorization: 'Bearer wrong' } })
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['www-authenticate'], undefined, 'the token has not been looked at')
  t.match(refused.headers.ratelimit, '"address"')
  t.equal((await ping(app)).statusCode, 429)
  t.equal((await ping(app, token(), { headers: { 'x-forwarded-for': '192.0.2.1' } })).statusCode, 200)
})

t.test('an address has ten times the number of a principal where nothing is said', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '2' })
  const found: number[] = []
  for (let index = 0; index < 21; index += 1) found.push((await overHttp(app, '/mcp')).statusCode)
  t.same(found, [...Array.from({ length: 20 }, () => 405), 429])
})

t.test('[attack 70] a flood of unknown paths is limited', async (t) => {
  const app = await buildApp(t, few)
  const found: number[] = []
  for (let index = 0; index < 4; index += 1) found.push((await overHttp(app, `/${index}.php?x=${index}`)).statusCode)
  t.same(found, [404, 404, 429, 429])
  t.match((await overHttp(app, '/more')).json(), { error: 'Rate limit exceeded', message: /^Too many requests\./ })
  t.equal((await ping(app)).statusCode, 200, 'the endpoint is counted by itself')
})

t.test('[attack 69] in the whole app more addresses than such counters usually hold free nobody who is held back', async (t) => {
  const app = await buildApp(t, { ...few, TRUST_PROXY: '127.0.0.1' })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const unknown = head(['Host: localhost', 'X-Forwarded-For: 192.0.2.1'], 'GET /nothing HTTP/1.1')
  t.same(await pipeline(url, [unknown, unknown, unknown]), [404, 404, 429])
  const mcp = head(['Host: localhost', 'X-Forwarded-For: 192.0.2.2'], 'GET /mcp HTTP/1.1')
  t.equal((await pipeline(url, Array.from({ length: 7 }, () => mcp))).at(-1), 429)
  t.same(await pipeline(url, flood('/nothing', 6_000)), Array.from({ length: 6_000 }, () => 404))
  t.same(await pipeline(url, flood('/mcp', 6_000)), Array.from({ length: 6_000 }, () => 405))
  t.same(await pipeline(url, [unknown]), [429])
  t.same(await pipeline(url, [mcp]), [429])
})

t.test('[requirement 34] a flood of wrong tokens is limited', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '2', RATE_LIMIT_ADDRESS_REQUESTS: '100' })
  const found: number[] = []
  for (let index = 0; index < 4; index += 1) found.push((await ping(app, `guess-${index}`)).statusCode)
  t.same(found, [401, 401, 429, 429])
  const refused = await ping(app, 'guess')
  t.match(refused.json(), { error: 'Rate limit exceeded', message: String })
  t.match(refused.headers['retry-after'], /^[1-9]\d*$/)
  t.equal((await ping(app)).statusCode, 200, 'who has a token is not locked out by a neighbour')
  t.equal((await overHttp(app, { method: 'POST', url: '/mcp' })).statusCode, 429, 'no token at all counts as well')
})

t.test('missing scopes count as refusals', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '2', RATE_LIMIT_ADDRESS_REQUESTS: '100' })
  const found: number[] = []
  for (let index = 0; index < 3; index += 1) found.push((await ping(app, token({ sub: String(index), scope: 'none' }))).statusCode)
  t.same(found, [403, 403, 429])
})

t.test('health and metrics are outside every limit', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '1', RATE_LIMIT_ADDRESS_REQUESTS: '1', READY_REQUIRES_DJANGO: 'false' })
  for (const url of ['/nothing', '/nothing', '/mcp', '/mcp']) await overHttp(app, url)
  t.equal((await overHttp(app, '/mcp')).statusCode, 429)
  for (const url of ['/live/', '/ready/', '/metrics']) {
    for (let index = 0; index < 5; index += 1) {
      const response = await overHttp(app, url)
      t.equal(response.statusCode, 200, url)
      t.equal(response.headers.ratelimit, undefined, url)
    }
  }
  for (let index = 0; index < 5; index += 1) t.not((await overHttp(app, '/health')).statusCode, 429)
})

t.test('without authentication the address stands for the caller', async (t) => {
  const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '2', AUTH_ENABLED: 'false', ENVIRONMENT: 'test', TRUST_PROXY: '127.0.0.1' })
  const found: number[] = []
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']) found.push((await ping(app, 'any', { headers: { 'x-forwarded-for': address } })).statusCode)
  t.same(found, [200, 200, 429, 200])
})

t.test('one request through the app counts once for its address and once for its principal', async (t) => {
  const app = await buildApp(t, few)
  await rpc(app, 'ping')
  t.match((await overHttp(app, '/metrics')).body, '\nmcp_rate_limit_clients 1\n')
  const response = await rpc(app, 'ping')
  t.match(response.headers.ratelimit, '"principal";r=0')
})

t.test('[attack 73] [requirement 34] a costly tool takes what it costs, in both eras', async (t) => {
  let calls = 0
  const tool = (name: string, cost?: number) => ({ name, description: 'd', annotations: { readOnlyHint: true }, input: { type: 'object' }, ...(cost === undefined ? {} : { cost }), handler: () => { calls += 1; return 'x' } })
  for (const send of [rpc, modernRpc]) {
    const app = await buildApp(t, { RATE_LIMIT_REQUESTS: '10' }, undefined, { tools: [tool('cheap'), tool('costly', 4), tool('most', 1000)] })
    const call = async (name: string) => await send(app, 'tools/call', { name })
    calls = 0
    t.match((await call('cheap')).headers, { ratelimit: /^"principal";r=9;/ })
    t.match((await call('costly')).headers, { ratelimit: /^"principal";r=5;/ })
    t.match((await call('costly')).headers, { ratelimit: /^"principal";r=1;/ })
    t.equal(calls, 3)
    const refused = await call('costly')
    t.equal(refused.statusCode, 429)
    t.match(refused.headers, { 'retry-after': /^[1-9]\d*$/, ratelimit: /^"principal";r=0;/ })
    t.equal(calls, 3, 'it has not run')
    t.match((await overHttp(app, '/metrics')).body, 'mcp_errors_total{method="tools/call",kind="throttled"} 1')

    const other = await buildApp(t, { RATE_LIMIT_REQUESTS: '10' }, undefined, { tools: [tool('most', 1000)] })
    t.equal((await send(other, 'tools/call', { name: 'most' })).statusCode, 200, 'what costs more than there is can be called once')
    t.equal((await send(other, 'tools/call', { name: 'most' })).statusCode, 429)
  }
})

t.test('[attack 72] two replicas share one count in Redis', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t)
  const replicas = [await buildApp(t, { ...few, REDIS_URL: url }), await buildApp(t, { ...few, REDIS_URL: url })]
  const found: number[] = []
  for (const app of [...replicas, ...replicas]) found.push((await ping(app)).statusCode)
  t.same(found, [200, 200, 429, 429])
  const wrong: number[] = []
  for (const app of [...replicas, ...replicas]) wrong.push((await ping(app, 'guess')).statusCode)
  t.same(wrong, [401, 401, 429, 429], 'so are refusals')
})

t.test('[attack 72] [requirement 35] without Redis a limit is never none: each replica goes on from what it has seen', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const log = new LogLines()
  const app = Fastify(loggingOptions({ level: 'INFO', format: 'json', environment: 'test', service: 's', version: '1', destination: log }))
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url })
  await app.register(rateLimit, { requests: 2, addressRequests: 100, window: 60, redis: app.redis, principalOf: ({ headers }) => String(headers['x-principal']) })
  app.get('/', { onRequest: app.limits.principal }, async () => 'ok')
  await app.ready()
  const ask = async (principal: string): Promise<number> => (await overHttp(app, { url: '/', headers: { 'x-principal': principal } })).statusCode
  t.equal(await ask('a'), 200)
  await server.kill()
  t.equal(await ask('a'), 200)
  t.equal(await ask('a'), 429, 'with what was counted before')
  const found: number[] = []
  for (let index = 0; index < 3; index += 1) found.push(await ask('fresh'))
  t.same(found, [200, 200, 429])
  t.equal(log.records.filter(({ message }) => message === 'Redis does not count requests: each replica counts by itself').length > 0, true)

  await server.start()
  // The connection is made again by itself.
  let shared = false
  for (let attempt = 0; attempt < 500 && !shared; attempt += 1) {
    await ask(`again-${attempt}`)
    shared = log.records.some(({ message }) => message === 'requests are counted in Redis again')
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
  t.ok(shared)
})

t.test('[requirement 35] a Redis that takes too long is not waited for', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url })
  await app.register(rateLimit, { requests: 2, addressRequests: 100, window: 60, redis: app.redis, principalOf: ({ headers }) => String(headers['x-principal']) })
  app.get('/', { onRequest: app.limits.principal }, async () => 'ok')
  await app.ready()
  const ask = async (principal: string): Promise<number> => (await overHttp(app, { url: '/', headers: { 'x-principal': principal } })).statusCode
  for (const expected of [200, 200]) t.equal(await ask('a'), expected)
  let asked = 0
  t.intercept(app.redis, 'eval', { value: () => { asked += 1; return new Promise(() => undefined) } })
  t.equal(await ask('a'), 429, 'the one that waited in vain is counted like the others')
  for (const expected of [200, 200, 429]) t.equal(await ask('b'), expected)
  t.equal(asked, 1, 'and left alone for a while')
})

t.test('keys in Redis say nothing about who calls', { skip: withoutRedis }, async (t) => {
  const { url } = await startRedis(t)
  const app = await buildApp(t, { ...few, REDIS_URL: url })
  await ping(app, token({ sub: 'alice@example.com' }))
  const client = new Redis(url)
  t.teardown(() => client.quit())
  const keys = await client.keys('*')
  t.equal(keys.length, 2)
  t.notMatch(keys.join(), /alice|127\.0\.0\.1/)
  for (const key of keys) {
    const ttl = await client.pttl(key)
    t.ok(ttl > 0 && ttl <= 3_600_000, 'and they end with the window')
  }
})
