import { randomBytes } from 'node:crypto'
import type { Principal } from '../auth/principal.ts'
import { PermittedList, rankedBy, type Rank } from './permitted-list.ts'
import type { Prompt } from './prompt.ts'
import type { Resource } from './resource.ts'
import type { Tool, ToolListing } from './tool.ts'

type ResourceListing = Extract<Resource['listing'], { uri: string }>
type TemplateListing = Extract<Resource['listing'], { uriTemplate: string }>

/** Scopes that clients should ask for to use something that needs these. */
export type ScopesToAskFor = (scopes: readonly string[]) => readonly string[]

/**
 * The entry of a tool with what a client has to sign in for. The protocol has no field for that yet (SEP-1488): ChatGPT
 * reads it beside the protocol's own, and `_meta` is where clients keep what they do not know.
 */
function withSecuritySchemes ({ scopes, listing }: Tool, toAskFor: ScopesToAskFor): ToolListing {
  const securitySchemes = [{ type: 'oauth2', scopes: toAskFor(scopes) }]
  return { ...listing, securitySchemes, _meta: { securitySchemes } }
}

function byName (left: { name: string }, right: { name: string }): number {
  return left.name < right.name ? -1 : left.name > right.name ? 1 : 0
}

/** Several resources may have one name. */
function byUri (left: { uri: string }, right: { uri: string }): number {
  return left.uri < right.uri ? -1 : left.uri > right.uri ? 1 : 0
}

/**
 * Everything that can be listed, called and read. Built whole and never changed: lists are sorted and checks are
 * compiled once, and what a request does with it does not depend on how much there is.
 */
export class Catalog {
  readonly #tools: ReadonlyMap<string, Tool>
  readonly #prompts: ReadonlyMap<string, Prompt>
  readonly #fixedResources: ReadonlyMap<string, Resource>
  readonly #templates: readonly Resource[]
  readonly #toolList: PermittedList<ToolListing>
  readonly #promptList: PermittedList<Prompt['listing']>
  readonly #resourceList: PermittedList<ResourceListing>
  readonly #templateList: PermittedList<TemplateListing>
  readonly #anyResource: PermittedList<Resource['listing']>
  readonly #rank: Rank
  /**
   * Names of the headers in which clients repeat arguments, of all tools together: a browser asks for them before it
   * sends a request, and so before anybody knows who calls which tool.
   */
  readonly parameterHeaders: readonly string[]

  /**
   * @param toAskFor given where callers sign in: then the entries of tools say what for
   * @param secret what decides which scopes a name needs that is none; of this instance alone where it is left out
   */
  constructor (tools: readonly Tool[], resources: readonly Resource[], prompts: readonly Prompt[], toAskFor?: ScopesToAskFor, secret: string = randomBytes(32).toString('hex')) {
    this.#rank = rankedBy(secret)
    this.#tools = new Map(tools.toSorted(byName).map((tool) => [tool.name, tool]))
    this.parameterHeaders = [...new Set(tools.flatMap(({ parameterHeaders }) => parameterHeaders.map(({ name }) => `Mcp-Param-${name}`)))].toSorted()
    this.#prompts = new Map(prompts.toSorted(byName).map((prompt) => [prompt.name, prompt]))
    const sorted = resources.toSorted(byUri)
    this.#fixedResources = new Map(sorted.filter(({ isTemplate }) => !isTemplate).map((resource) => [resource.uri, resource]))
    this.#templates = sorted.filter(({ isTemplate }) => isTemplate)
    this.#toolList = new PermittedList([...this.#tools.values()].map((tool) => ({
      scopes: tool.scopes, entry: toAskFor === undefined ? tool.listing : withSecuritySchemes(tool, toAskFor)
    })))
    this.#promptList = new PermittedList([...this.#prompts.values()].map(({ scopes, listing }) => ({ scopes, entry: listing })))
    this.#resourceList = new PermittedList(sorted.flatMap(({ scopes, listing }) => isFixed(listing) ? [{ scopes, entry: listing }] : []))
    this.#templateList = new PermittedList(sorted.flatMap(({ scopes, listing }) => isFixed(listing) ? [] : [{ scopes, entry: listing }]))
    this.#anyResource = new PermittedList(sorted.map(({ scopes, listing }) => ({ scopes, entry: listing })))
  }

  /** Number of items by kind. */
  get sizes (): Record<'tool' | 'prompt' | 'resource' | 'resource_template', number> {
    return { tool: this.#tools.size, prompt: this.#prompts.size, resource: this.#fixedResources.size, resource_template: this.#templates.length }
  }

  tool (name: string): Tool | undefined {
    return this.#tools.get(name)
  }

  /** Entries of the tools that a principal may call, by name. */
  toolListings (principal: Principal): readonly ToolListing[] {
    return this.#toolList.of(principal)
  }

  /** Scopes that calling a tool needs. For a name that is none, those of a tool that the principal may not know of. */
  toolScopes (principal: Principal, name: string, args: unknown): readonly string[] {
    const tool = this.#tools.get(name)
    if (tool === undefined) return this.#toolList.scopesOfUnknown(principal, name, this.#rank)
    return tool.scopesFor?.(principal, args, this.#rank) ?? tool.scopes
  }

  /** Scopes that getting a prompt needs, likewise. */
  promptScopes (principal: Principal, name: string): readonly string[] {
    return this.#prompts.get(name)?.scopes ?? this.#promptList.scopesOfUnknown(principal, name, this.#rank)
  }

  /** Scopes that reading a resource needs, likewise. */
  resourceScopes (principal: Principal, uri: string): readonly string[] {
    return this.resource(uri)?.resource.scopes ?? this.#anyResource.scopesOfUnknown(principal, uri, this.#rank)
  }

  prompt (name: string): Prompt | undefined {
    return this.#prompts.get(name)
  }

  /** Entries of the prompts that a principal may get, by name. */
  promptListings (principal: Principal): ReadonlyArray<Prompt['listing']> {
    return this.#promptList.of(principal)
  }

  resourceListings (principal: Principal): readonly ResourceListing[] {
    return this.#resourceList.of(principal)
  }

  templateListings (principal: Principal): readonly TemplateListing[] {
    return this.#templateList.of(principal)
  }

  /** The template that is written exactly so. */
  template (uri: string): Resource | undefined {
    return this.#templates.find((resource) => resource.uri === uri)
  }

  /** The resource that a URI names, with the values of its template's variables. A fixed URI goes before a template. */
  resource (uri: string): { resource: Resource, variables: Record<string, string> } | undefined {
    const fixed = this.#fixedResources.get(uri)
    if (fixed !== undefined) return { resource: fixed, variables: {} }
    for (const resource of this.#templates) {
      const variables = resource.match(uri)
      if (variables !== undefined) return { resource, variables }
    }
    return undefined
  }
}

function isFixed (listing: Resource['listing']): listing is ResourceListing {
  return 'uri' in listing
}
