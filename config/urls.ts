import type { Config } from '../config.ts'

/** URL under which clients reach this service, without a trailing slash. */
export function publicUrl (config: Config): string {
  return config.PUBLIC_URL ?? `http://localhost:${config.PORT}`
}

/** Canonical identifier of the protected resource (RFC 8707): what a token's `aud` names. Scheme and host are in small letters. */
export function resourceUrl (config: Config): string {
  const url = publicUrl(config)
  const { length } = /^[^:]+:\/\/[^/]*/.exec(url)?.[0] ?? ''
  return `${url.slice(0, length).toLowerCase()}${url.slice(length)}/mcp`
}
