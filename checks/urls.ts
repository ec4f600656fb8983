/** Whether this is an http or https URL to which a path can be appended, and that holds no credentials. */
export function isBaseUrl (text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:\/\/[^/]/i.test(text) && !/[\s?#]/.test(text) &&
    url.username === '' && url.password === ''
}

/** Whether this is an http or https URL that can be requested as it stands: with a query, without credentials. */
export function isEndpoint (text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:\/\/[^/]/i.test(text) && !/[\s#]/.test(text) && url.username === '' && url.password === ''
}

/** Whether what is sent to this URL can be read on the way. */
export function isPlainHttp (url: string): boolean {
  return /^http:/i.test(url)
}

/** Whether this is a URL of Redis, with TLS or without. */
export function isRedisUrl (text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== ''
}

/** The URL without slashes at its end. */
export function withoutTrailingSlash (url: string): string {
  return url.replace(/\/+$/, '')
}

/** Whether this is an origin exactly as browsers send it (RFC 6454 §6.2), or `*` for all. */
export function isOrigin (text: string): boolean {
  return text === '*' || URL.parse(text)?.origin === text
}

/** Whether this is a path from the root of a server, without query and fragment. */
export function isPath (text: string): boolean {
  return /^\/[^\s?#]*$/.test(text)
}

/** Whether this is the name of a host (RFC 1123 §2.1) or an address, as a URL has it and without a port. */
export function isHostName (text: string): boolean {
  const isName = text.length <= 253 && text.split('.').every((label) => /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i.test(label))
  return isName || /^\[[\da-f:.]+\]$/i.test(text)
}
