import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import django, { type AttemptReport, type DjangoOptions } from '../../../plugins/django/index.ts'
import { apiKey, djangoStub, type Handler } from '../../helper.ts'

/** A bare app with nothing but the Django plugin, in front of a stub. */
export async function withDjango (t: Test, handle: Handler, options: Partial<DjangoOptions> = {}) {
  const stub = await djangoStub(t, handle)
  const attempts: AttemptReport[] = []
  const app: FastifyInstance = Fastify()
  t.teardown(() => app.close())
  await app.register(django, {
    baseUrl: stub.url,
    apiKey,
    userAgent: 'test-service/1.2.3',
    // Looked after by the tests of the probe; elsewhere it would only add requests.
    healthPath: '/probe/',
    onAttempt: (report) => { attempts.push(report) },
    ...options
  })
  return { app, stub, attempts, client: app.django }
}
