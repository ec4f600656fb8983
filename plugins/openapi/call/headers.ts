/**
 * Headers that no argument sets: those that the Django client, the connection or the body decide, those that say who
 * calls, and those by which a proxy or a framework is told to see another request than the one that was sent.
 */
const reserved = new Set([
  'accept', 'accept-charset', 'accept-encoding', 'authorization', 'baggage', 'connection', 'content-encoding', 'content-length', 'content-type',
  'cookie', 'cookie2', 'date', 'expect', 'forwarded', 'host', 'http2-settings', 'idempotency-key', 'keep-alive', 'max-forwards', 'origin',
  'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'referer', 'set-cookie', 'te', 'traceparent', 'tracestate', 'trailer', 'transfer-encoding',
  'upgrade', 'user-agent', 'via', 'x-correlation-id', 'x-csrf-token', 'x-csrftoken', 'x-http-method', 'x-http-method-override', 'x-method-override',
  'x-original-url', 'x-real-ip', 'x-request-id', 'x-rewrite-url', 'x-user'
])

const reservedPrefixes = ['x-forwarded-', 'x-mcp-', 'sec-']

/** Whether an argument may set this header. WSGI servers take `_` for `-`, so it is no way around. */
export function isArgumentHeader (name: string): boolean {
  const known = name.toLowerCase().replaceAll('_', '-')
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !reserved.has(known) && !reservedPrefixes.some((prefix) => known.startsWith(prefix))
}

/** Whether an argument may set this cookie: none that says who calls, or that proves it. */
export function isArgumentCookie (name: string): boolean {
  return !/session|csrf|xsrf|token|auth|secret|api-?key|password|user/i.test(name)
}
