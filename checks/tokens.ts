/** Whether this is a scope: visible ASCII without spaces, quotes and backslashes (RFC 6749 §3.3). */
export function isScope (text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
}

/** Whether this can be sent in a header as it is: visible ASCII without spaces (RFC 9110 §5.5). */
export function isHeaderText (text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text)
}
