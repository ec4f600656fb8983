/** The user that a call is made for, as Django is told beside the key of this service. */
export interface CallIdentity {
  /**
   * Headers of one request, asked for anew before each, repeated ones too. Where they cannot be had the request is
   * not sent, and the call fails with what this throws.
   * @throws {CallError}
   */
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  /** Told that Django answered 401 to a request with the last of these headers. */
  readonly refused?: () => void
}

/** The name of a header as WSGI knows it (PEP 3333): case does not count there, and hyphens are underscores. */
function wsgiName (name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

/** Headers of a request with those that say whom it is for. Others that Django could take for one of these are left out. */
export function identified (headers: Readonly<Record<string, string>>, identity: Readonly<Record<string, string>>): Record<string, string> {
  const taken = new Set(Object.keys(identity).map(wsgiName))
  return { ...Object.fromEntries(Object.entries(headers).filter(([name]) => !taken.has(wsgiName(name)))), ...identity }
}
