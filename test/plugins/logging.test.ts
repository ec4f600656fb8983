import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import correlation from '../../plugins/correlation.ts'
import logging, { loggingOptions, namedLogger, type LogFormat } from '../../plugins/logging/index.ts'
import { LogLines } from '../helper.ts'

async function build (t: Test, options: Partial<LogFormat> = {}, routes: (app: FastifyInstance) => void = () => {}) {
  const log = new LogLines()
  const app = Fastify(loggingOptions({ level: 'DEBUG', format: 'json', environment: 'test', service: 'the-service', version: '1.2.3', destination: log, ...options }))
  t.teardown(() => app.close())
  await app.register(correlation)
  await app.register(logging)
  app.get('/', async () => 'ok')
  routes(app)
  await app.ready()
  return { app, log }
}

/** Waits until a line matches: an access line is written when its answer has left. */
async function line (log: LogLines, found: (record: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const record = log.records.find((record) => found(record))
    if (record !== undefined) return record
    await sleep(5)
  }
  throw new Error(`no such line in: ${log.text}`)
}

/** Waits for the first line. */
async function written (log: LogLines): Promise<void> {
  for (let tries = 0; tries < 1000 && log.lines.length === 0; tries += 1) await sleep(5)
}

const isAccess = ({ logger }: Record<string, unknown>): boolean => logger === 'access'

async function socketTo (t: Test, app: FastifyInstance): Promise<Socket> {
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), hostname)
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  return socket
}

t.test('every line is one JSON object with the fields of the standard', async (t) => {
  const { app, log } = await build(t)
  log.lines.length = 0
  const before = Date.now()
  app.log.info({ extra: 1 }, 'hello')
  t.equal(log.lines.length, 1)
  t.match(log.lines[0], /^[^\n]*\n$/, 'one line')
  const [record] = log.records
  t.same(record, {
    timestamp: record?.timestamp, level: 'INFO', logger: 'server', message: 'hello', environment: 'test', service: 'the-service', version: '1.2.3', extra: 1
  })
  const timestamp = String(record?.timestamp)
  t.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const written = Date.parse(timestamp)
  t.ok(written >= before && written <= Date.now(), 'the time of writing')
})

t.test('levels have the names of Python\'s logging', async (t) => {
  const { app, log } = await build(t)
  log.lines.length = 0
  app.log.debug('x')
  app.log.info('x')
  app.log.warn('x')
  app.log.error('x')
  app.log.fatal('x')
  t.same(log.records.map(({ level }) => level), ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])
})

t.test('lines below the level are not written', async (t) => {
  for (const [level, expected] of [['DEBUG', 5], ['INFO', 4], ['WARNING', 3], ['ERROR', 2], ['CRITICAL', 1]] as const) {
    const { app, log } = await build(t, { level })
    log.lines.length = 0
    for (const write of ['debug', 'info', 'warn', 'error', 'fatal'] as const) app.log[write]('x')
    t.equal(log.lines.length, expected, level)
  }
})

t.test('a level that has no name in Python\'s logging is written in capitals', async (t) => {
  const { formatters } = loggingOptions({ level: 'INFO', format: 'json', environment: 'test', service: 's', version: '1' }).logger
  t.same(formatters.level('trace'), { level: 'DEBUG' })
  t.same(formatters.level('notice'), { level: 'NOTICE' })
})

t.test('an error becomes an exception object, however it is logged', async (t) => {
  const { app, log } = await build(t)
  const error = new TypeError('broken', { cause: new Error('underneath') })
  log.lines.length = 0
  app.log.error(error)
  app.log.error({ err: error, step: 1 }, 'failed')
  for (const record of log.records) {
    t.match(record.exception, { type: 'TypeError', message: /^broken/, stack: /TypeError: broken\n\s+at / })
    t.equal('err' in record, false)
  }
  t.match(log.records, [{ message: 'broken' }, { message: 'failed', step: 1 }])
})

t.test('what a handler throws is logged as an exception with the correlation id', async (t) => {
  const { app, log } = await build(t, {}, (app) => { app.get('/broken', async () => { throw new Error('broken') }) })
  await app.inject({ url: '/broken', headers: { 'x-correlation-id': 'mine' } })
  const record = await line(log, ({ level }) => level === 'ERROR')
  t.match(record, { exception: { message: 'broken' }, correlation_id: 'mine' })
  t.equal('err' in record, false)
})

t.test('an answer that cannot be sent is logged, and the request in it is not', async (t) => {
  const { app, log } = await build(t, {}, (app) => {
    app.get('/broken', async (_request, reply) => {
      reply.header('X-Bad', 'line\nbreak')
      throw new Error('broken')
    })
  })
  await app.inject('/broken?token=hunter2')
  t.match(await line(log, ({ level }) => level === 'WARNING'), { message: 'the answer cannot be sent', exception: { code: 'ERR_INVALID_CHAR' } })
  t.notMatch(log.text, 'hunter2')
})

t.test('mistakes of the client are no errors', async (t) => {
  const { app, log } = await build(t, {}, (app) => { app.post('/', async () => 'ok') })
  const response = await app.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json' }, payload: '{' })
  t.equal(response.statusCode, 400)
  t.match(await line(log, isAccess), { status: 400 })
  t.same(log.records.filter(({ level }) => level === 'ERROR' || level === 'WARNING'), [])
})

t.test('[attack 75] a request is one line, without its query', async (t) => {
  const { app, log } = await build(t)
  log.lines.length = 0
  const response = await app.inject({ url: '/?token=hunter2', headers: { 'x-correlation-id': 'mine' } })
  t.equal(response.statusCode, 200)
  const record = await line(log, isAccess)
  t.match(record, { level: 'INFO', message: 'request completed', method: 'GET', path: '/', status: 200, duration_ms: Number, remote_address: '127.0.0.1', correlation_id: 'mine' })
  t.equal('aborted' in record, false)
  t.equal(log.lines.length, 1)
  t.notMatch(log.text, 'hunter2')
})

t.test('requests that lead nowhere are logged too, without their query', async (t) => {
  const { app, log } = await build(t)
  log.lines.length = 0
  await app.inject('/nothing?access_token=hunter2')
  t.match(await line(log, isAccess), { path: '/nothing', status: 404 })
  t.notMatch(log.text, 'hunter2')
})

t.test('[attack 75] the failure of a route does not bring its query into the log', async (t) => {
  const { app, log } = await build(t, {}, (app) => { app.get('/broken', async () => { throw new Error('broken') }) })
  await app.inject('/broken?access_token=hunter2')
  await line(log, isAccess)
  t.notMatch(log.text, 'hunter2')
})

t.test('quiet routes are logged at level debug', async (t) => {
  const routes = (app: FastifyInstance): void => { app.get('/live/', { config: { quiet: true } }, async () => 'ok') }
  const { app, log } = await build(t, {}, routes)
  await app.inject('/live/')
  t.match(await line(log, isAccess), { level: 'DEBUG', path: '/live/' })

  const info = await build(t, { level: 'INFO' }, routes)
  await info.app.inject('/live/')
  await info.app.inject('/')
  await line(info.log, isAccess)
  t.same(info.log.records.filter((record) => isAccess(record)).map(({ path }) => path), ['/'])
})

t.test('[attack 75] [requirement 37] no header reaches a line', async (t) => {
  const { app, log } = await build(t)
  await app.inject({ url: '/', headers: { authorization: 'Bearer hunter2', cookie: 'a=hunter2', 'user-agent': 'hunter2', referer: 'http://hunter2/' } })
  await line(log, isAccess)
  t.notMatch(log.text, 'hunter2')
})

t.test('a request whose client goes away before the answer is logged as aborted', async (t) => {
  let arrived = (): void => {}
  const arrival = new Promise<void>((resolve) => { arrived = resolve })
  const { app, log } = await build(t, {}, (app) => { app.get('/slow', async (_request, reply) => { arrived(); await once(reply.raw, 'close'); return 'late' }) })
  const socket = await socketTo(t, app)
  socket.write('GET /slow?token=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n')
  await arrival
  socket.destroy()
  t.match(await line(log, isAccess), { level: 'INFO', message: 'request aborted by the client', aborted: true, path: '/slow', correlation_id: String })
  await app.close()
  t.equal(log.records.filter((record) => isAccess(record)).length, 1, 'once')
  t.notMatch(log.text, 'hunter2')
})

t.test('a request whose client goes away within the answer is logged as aborted', async (t) => {
  const { app, log } = await build(t, {}, (app) => { app.get('/large', async () => 'x'.repeat(50_000_000)) })
  const socket = await socketTo(t, app)
  socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
  t.match(await line(log, isAccess), { message: 'request aborted by the client', aborted: true, path: '/large' })
})

t.test('a request over a real socket is logged as completed', async (t) => {
  const { app, log } = await build(t)
  const socket = await socketTo(t, app)
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  const record = await line(log, isAccess)
  t.match(record, { message: 'request completed', status: 200 })
  t.equal('aborted' in record, false)
})

t.test('a hijacked answer is logged as well', async (t) => {
  const { app, log } = await build(t, {}, (app) => {
    app.get('/hijacked', async (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(202).end('by hand')
    })
  })
  const response = await app.inject('/hijacked')
  t.equal(response.statusCode, 202)
  t.match(await line(log, isAccess), { message: 'request completed', path: '/hijacked', status: 202 })
})

t.test('[attack 76] line breaks and escape sequences in values stay inside the one line', async (t) => {
  const { app, log } = await build(t)
  log.lines.length = 0
  app.log.info({ name: 'a\n{"level":"CRITICAL"}\u001b[31m' }, 'b\r\nc\u001b[0m')
  t.equal(log.lines.length, 1)
  for (const character of ['\r', '\u001b']) t.notOk(log.text.includes(character))
  t.equal(log.text.indexOf('\n'), log.text.length - 1)
  t.match(log.records[0], { name: 'a\n{"level":"CRITICAL"}\u001b[31m', message: 'b\r\nc\u001b[0m' })
})

t.test('[attack 76] nothing is in a line that terminals act on and nobody sees, and whoever parses it gets the same text', async (t) => {
  const unseen = 'a\u009b31mb\u0085c\u2028d\u202ee\u200bf\ufeffg\u2066h\u007f'
  for (const format of ['json', 'text'] as const) {
    const { app, log } = await build(t, { format })
    log.lines.length = 0
    app.log.info({ name: unseen }, unseen)
    await written(log)
    t.equal(log.lines.length, 1, format)
    t.notMatch(log.text, /[\u007f-\u009f\u200b-\u202e\u2066\ufeff]/, format)
    t.match(log.text, '\\u202e', format)
    if (format === 'json') t.match(log.records[0], { name: unseen, message: unseen })
  }
})

t.test('named loggers and their children write their name once', async (t) => {
  const { app, log } = await build(t)
  log.lines.length = 0
  const django = namedLogger(app.log, 'django')
  django.info('of the plugin')
  django.child({ correlation_id: 'mine' }).info('of its child')
  namedLogger(django, 'django.probe').info('renamed')
  namedLogger(django, 'tool').child({ a: 1 }).child({ b: 2 }).info('far down')
  app.log.info('unchanged')
  t.same(log.records.map(({ logger }) => logger), ['django', 'django', 'django.probe', 'tool', 'server'])
  for (const written of log.lines) t.equal(written.split('"logger"').length, 2, written)
})

t.test('a named logger of a request keeps the correlation id', async (t) => {
  const { app, log } = await build(t, {}, (app) => { app.get('/named', (request) => { namedLogger(request.log, 'tool').info('inside'); return 'ok' }) })
  await app.inject({ url: '/named', headers: { 'x-correlation-id': 'mine' } })
  const record = await line(log, ({ message }) => message === 'inside')
  t.match(record, { logger: 'tool', correlation_id: 'mine' })
  const written = log.lines.find((text) => text.includes('"inside"'))
  t.equal(written?.split('"correlation_id"').length, 2)
})

t.test('text for people has time, level, message and fields in one line, and no colours', async (t) => {
  const { app, log } = await build(t, { format: 'text' })
  log.lines.length = 0
  app.log.warn({ extra: 'value' }, 'hello')
  await written(log)
  t.equal(log.lines.length, 1)
  t.match(log.text, /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] WARNING: hello \{.*"extra":"value".*\}\n$/)
  for (const absent of ['the-service', '1.2.3', '\u001b']) t.notOk(log.text.includes(absent), absent)
})

t.test('text for people shows the stack of an error', async (t) => {
  const { app, log } = await build(t, { format: 'text' })
  log.lines.length = 0
  app.log.error({ err: new TypeError('broken') }, 'failed')
  await written(log)
  t.match(log.text, 'ERROR: failed')
  t.match(log.text, 'TypeError: broken')
  t.match(log.text, /at .*logging\.test\.ts/)
})

t.test('without a destination the lines go to standard output', async (t) => {
  const script = `import Fastify from 'fastify'
    import { loggingOptions } from ${JSON.stringify(new URL('../../plugins/logging/index.ts', import.meta.url).href)}
    const app = Fastify(loggingOptions({ level: 'INFO', format: process.argv[1], environment: 'test', service: 's', version: '1' }))
    app.log.info('first')
    app.log.info('last')
    process.exit(0)`
  for (const format of ['json', 'text']) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script, format])
    t.match(stdout, /first[\s\S]*last/, `${format}: also what was not written yet when the process ended`)
  }
})

const run = promisify(execFile)

t.test('the plugin works with any other logger', async (t) => {
  const log = new LogLines()
  const app = Fastify({ logger: { stream: log }, disableRequestLogging: true })
  t.teardown(() => app.close())
  await app.register(logging)
  app.get('/', async () => 'ok')
  await app.inject('/')
  t.match(await line(log, isAccess), { path: '/', status: 200, msg: 'request completed' })
})
