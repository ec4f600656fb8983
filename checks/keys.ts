import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

/** The key, if it is one of the curve that ES256 takes (RFC 7518 §3.4). */
function p256 (parse: () => KeyObject): KeyObject | undefined {
  try {
    const key = parse()
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined
  } catch {
    return undefined
  }
}

/** The private key in a PEM, or undefined where there is none of P-256. */
export function privateKeyIn (pem: string): KeyObject | undefined {
  return p256(() => createPrivateKey(pem))
}

/** The public key in a PEM, or that which belongs to the private key in it; undefined where there is none of P-256. */
export function publicKeyIn (pem: string): KeyObject | undefined {
  return p256(() => createPublicKey(pem))
}

/** PEM of a private key that nobody else has. */
export function generatedKey (): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' }
  }).privateKey
}
