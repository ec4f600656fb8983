import { createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'

/** The public half of a key as others find it (RFC 7517), named by its thumbprint (RFC 7638): the same in every replica. */
export async function publicJwk (key: KeyObject): Promise<JWK & { kid: string }> {
  const jwk = await exportJWK(key.type === 'private' ? createPublicKey(key) : key)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'ES256' }
}
