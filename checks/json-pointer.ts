import { isRecord } from './records.ts'

/** One name of a pointer in a URI fragment (RFC 6901 §3 and §6). */
export function pointerName (text: string): string {
  let decoded = text
  try {
    decoded = decodeURIComponent(text)
  } catch {
    // A percent sign that stands for itself.
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** What `#` or `#/…` points at in a document; undefined for nothing, and for a reference that leads elsewhere. */
export function valueAt (document: unknown, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined
  let value = document
  for (const name of reference.split('/').slice(1).map(pointerName)) {
    if (isRecord(value)) value = Object.hasOwn(value, name) ? value[name] : undefined
    else value = Array.isArray(value) && /^(0|[1-9]\d{0,9})$/.test(name) ? value[Number(name)] : undefined
  }
  return value
}
