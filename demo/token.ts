import { createHmac, randomUUID } from 'node:crypto'

export interface TokenOptions {
  /** The secret that the service verifies with. */
  secret: string
  /** Whom the token is about. */
  subject: string
  /** The service that it is for. */
  audience: string
  /** With spaces between. */
  scope: string
  /** Seconds that it is valid. */
  lifetime: number
}

function encoded (value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** A JSON Web Token signed with HS256 (RFC 7515 §3.1), as an authorization server that shares the secret would issue it. */
export function signToken ({ secret, subject, audience, scope, lifetime }: TokenOptions): string {
  const now = Math.floor(Date.now() / 1000)
  const header = { alg: 'HS256', typ: 'JWT' }
  const claims = { sub: subject, aud: audience, scope, iat: now, exp: now + lifetime, jti: randomUUID() }
  const input = `${encoded(header)}.${encoded(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
