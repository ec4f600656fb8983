import { Ajv2020 } from 'ajv/dist/2020.js'
import { Findings, type Outcome } from '../outcome.ts'
import { isNode, textOf, type Node } from '../oracle/document.ts'
import { bodyTypes, hasFile, isJsonType, isStructured } from '../oracle/media-types.ts'
import type { WirePlace } from '../places.ts'
import { jsonAnswer } from '../recorder.ts'
import type { Service } from '../service.ts'
import type { Sample, Subject } from '../subject.ts'

function told ({ of, sampling, args }: Sample, problem: string): string {
  return `${of.generated.name}, ${sampling}: ${problem}; called with ${JSON.stringify(args).slice(0, 400)}`
}

/** 7: what the path needs is required, and nothing is taken that is not known. */
export async function pathArguments (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  for (const of of subject.tools) {
    const { generated: { name, inputSchema, fixed }, operation, places, tool } = of
    for (const [, variable = ''] of operation.path.matchAll(/\{([^{}]*)\}/g)) {
      const [argument] = [...places].find(([, place]) => place.kind === 'parameter' && place.parameter.in === 'path' && place.parameter.name === variable) ?? []
      const isFixed = fixed.some(({ place }) => place.kind === 'parameter' && place.parameter.in === 'path' && place.parameter.name === variable)
      findings.expect(isFixed || (argument !== undefined && (inputSchema.required ?? []).includes(argument)), `${name} does not require {${variable}} of its path`)
    }
    findings.expect(tool.listing.inputSchema.additionalProperties === false, `${name} is listed as if it took any argument`)
    const { requests, error, text } = await service.call(tool, { ...subject.argumentsFor(of), unknown_argument_: 1 })
    findings.expect(error?.kind === 'invalid_input' && requests.length === 0 && text.includes('unknown_argument_'), `${name} takes an argument that it does not know: ${text.slice(0, 200)}`)
  }
  return findings.outcome('path variables and unknown arguments')
}

/** 18: arguments that a model makes from the schema are taken, and are one request. */
export async function oneRequest (subject: Subject): Promise<Outcome> {
  const findings = new Findings()
  const ajv = new Ajv2020({ strict: false, validateFormats: false, addUsedSchema: false })
  const samples = await subject.samples()
  const invalid: string[] = [...subject.unsampled]
  const validators = new Map(subject.tools.map(({ generated }) => [generated, ajv.compile(generated.inputSchema)]))
  for (const sample of samples) {
    const { of: { generated }, args, called: { requests, error, text } } = sample
    if (validators.get(generated)?.(args) !== true) invalid.push(told(sample, `the schema refuses its own sample: ${ajv.errorsText(validators.get(generated)?.errors)}`))
    else findings.expect(requests.length === 1 && error === undefined, told(sample, `${requests.length} requests, and ${text.slice(0, 300)}`))
  }
  if (invalid.length * 100 > samples.length + subject.unsampled.size) findings.problem(...invalid)
  return findings.outcome('calls')
}

function isComposite (value: unknown): boolean {
  return typeof value === 'boolean' || Array.isArray(value) || isNode(value)
}

function hasComposite ({ values }: Sample): boolean {
  return [...values.parameters.values()].some(isComposite)
}

async function compared (subject: Subject, unit: string, concerns: (sample: Sample) => boolean, problemsOf: (sample: Sample) => readonly string[]): Promise<Outcome> {
  const findings = new Findings()
  for (const sample of await subject.samples()) {
    if (sample.differences === undefined || !concerns(sample)) continue
    const problems = problemsOf(sample)
    findings.expect(problems.length === 0, told(sample, problems.join('; ')))
  }
  return findings.outcome(unit)
}

/** 19 */
export async function heads (subject: Subject): Promise<Outcome> {
  return await compared(subject, 'requests', () => true, ({ differences }) => [...differences?.head ?? [], ...differences?.headers ?? []])
}

/** 20: lists, objects and booleans outside of the body. */
export async function styles (subject: Subject): Promise<Outcome> {
  return await compared(subject, 'requests', hasComposite, ({ differences }) => [...differences?.head ?? [], ...differences?.headers ?? []])
}

function isSentAsJson ({ called: { requests: [request] } }: Sample): boolean {
  const type = textOf(request?.headers['content-type'])
  return type === '' || isJsonType(type)
}

/** 21 */
export async function jsonBodies (subject: Subject): Promise<Outcome> {
  return await compared(subject, 'bodies', isSentAsJson, ({ differences }) => differences?.body ?? [])
}

/** 22: JSON before forms, forms only for files and where there is nothing else. What is neither comes from the caller as it is. */
export async function mediaTypes (subject: Subject): Promise<Outcome> {
  const findings = new Findings()
  for (const { generated: { name, bindings }, operation } of subject.tools) {
    const types = operation.method === 'GET' ? [] : bodyTypes(operation, false)
    if (types.length === 0 || types.some(isStructured)) continue
    findings.expect(bindings.every(({ place }) => place.kind !== 'property'), `${name} takes a body of ${types.join(', ')} apart, which nobody can put together`)
  }
  for (const sample of await subject.samples()) {
    const { of: { operation }, values, differences } = sample
    const types = [...operation.bodies.keys()]
    if (differences === undefined || operation.bodies.size === 0 || (types.every(isJsonType) && !hasFile(values))) continue
    findings.expect(differences.body.length === 0, told(sample, differences.body.join('; ')))
  }
  return findings.outcome('bodies')
}

function normal (type: string): string {
  return type.replaceAll(/\s+/g, '').toLowerCase()
}

/** The quality that an Accept field gives a media type, undefined where it does not name it (RFC 9110 §12.5.1). */
function qualityOf (accept: string, type: string): number | undefined {
  for (const part of accept.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
    const [range = '', quality] = part.split(/;\s*q=/i)
    if (normal(range) === normal(type)) return quality === undefined ? 1 : Number(quality)
  }
  return undefined
}

/** 23: a server that has only the documented types answers with one. */
export async function accepted (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  for (const of of subject.tools) {
    const { generated: { name }, operation: { answerTypes }, tool } = of
    const args = subject.argumentsFor(of)
    if (args === undefined || answerTypes.length === 0) continue
    const json = answerTypes.filter(isJsonType)
    for (const type of answerTypes) {
      // A browser's page is not wanted where there is JSON.
      const isWanted = json.length === 0 || isJsonType(type)
      service.recorder.play(({ headers }) => {
        const quality = qualityOf(textOf(headers.accept), type)
        if (quality === undefined && isWanted) return jsonAnswer({ detail: 'Could not satisfy the request Accept header.' }, 406)
        return { status: 200, headers: { 'content-type': type }, body: isJsonType(type) ? '{}' : 'text' }
      })
      const { requests: [request], error, text } = await service.call(tool, args)
      const accept = textOf(request?.headers.accept)
      findings.expect(error === undefined && qualityOf(accept, '*/*') !== 0, `${name}: a server with only ${type} says ${text.slice(0, 100)} to ${accept}`)
      if (!isWanted) findings.expect(json.every((wanted) => (qualityOf(accept, wanted) ?? 0) > (qualityOf(accept, type) ?? 0)), `${name} wants ${type} as much as JSON: ${accept}`)
    }
  }
  return findings.outcome('answers')
}

/** Arguments that are all different, where they may be, so that none can be taken for another. */
function distinct (schema: Node, args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const constraints = ['enum', 'const', 'pattern', 'format', 'minimum', 'maximum', 'maxLength', 'multipleOf', 'exclusiveMaximum', 'exclusiveMinimum', 'anyOf', '$ref']
  return Object.fromEntries(Object.entries(args).map(([name, value], index) => {
    const property = isNode(schema.properties) ? schema.properties[name] : undefined
    if (!isNode(property) || constraints.some((keyword) => keyword in property)) return [name, value]
    if (typeof value === 'string') return [name, `value-${index}`]
    return [name, typeof value === 'number' ? 1000 + index : value]
  }))
}

function isRenamed (argument: string, place: WirePlace): boolean {
  return (place.kind === 'parameter' && place.parameter.name !== argument) || (place.kind === 'property' && place.name !== argument)
}

/** 24: arguments whose names are alike, or are not the names in the request, reach each its own place. */
export async function collisions (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  service.recorder.play(() => jsonAnswer({}))
  for (const of of subject.tools) {
    if (![...of.places].some(([argument, place]) => isRenamed(argument, place))) continue
    const all = subject.argumentsFor(of, 'all')
    if (all === undefined) continue
    const sample = await subject.sample(of, 'all', distinct(of.generated.inputSchema, all))
    const { differences } = sample
    const problems = differences === undefined ? [sample.called.text] : [...differences.head, ...differences.headers, ...differences.body]
    findings.expect(problems.length === 0, told(sample, problems.join('; ')))
  }
  return findings.outcome('tools')
}
