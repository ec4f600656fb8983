import t from 'tap'
import { apiKey, json } from '../../helper.ts'
import { withDjango } from './helper.ts'

t.test('the probe asks Django with the key and says healthy', async (t) => {
  const { app, stub } = await withDjango(t, (_request, response) => { json(response, 200, {}) }, { healthPath: '/stats/' })
  t.match(app.djangoHealth.current(), { healthy: false, ageSeconds: null })
  t.match(await app.djangoHealth.latest(), { healthy: true, ageSeconds: Number, reason: undefined })
  t.match(stub.requests, [{ url: '/stats/', headers: { authorization: `Api-Key ${apiKey}` } }])
})

t.test('whoever asks at the same time waits for the same look, and later ones for none', async (t) => {
  const { app, stub } = await withDjango(t, (_request, response) => { json(response, 200, {}) })
  await app.ready()
  await Promise.all(Array.from({ length: 20 }, () => app.djangoHealth.latest()))
  await app.djangoHealth.latest()
  t.equal(stub.requests.length, 1)
})

t.test('what is wrong is said without hosts and secrets', async (t) => {
  for (const [status, reason] of [[403, /API key \(403\)/], [404, /no such health path/], [301, /redirects/], [500, /answered 500/]] as const) {
    const { app } = await withDjango(t, (_request, response) => { response.writeHead(status).end() })
    t.match(await app.djangoHealth.latest(), { healthy: false, reason })
  }
  const gone = await withDjango(t, () => undefined, { baseUrl: 'http://127.0.0.1:9' })
  t.match(await gone.app.djangoHealth.latest(), { healthy: false, reason: 'Django cannot be reached' })
})

t.test('Django is looked at again, and its recovery is seen', async (t) => {
  let healthy = false
  const { app } = await withDjango(t, (_request, response) => { json(response, healthy ? 200 : 503, {}) }, { healthInterval: 5 })
  await app.ready()
  t.match(await app.djangoHealth.latest(), { healthy: false })
  healthy = true
  while (!app.djangoHealth.current().healthy) await new Promise((resolve) => { setTimeout(resolve, 5) })
  t.match(app.djangoHealth.current(), { healthy: true })
})
