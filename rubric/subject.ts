import { compileTool, type Tool } from '../plugins/catalog/index.ts'
import { toolDefinition } from '../plugins/openapi/call/definition.ts'
import { locator, type Locate } from '../plugins/openapi/call/locate.ts'
import { generate } from '../plugins/openapi/generate.ts'
import type { GeneratedTool } from '../plugins/openapi/generated.ts'
import type { Skipped } from '../plugins/openapi/operation.ts'
import { OpenApiDocument } from './oracle/document.ts'
import { readOperations, type WireDocument, type WireOperation } from './oracle/operations.ts'
import { compare, type Differences } from './oracle/request.ts'
import type { Values } from './oracle/values.ts'
import { placed, valuesOf, type WirePlace } from './places.ts'
import { samplings, Unsampled, type Charset, type Sampling } from './sample-texts.ts'
import { sampleArguments } from './sampler.ts'
import type { Called, Service } from './service.ts'

/** A tool under test: what was generated, what is called, and what the document says of it. */
export interface SubjectTool {
  readonly generated: GeneratedTool
  readonly tool: Tool
  readonly operation: WireOperation
  readonly places: ReadonlyMap<string, WirePlace>
  /** What does not follow the rules for names of arguments. */
  readonly placeProblems: readonly string[]
}

export interface Generated {
  readonly tools: readonly GeneratedTool[]
  readonly skipped: readonly Skipped[]
  readonly warnings: readonly string[]
}

/** One call with arguments that were made from the input schema. */
export interface Sample {
  readonly of: SubjectTool
  readonly sampling: Sampling
  readonly args: Readonly<Record<string, unknown>>
  readonly values: Values
  readonly called: Called
  /** Undefined where not exactly one request came. */
  readonly differences: Differences | undefined
}

/** What is judged: how tools are made of a document, and what they do when they are called. */
export interface Maker {
  readonly generate: (document: unknown, options?: { outputSchemas?: boolean }) => Generated
  readonly define: typeof toolDefinition
}

/** Ours, with every method, which is more than operators get who ask for nothing. */
export const ours: Maker = {
  generate: (document, options) => generate(document, { methods: ['all'], ...options }),
  define: toolDefinition
}

/** A document, and everything that is made of it, made once for all checks. */
export class Subject {
  readonly name: string
  readonly document: OpenApiDocument
  readonly wire: WireDocument
  readonly generated: Generated
  readonly tools: readonly SubjectTool[]
  /** Why there are no samples of a tool. */
  readonly unsampled = new Set<string>()
  readonly generate: Maker['generate']
  readonly #define: Maker['define']
  readonly #service: Service
  readonly #locate: Locate
  #samples: Promise<readonly Sample[]> | undefined

  constructor (name: string, root: unknown, service: Service, { generate, define } = ours) {
    this.name = name
    this.document = new OpenApiDocument(root)
    this.wire = readOperations(this.document)
    this.generate = generate
    this.#define = define
    this.generated = generate(root)
    this.#service = service
    this.#locate = locator(this.generated.tools)
    const operations = new Map(this.wire.operations.map((operation) => [operation.key, operation]))
    this.tools = this.generated.tools.flatMap((generated) => {
      const operation = operations.get(generated.operation.key)
      if (operation === undefined) return []
      const { places, problems } = placed(this.document, operation, generated)
      return [{ generated, tool: this.compile(generated), operation, places, placeProblems: problems }]
    })
  }

  /** A generated tool as it is called: its patterns are compiled for the first call, as the plugin does it. */
  compile (generated: GeneratedTool): Tool {
    return compileTool(this.#define(generated, { locate: this.#locate }), 'when called')
  }

  /** The first tool that passes, those with the fewest arguments before others. */
  first (passes: (tool: SubjectTool) => boolean): SubjectTool | undefined {
    return this.tools.filter(passes).toSorted((left, right) => left.places.size - right.places.size)[0]
  }

  /** Arguments for a tool, undefined where there are none. */
  argumentsFor (of: SubjectTool, sampling: Sampling = 'required'): Record<string, unknown> | undefined {
    try {
      return sampleArguments(of.generated.inputSchema, sampling, (name) => charsetOf(of.places.get(name)))
    } catch (error) {
      if (!(error instanceof Unsampled)) throw error
      this.unsampled.add(`${of.generated.name}, ${sampling}: ${error.message}`)
      return undefined
    }
  }

  /** Calls a tool and compares the request with the one that the document asks for. */
  async sample (of: SubjectTool, sampling: Sampling, args: Readonly<Record<string, unknown>>): Promise<Sample> {
    const values = valuesOf(this.document, of.operation, of.places, args)
    const called = await this.#service.call(of.tool, args)
    const [request] = called.requests
    const differences = request === undefined || called.requests.length !== 1 ? undefined : compare(this.document, of.operation, values, request)
    return { of, sampling, args, values, called, differences }
  }

  /** Calls of every tool with arguments of every kind. */
  async samples (): Promise<readonly Sample[]> {
    this.#samples ??= this.#sampleAll()
    return await this.#samples
  }

  async #sampleAll (): Promise<Sample[]> {
    const samples: Sample[] = []
    this.#service.recorder.play(() => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' }))
    for (const of of this.tools) {
      const seen = new Set<string>()
      for (const sampling of samplings) {
        const args = this.argumentsFor(of, sampling)
        // Tools with few arguments give the same ones again.
        const text = JSON.stringify(args)
        if (args === undefined || seen.has(text)) continue
        seen.add(text)
        samples.push(await this.sample(of, sampling, args))
      }
    }
    return samples
  }
}

function charsetOf (place: WirePlace | undefined): Charset {
  if (place?.kind !== 'parameter') return 'any'
  return place.parameter.in === 'query' ? 'any' : place.parameter.in
}

/** Whether a tool reads. */
export function reads ({ operation }: SubjectTool): boolean {
  return operation.method === 'GET'
}

export function hasJsonBody ({ generated }: SubjectTool): boolean {
  return generated.bodyType !== undefined && /json/.test(generated.bodyType)
}
