import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { startDjango } from '../../demo/django.ts'
import { isAlive } from './helper.ts'

// The very first start makes the virtual environment.
t.setTimeout(300_000)

const page = z.object({ count: z.int() })

async function get (url: string, headers: Record<string, string>): Promise<Response> {
  return await fetch(url, { headers })
}

t.test('Django answers with its own data until it is stopped', async (t) => {
  const lines: string[] = []
  const django = await startDjango({ database: 'temporary', log: (line) => { lines.push(line) } })
  t.teardown(() => django.stop())
  const seeded = lines.flatMap((line) => /seeded (.+) correlation_id/.exec(line)?.slice(1) ?? [])
  t.ok(existsSync(seeded[0] ?? ''), 'in a database that it says the place of')

  const response = await get(`${django.url}/api/v1/orbit/opportunities/?limit=1`, { Authorization: `Api-Key ${django.apiKey}`, 'X-Correlation-ID': 'of-this-test' })
  t.equal(response.status, 200)
  t.equal(page.parse(await response.json()).count, 432)
  t.ok(isAlive(django.pid))

  await Promise.all([django.stop(), django.stop()])
  await django.ended
  t.notOk(isAlive(django.pid))
  t.ok(lines.some((line) => line.includes('correlation_id=of-this-test')), 'its log has come')
  t.notOk(existsSync(seeded[0] ?? ''), 'the database is gone')
})

t.test('a database by name stays, and the environment reaches Django', async (t) => {
  const database = join(t.testdir(), 'own.sqlite3')
  const django = await startDjango({ database, environment: { DEMO_API_KEY: 'mine.0123456789', DEMO_USER_PASSWORD: 'open sesame' } })
  t.teardown(() => django.stop())
  t.equal(django.apiKey, 'mine.0123456789')
  const response = await get(`${django.url}/api/v1/orbit/reminders/`, { Authorization: `Basic ${Buffer.from('ada:open sesame').toString('base64')}` })
  t.equal(response.status, 200)
  await django.stop()
  t.ok(existsSync(database))
})

t.test('a Django that does not come up is reported with the end of its log', async (t) => {
  await t.rejects(startDjango({ database: 'temporary', environment: { DEMO_EXPORT_RATE: 'often' } }), {
    name: 'DemoFailure',
    message: /did not start\. The end of its log:\n[\s\S]*DEMO_EXPORT_RATE must look like/
  })
  await t.rejects(startDjango({ python: '/no/such/python', database: 'temporary' }), { name: 'DemoFailure', message: /ENOENT/ })
})

t.test('an interruption ends the start', async (t) => {
  const controller = new AbortController()
  const starting = startDjango({ database: 'temporary', signal: controller.signal })
  controller.abort()
  await t.rejects(starting, { name: 'AbortError' })
})
