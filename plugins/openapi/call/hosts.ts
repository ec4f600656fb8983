import { isObject } from './json.ts'

/*
 * Django writes addresses of its own with the host that it is called by, which is an internal one. They are of no use
 * to a model and nobody's business: what is left of them is the path, which still tells a file's name.
 */

/** Endings of names that mean something only inside of a network (RFC 6761, RFC 6762, RFC 8375, RFC 9476 and custom). */
const internalEndings = /\.(?:localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa|svc|cluster\.local)$/

function isInternalAddress (host: string): boolean {
  const [, first = 0, second = 0] = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(host)?.map(Number) ?? []
  return [0, 10, 127].includes(first) && /^\d/.test(host) || first === 172 && second >= 16 && second <= 31 || first === 192 && second === 168 || first === 169 && second === 254 || /^\[(?:::1|f[cd]|fe80)/.test(host)
}

/** Whether a host is of no network that a client could reach: a name without a dot, or one of the reserved ones. */
export function isInternalHost (authority: string): boolean {
  const host = authority.toLowerCase().replace(/^[^@]*@/, '').replace(/:\d*$/, '').replace(/\.$/, '')
  return isInternalAddress(host) || internalEndings.test(host) || (!host.includes('.') && !host.includes('['))
}

const address = /https?:\/\/([^/\s"'<>\\?#()[\],;`]+|\[[\da-f:]+\](?::\d+)?)/gi

/** Hosts of the addresses in a text. */
function hostsIn (text: string): Set<string> {
  return new Set([...text.matchAll(address)].map(([, host = '']) => host.toLowerCase()))
}

function stripped (text: string, own: ReadonlySet<string>): string {
  const whole = /^https?:\/\/([^/?#\s]+)(\S*)$/i.exec(text)
  if (whole !== null && (own.has((whole[1] ?? '').toLowerCase()) || isInternalHost(whole[1] ?? ''))) {
    const rest = whole[2] ?? ''
    return rest.startsWith('/') ? rest : `/${rest}`
  }
  return text.replace(address, (found, host: string) => own.has(host.toLowerCase()) ? '' : found)
}

function withoutHosts (value: unknown, own: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return value.includes('://') ? stripped(value, own) : value
  if (Array.isArray(value)) {
    const entries: readonly unknown[] = value
    const next = entries.map((entry) => withoutHosts(entry, own))
    return next.every((entry, index) => entry === entries[index]) ? value : next
  }
  if (!isObject(value)) return value
  let changed = false
  const entries = Object.entries(value).map(([name, entry]): [string, unknown] => {
    const next = withoutHosts(entry, own)
    changed ||= next !== entry
    return [name, next]
  })
  return changed ? Object.fromEntries(entries) : value
}

/** How many addresses a text may have. */
function addressesIn (text: string): number {
  let count = 0
  for (let index = text.indexOf('://'); index !== -1; index = text.indexOf('://', index + 3)) count += 1
  return count
}

/**
 * A value without the hosts of the API's own addresses; the same value where nothing changes.
 * @param text the answer that the value was made of, as JSON
 * @param links hosts of addresses in the text that are not in the value any more: those of further pages
 * @param hosts further hosts that are the API's
 */
export function hideHosts (value: unknown, text: string, links: readonly string[], hosts: readonly string[]): unknown {
  // Slashes may be written as \/ in JSON.
  const plain = text.includes('\\/') ? text.replaceAll('\\/', '/') : text
  if (addressesIn(plain) === links.length) return value
  const own = new Set([...hosts, ...links])
  return [...hostsIn(plain)].some((host) => own.has(host) || isInternalHost(host)) ? withoutHosts(value, own) : value
}

/** A sentence of the API's without hosts that are its own or internal. */
export function sentenceWithoutHosts (text: string, hosts: readonly string[]): string {
  return text.replace(address, (found, host: string) => hosts.includes(host.toLowerCase()) || isInternalHost(host) ? '' : found)
}

/** The host of an absolute address, undefined for any other text. */
export function hostOf (text: unknown): string | undefined {
  return typeof text === 'string' ? /^https?:\/\/([^/?#\s]+)/i.exec(text)?.[1]?.toLowerCase() : undefined
}
