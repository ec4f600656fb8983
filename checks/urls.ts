/** Whether this is an http or https URL to which a path can be appended, and that holds no credentials. */
export function isBaseUrl (text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:\/\/[^/]/i.test(text) && !/[\s?#]/.test(text) &&
    url.username === '' && url.password === ''
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
