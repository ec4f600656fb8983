import type { Method } from '../django/exchange.ts'

/**
 * What one operation of an OpenAPI document says, whichever version the document is of (2.0, 3.0 or 3.1). Schemas are
 * JSON Schema 2020-12 with `#/$defs/…` references only; everything that only OpenAPI knows is gone from them. Names,
 * tools and requests derive from this, and nothing else reads the document.
 */
export interface Operation {
  /** `GET /api/books/{id}/`: names the operation in reports, overlays and the lock file. */
  readonly key: string
  readonly method: OperationMethod
  /** Path template, byte for byte as the document has it, after the base path of a 2.0 document. */
  readonly path: string
  readonly operationId: string | undefined
  readonly summary: string
  readonly description: string
  readonly tags: readonly string[]
  readonly deprecated: boolean
  readonly parameters: readonly Parameter[]
  readonly body: Body | undefined
  readonly responses: readonly OperationResponse[]
  readonly security: Security
  /** Shared schemas that the schemas of this operation refer to, by their name in `$defs`. */
  readonly definitions: Readonly<Record<string, Schema>>
}

export type OperationMethod = Method

export type Schema = Readonly<Record<string, unknown>>

export type ParameterStyle = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'tabDelimited' | 'deepObject'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required: boolean
  readonly description: string
  readonly schema: Schema
  /** How arrays and objects are written (OpenAPI 3.1.1, "Style Values"); a 2.0 `collectionFormat` is translated. */
  readonly style: ParameterStyle
  readonly explode: boolean
  readonly allowReserved: boolean
  /** Media type in which the value is written, for a parameter that has `content` in the place of `schema`. */
  readonly mediaType: string | undefined
}

export interface Body {
  readonly required: boolean
  readonly description: string
  /** By media type, exactly as the document writes it, in its order. */
  readonly content: ReadonlyMap<string, BodyContent>
}

export interface BodyContent {
  readonly schema: Schema
  /** `encoding` of multipart and urlencoded parts, by property. */
  readonly encoding: Readonly<Record<string, { contentType?: string, style?: ParameterStyle, explode?: boolean }>>
}

export interface OperationResponse {
  /** `200`, `2XX` or `default`. */
  readonly status: string
  readonly description: string
  /** By media type, exactly as the document writes it. */
  readonly content: ReadonlyMap<string, Schema>
}

export interface Security {
  /** Whether the operation may be called without credentials: `security: []`, or `{}` among the alternatives. */
  readonly anonymous: boolean
  /** Scopes of each alternative that names some. */
  readonly scopes: ReadonlyArray<readonly string[]>
}

/** An operation, a path or a part of the document that cannot be used, and why. */
export interface Skipped {
  readonly operation: string
  readonly reason: string
}
