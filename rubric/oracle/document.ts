/*
 * The oracle reads OpenAPI documents for itself. It is written from the texts of OpenAPI 2.0, 3.0.4 and 3.1.1 and takes
 * nothing from plugins/openapi, so that a mistake which is made there is not made here as well.
 */

export type Node = Readonly<Record<string, unknown>>

export function isNode (value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function listOf (value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textOf (value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** An own property; documents name things `constructor` too. */
export function own (node: unknown, key: string): unknown {
  return isNode(node) && Object.hasOwn(node, key) ? node[key] : undefined
}

/** A part of a JSON Pointer or of a fragment, as it was before it was escaped (RFC 6901 §3, §6). */
function unescaped (part: string): string {
  let text = part
  try {
    text = decodeURIComponent(part)
  } catch {
    // Not percent-encoded after all.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}

export class OpenApiDocument {
  readonly root: Node
  /** 2 for Swagger 2.0, 3 for what came after. */
  readonly version: 2 | 3

  constructor (root: unknown) {
    this.root = isNode(root) ? root : {}
    this.version = textOf(this.root.swagger).startsWith('2') ? 2 : 3
  }

  /** What is behind a reference, or the value itself; undefined for what is outside, nowhere or only itself. */
  resolve (value: unknown): unknown {
    const seen = new Set<string>()
    let current = value
    while (isNode(current) && typeof current.$ref === 'string') {
      const reference = current.$ref
      if (!reference.startsWith('#') || seen.has(reference)) return undefined
      seen.add(reference)
      current = this.at(reference)
    }
    return current
  }

  /** What a local reference points to. */
  at (reference: string): unknown {
    if (reference === '#') return this.root
    if (!reference.startsWith('#/')) return undefined
    let current: unknown = this.root
    for (const part of reference.slice(2).split('/')) {
      const key = unescaped(part)
      current = Array.isArray(current) ? current[Number(key)] : own(current, key)
    }
    return current
  }

  node (value: unknown): Node {
    const resolved = this.resolve(value)
    return isNode(resolved) ? resolved : {}
  }
}
