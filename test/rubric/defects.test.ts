import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import t from 'tap'
import type { CallContext } from '../../plugins/catalog/definition.ts'
import { toolDefinition } from '../../plugins/openapi/call/definition.ts'
import { requestFor } from '../../plugins/openapi/call/request.ts'
import type { Binding, GeneratedTool } from '../../plugins/openapi/generated.ts'
import { checks } from '../../rubric/checks/index.ts'
import { judge } from '../../rubric/judge.ts'
import { Service } from '../../rubric/service.ts'
import { ours, type Generated, type Maker } from '../../rubric/subject.ts'

/*
 * A check that nothing fails proves nothing. Here each is held against tools with a defect of its own.
 */

type Change = (tool: GeneratedTool, index: number) => GeneratedTool
type Args = Readonly<Record<string, unknown>>

/** Tools like ours, with something changed about each. */
function made (change: Change): Maker {
  return { ...ours, generate: (document, options) => changed(ours.generate(document, options), change) }
}

function changed (generated: Generated, change: Change): Generated {
  return { ...generated, tools: generated.tools.map(change) }
}

/** Tools like ours that do something else when they are called. */
function called (handler: (tool: GeneratedTool, args: Args, context: CallContext) => Promise<string>): Maker {
  return { ...ours, define: (tool) => ({ ...toolDefinition(tool), asks: false, handler: (args, context) => handler(tool, args, context) }) }
}

/** Whatever is answered, as it came. */
async function pasted (tool: GeneratedTool, args: Args, { django }: CallContext): Promise<string> {
  return (await django.send(requestFor(tool, args))).body.toString('utf8')
}

function withSchema (tool: GeneratedTool, change: (schema: GeneratedTool['inputSchema']) => object): GeneratedTool {
  return { ...tool, inputSchema: { ...tool.inputSchema, ...change(tool.inputSchema) } }
}

function withProperty (tool: GeneratedTool, name: string, schema: object): GeneratedTool {
  return withSchema(tool, ({ properties }) => ({ properties: { ...properties, [name]: schema } }))
}

function withParameters (tool: GeneratedTool, parts: object): GeneratedTool {
  return { ...tool, bindings: tool.bindings.map((binding): Binding => binding.place.kind === 'parameter' ? { ...binding, place: { kind: 'parameter', parameter: { ...binding.place.parameter, ...parts } } } : binding) }
}

/** The places of the first two arguments exchanged. */
function exchanged (tool: GeneratedTool): GeneratedTool {
  const [first, second, ...others] = tool.bindings
  if (first === undefined || second === undefined) return tool
  return { ...tool, bindings: [{ argument: first.argument, place: second.place }, { argument: second.argument, place: first.place }, ...others] }
}

let runs = 0

const defects: ReadonlyArray<readonly [check: number, defect: string, document: string, maker: Maker]> = [
  [1, 'a name with a point', 'spectacular', made((tool) => ({ ...tool, name: tool.name.replace('_', '.') }))],
  [2, 'a name in other capitals', 'spectacular', made((tool) => tool.name === 'orders_create' ? { ...tool, name: 'Orders_List' } : tool)],
  [3, 'numbered names', 'spectacular', made((tool, index) => ({ ...tool, name: `tool_${index}` }))],
  [3, 'another result each time', 'spectacular', made((tool) => ({ ...tool, description: `${tool.description} ${runs++}` }))],
  [4, 'a stray keyword', 'spectacular', made((tool) => withProperty(tool, 'x', { type: 'string', labels: {} }))],
  [5, 'a union at the root', 'spectacular', made((tool) => withSchema(tool, () => ({ anyOf: [{}] })))],
  [6, 'a name in brackets', 'spectacular', made((tool) => withProperty(tool, 'a[b]', { type: 'string' }))],
  [6, 'places exchanged', 'spectacular', made(exchanged)],
  [6, 'an argument left out', 'spectacular', made((tool) => ({ ...withSchema(tool, () => ({ properties: {} })), bindings: [] }))],
  [7, 'any argument', 'spectacular', made((tool) => withSchema(tool, () => ({ additionalProperties: true })))],
  [7, 'nothing required', 'spectacular', made((tool) => withSchema(tool, () => ({ required: [] })))],
  [8, 'nullable', 'spectacular', made((tool) => withProperty(tool, 'x', { type: 'string', nullable: true }))],
  [8, 'a type twice', 'spectacular', made((tool) => withProperty(tool, 'x', { type: ['array', 'null', 'null'] }))],
  [9, 'a reference elsewhere', 'spectacular', made((tool) => withProperty(tool, 'x', { $ref: 'https://example.org/x.json' }))],
  [9, 'a file that is read', 'spectacular', { ...ours, generate: (document, options) => changed(ours.generate(document, options), (tool) => ({ ...tool, description: canaryIn(document) ?? tool.description })) }],
  [10, 'a reference to nothing', 'circular', made((tool) => withSchema(tool, () => ({ $defs: {} })))],
  [11, 'what is only read', 'spectacular', made((tool) => tool.operation.method === 'POST' ? { ...withProperty(tool, 'number', { type: 'string' }), bindings: [...tool.bindings, { argument: 'number', place: { kind: 'property', property: 'number' } }] } : tool)],
  [11, 'required, and not there', 'spectacular', made((tool) => withSchema(tool, () => ({ required: ['absent'] })))],
  [12, 'a PATCH that requires a name', 'spectacular', made((tool) => withSchema(tool, ({ required = [] }) => ({ required: [...required, ...tool.operation.method === 'PATCH' ? ['name'] : []] })))],
  [13, 'an operation that is lost', 'spectacular', { ...ours, generate: (document, options) => ({ ...ours.generate(document, options), skipped: [] }) }],
  [14, 'markup', 'spectacular', made((tool) => ({ ...tool, description: `<p>${tool.description}</p>` }))],
  [14, 'one description for all', 'spectacular', made((tool) => ({ ...tool, description: 'Does something.' }))],
  [14, 'characters that nobody sees', 'spectacular', made((tool) => ({ ...tool, description: `${tool.description}\u{e0041}` }))],
  [15, 'long stories', 'pagination', made((tool) => ({ ...tool, description: 'word '.repeat(1000) }))],
  [16, 'everything only reads', 'spectacular', made((tool) => ({ ...tool, annotations: { ...tool.annotations, readOnlyHint: true } }))],
  [16, 'nobody is asked', 'spectacular', made((tool) => ({ ...tool, confirm: undefined }))],
  [17, 'the host of the document', 'spectacular', made((tool) => ({ ...tool, description: `${tool.description} See https://shop.internal.example/api.` }))],
  [18, 'two requests', 'spectacular', called(async (tool, args, context) => await pasted(tool, args, context) + await pasted(tool, args, context))],
  [18, 'a schema that allows nothing', 'spectacular', made((tool) => withSchema(tool, () => ({ minProperties: 50 })))],
  [19, 'slashes corrected', 'routes', made((tool) => ({ ...tool, operation: { ...tool.operation, path: `${tool.operation.path.replace(/\/$/, '')}/` } }))],
  [20, 'lists written the other way', 'spectacular', made((tool) => withParameters(tool, { explode: true }))],
  [20, 'another style', 'styles', made((tool) => withParameters(tool, { style: 'form' }))],
  [21, 'null left out', 'spectacular', called(async (tool, args, context) => await pasted(tool, Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null)), context))],
  [22, 'forms before JSON', 'spectacular', made((tool) => tool.bodyType === 'application/json' ? { ...tool, bodyType: 'multipart/form-data' } : tool)],
  [23, 'plain JSON or nothing', 'spectacular', made((tool) => ({ ...tool, operation: { ...tool.operation, responses: [] } }))],
  [24, 'places exchanged', 'names', made(exchanged)],
  [25, 'values as they come', 'routes', called(async (tool, args, { django }) => {
    const target = tool.operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(args[name]).toWellFormed()))
    return (await django.send({ method: tool.operation.method, route: '', target, headers: {}, body: undefined })).body.toString()
  })],
  [25, 'nothing said of hidden operations', 'routes', { ...ours, generate: (document, options) => ({ ...ours.generate(document, options), warnings: [] }) }],
  [26, 'pages that end', 'pagination', made((tool) => ({ ...tool, pagination: undefined }))],
  [26, 'addresses as they come', 'pagination', called(pasted)],
  [27, 'errors that look like answers', 'spectacular', called(pasted)],
  [28, 'redirects that look like answers', 'spectacular', called(pasted)],
  [29, 'answers as they come', 'spectacular', called(pasted)],
  [30, 'strict output', 'spectacular', made((tool) => ({ ...tool, ...tool.outputSchema === undefined ? {} : { outputSchema: { ...tool.outputSchema, required: ['id'] } } }))],
  [30, 'scopes of nobody', 'spectacular', made((tool) => ({ ...tool, scopes: [] }))]
]

/** What a careless maker would read because a document says so. */
function canaryIn (document: unknown): string | undefined {
  const file = /file:\/\/([^"]+)"/.exec(JSON.stringify(document))?.[1]
  return file === undefined ? undefined : readFileSync(file, 'utf8')
}

function documentCalled (name: string): unknown {
  return load(readFileSync(new URL(`../fixtures/openapi/synthetic/${name}.yaml`, import.meta.url), 'utf8'))
}

t.test('every check fails for a defect of its kind', async (t) => {
  const service = await Service.start()
  t.teardown(() => service.stop())
  for (const [id, defect, document, maker] of defects) {
    const wanted = checks.filter((check) => check.id === id)
    for await (const { outcome: { problems } } of judge(document, documentCalled(document), service, wanted, maker)) {
      t.ok(problems.length > 0, `${id}: ${defect}`)
    }
  }
  t.strictSame(checks.map(({ id }) => id).filter((id) => !defects.some(([check]) => check === id)), [], 'there is a defect for each')
})
