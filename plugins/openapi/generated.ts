import type { ObjectSchema, ToolAnnotations } from '../catalog/definition.ts'
import type { Operation, Parameter } from './operation.ts'

/** Where the value of an argument goes in the request. */
export type Place =
  | { readonly kind: 'parameter', readonly parameter: Parameter }
  /** A property of the body's object, by its own name. */
  | { readonly kind: 'property', readonly property: string }
  /** The body as it is: one that is no object, or a union. */
  | { readonly kind: 'body' }
  /** Which fields of the answer are wanted; never sent. */
  | { readonly kind: 'fields' }

export interface Binding {
  /** Name of the tool's argument, as models see it. */
  readonly argument: string
  readonly place: Place
}

/** How a list is paged: by which arguments a further page is asked for. */
export interface Pagination {
  readonly style: 'page' | 'limit-offset' | 'cursor'
  /** Arguments of the tool by the name of the query parameter in Django's `next` and `previous`. */
  readonly arguments: Readonly<Record<string, string>>
}

/** A tool made from an operation: what is listed, and what a call needs to make exactly one request. */
export interface GeneratedTool {
  readonly name: string
  readonly title: string | undefined
  readonly description: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema: ObjectSchema | undefined
  readonly annotations: ToolAnnotations
  readonly scopes: readonly string[]
  /** Words of the overlay's that a search finds the tool by. */
  readonly synonyms: readonly string[]
  /** Whether the user is asked before the request is sent, and what. */
  readonly confirm: string | undefined
  readonly operation: Operation
  readonly bindings: readonly Binding[]
  /** Values that the overlay fixes, by parameter or property; models do not see them. */
  readonly fixed: readonly { readonly place: Place, readonly value: unknown }[]
  /** Media type of the body, exactly as it is sent unless a file makes it multipart; undefined where there is no body. */
  readonly bodyType: string | undefined
  /** Media type to send instead when a file is given, where the operation offers one. */
  readonly fileBodyType: string | undefined
  /** Arguments that may hold a file. */
  readonly fileArguments: readonly string[]
  readonly pagination: Pagination | undefined
  /** Fields that an answer is cut down to, as dotted paths; all of them where it is empty. */
  readonly fields: readonly string[]
  /** Operation that reads what this one has started or made, for the advice after a 202; name of its tool. */
  readonly readTool: string | undefined
}
