/** A word as forms have it, and client credentials. */
function formEncoded (word: string): string {
  return new URLSearchParams({ word }).toString().slice('word='.length)
}

/** The Authorization field with which a client authenticates to its authorization server (RFC 6749 §2.3.1). */
export function clientCredentials (clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`
}
