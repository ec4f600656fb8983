import type { Config } from '../config.ts'

/** URL under which clients reach this service, without a trailing slash. */
export function publicUrl (config: Config): string {
  return config.PUBLIC_URL ?? `http://localhost:${config.PORT}`
}

/** Canonical identifier of the protected resource (RFC 8707): what a token's `aud` names. */
export function resourceUrl (config: Config): string {
  return `${publicUrl(config)}/mcp`
}
