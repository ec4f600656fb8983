const longest = 100

/**
 * A value between quotes for a message, cut where it is long. Credentials in a URL are refused, and must not be printed
 * while saying so: neither where they belong, nor where a character that ends the host or a missing scheme hides them
 * from a parser, nor in a query or fragment.
 */
export function quoted (text: string): string {
  const harmless = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1********@').replace(/([?#]).+/s, '$1********')
  return JSON.stringify(harmless.length > longest ? `${harmless.slice(0, longest)}…` : harmless)
}

/** What may be said of a secret. */
export function masked (secret: string): string {
  return `******** (${secret.length} characters)`
}
