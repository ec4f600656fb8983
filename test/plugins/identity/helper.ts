import { generateKeyPairSync } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { generatedKey } from '../../../checks/keys.ts'
import django, { type DjangoClient } from '../../../plugins/django/index.ts'
import identity, { type IdentityOptions, type IdentityPrincipal } from '../../../plugins/identity/index.ts'
import { apiKey, djangoStub, overHttp, type Handler } from '../../helper.ts'

export const key = generatedKey()

export const assertion = { type: 'assertion', key, issuer: 'https://mcp.example.com', audience: 'https://django.example.com' } as const

export const ada: IdentityPrincipal = { subject: 'ada', issuer: 'https://auth.example.com', clientId: 'client-1', scopes: new Set(['write', 'read']) }

/** The public half as PEM. */
export function publicPem (curve = 'P-256'): string {
  return generateKeyPairSync('ec', { namedCurve: curve, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).publicKey
}

/** A bare app with the plugin and a Django client, whose route `/call` calls a stub for whom `principalOf` names. */
export async function withIdentity (t: Test, way: IdentityOptions['way'], handle: Handler, options: Partial<IdentityOptions> = {}) {
  const stub = await djangoStub(t, handle)
  const app: FastifyInstance = Fastify()
  t.teardown(() => app.close())
  await app.register(identity, { way, principalOf: () => ada, ...options })
  await app.register(django, { baseUrl: stub.url, apiKey, userAgent: 'test/1', healthPath: '/probe/' })
  let client: DjangoClient | undefined
  app.route({ method: 'GET', url: '/client', async handler (request) {
    const bound = app.identityOf(request)
    client = app.django.bind(bound === undefined ? {} : { identity: bound })
    return 'made'
  } })
  await app.ready()
  /** A client for one request that came with this token. */
  const clientFor = async (token = 'callers-token'): Promise<DjangoClient> => {
    await overHttp(app, { url: '/client', headers: { authorization: `Bearer ${token}` } })
    if (client === undefined) throw new Error('no client was made')
    return client
  }
  const calls = () => stub.requests.filter(({ url }) => url !== '/probe/')
  return { app, stub, calls, clientFor }
}
