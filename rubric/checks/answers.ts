import { Findings, type Outcome } from '../outcome.ts'
import { isNode } from '../oracle/document.ts'
import type { WireParameter } from '../oracle/operations.ts'
import { jsonAnswer, type PlayedAnswer } from '../recorder.ts'
import { Unsampled } from '../sample-texts.ts'
import { valueOf } from '../sampler.ts'
import type { Service } from '../service.ts'
import { reads, type Subject, type SubjectTool } from '../subject.ts'

/** Characters that a client takes: 25,000 tokens of about four. */
const maxResultLength = 100_000

interface Fixture {
  readonly title: string
  readonly answer: (service: Service) => PlayedAnswer
  /** What the result must say, and what it must not. */
  readonly says?: readonly RegExp[]
  readonly never?: RegExp
  readonly isError?: boolean
}

const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')

/** What bytes become that are taken for text. */
// oxlint-disable-next-line no-control-regex
const noText = /\ufffd|\u0000/

/** A list of ten million bytes, in JSON. */
const large = (() => {
  const row = { id: 123_456, name: 'x'.repeat(180), note: 'y'.repeat(200) }
  return JSON.stringify(Array.from({ length: 26_000 }, () => row)).slice(0, 10_000_000).replace(/,\{[^{}]*$/, ']')
})()

const fixtures: readonly Fixture[] = [
  { title: '204', answer: () => ({ status: 204 }), says: [/204|done|ok|no content/i] },
  { title: '200 without a body', answer: () => ({ status: 200 }) },
  { title: '202 with a Location', answer: ({ recorder }) => jsonAnswer({ task: 'abc' }, 202, { location: `${recorder.url}/api/tasks/77/` }), says: [/accepted/i], never: /127\.0\.0\.1/ },
  { title: '202 without a body', answer: ({ recorder }) => ({ status: 202, headers: { location: `${recorder.url}/api/tasks/78/` } }), says: [/accepted/i], never: /127\.0\.0\.1/ },
  { title: 'a picture', answer: () => ({ status: 200, headers: { 'content-type': 'image/png' }, body: png }), says: [/image\/png/], never: noText },
  { title: 'bytes', answer: () => ({ status: 200, headers: { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="a.bin"' }, body: png }), says: [/octet-stream/], never: noText },
  { title: 'bytes without a type', answer: () => ({ status: 200, body: png }), never: noText },
  { title: 'a page', answer: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html><form action="/login/">Sign in</form></html>' }), never: /<form|<html/ },
  { title: 'a page that calls itself JSON', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '<html><form>Sign in</form></html>' }), never: /<form|<html/ },
  { title: 'JSON that breaks off', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"a": [1, 2' }), isError: true },
  { title: 'text', answer: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'just text' }), says: [/just text/] },
  { title: 'CSV', answer: () => ({ status: 200, headers: { 'content-type': 'text/csv' }, body: 'id,name\n1,One\n' }), says: [/1,One/] },
  { title: 'a number', answer: () => jsonAnswer(5), says: [/\b5\b/] },
  { title: 'null', answer: () => jsonAnswer(null), says: [/null|nothing/i] },
  { title: 'an empty list', answer: () => jsonAnswer([]), says: [/\[\]|0|none|empty/i] },
  { title: 'a list', answer: () => jsonAnswer([{ id: 1 }, { id: 2 }]), says: [/"id": ?2/] },
  { title: 'large integers', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"id": 9007199254740993, "price": "3.10", "big": 123456789012345678901234567890, "e": 1.10}' }), says: [/9007199254740993/, /"3\.10"/, /123456789012345678901234567890/] },
  { title: '10 MB', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: large }), says: [/\d+ of (the )?24,?\d+/] },
  { title: 'a text of 1 MB', answer: () => jsonAnswer({ id: 1, text: 'z'.repeat(1_000_000) }), says: [/cut|left out|truncated|characters|more/i] },
  { title: 'an object with 20,000 keys', answer: () => jsonAnswer(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key-${index}`, index]))), says: [/left out|truncated|of|more/i] },
  { title: 'hidden characters and markup in texts', answer: () => jsonAnswer({ name: 'a\u202eb\u200b\u{e0041}', note: '<b>bold</b>' }), never: /[\u202e\u200b]|\u{e0041}/u },
  { title: 'names that JavaScript has', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"__proto__": {"a": 1}, "constructor": 2}' }), says: [/constructor/] },
  { title: 'vendor JSON', answer: () => ({ status: 200, headers: { 'content-type': 'application/vnd.acme.v1+json; charset=utf-8' }, body: '{"ok": "yes"}' }), says: [/yes/] },
  { title: 'JSON after a byte order mark', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '\ufeff{"ok": "yes"}' }), says: [/yes/] },
  { title: 'deep JSON', answer: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: `${'['.repeat(3000)}${']'.repeat(3000)}` }) }
]

async function play (subject: Subject, service: Service, of: SubjectTool, { title, answer, says = [], never, isError }: Fixture): Promise<string[]> {
  const args = subject.argumentsFor(of)
  if (args === undefined) return []
  const played = answer(service)
  service.recorder.play(() => played)
  const { error, text, requests } = await service.call(of.tool, args)
  const wrong = (problem: string): string => `${of.generated.name}, ${title}: ${problem}: ${text.slice(0, 200)}`
  const isPage = /page|breaks off/.test(title)
  return [
    ...requests.length === 1 ? [] : [wrong(`${requests.length} requests`)],
    ...error === undefined || isError === true || isPage || title === 'deep JSON' ? [] : [wrong('it is an error')],
    ...isError === true && error === undefined ? [wrong('it is no error')] : [],
    ...error?.kind === 'internal' ? [wrong('the server failed')] : [],
    ...text.length > maxResultLength ? [wrong(`it has ${text.length} characters`)] : [],
    ...says.filter((words) => !words.test(text)).map((words) => wrong(`it does not say ${String(words)}`)),
    ...never?.test(text) === true ? [wrong('it has what it must not have')] : []
  ]
}

/** A variable of a path that an address shows as it is: no list and no object. */
function isPlain ({ in: place, style, schema }: WireParameter): boolean {
  return place !== 'path' || (style === 'simple' && (!isNode(schema) || !['array', 'object'].includes(String(schema.type))))
}

/** A job that was accepted: who reads what its Location names, and with which arguments. */
async function accepted (subject: Subject, service: Service): Promise<string[]> {
  const reader = subject.first((tool) => reads(tool) && /\{[^{}]*\}\/?$/.test(tool.operation.path) && tool.operation.parameters.every(isPlain))
  const starter = subject.first((tool) => !reads(tool)) ?? subject.first(reads)
  const args = reader === undefined ? undefined : subject.argumentsFor(reader)
  const starting = starter === undefined ? undefined : subject.argumentsFor(starter)
  if (reader === undefined || starter === undefined || args === undefined || starting === undefined) return []
  service.recorder.play(() => jsonAnswer({}))
  const target = (await service.call(reader.tool, args)).requests[0]?.target
  if (target === undefined) return []
  service.recorder.play(() => jsonAnswer({ state: 'queued' }, 202, { location: `${service.recorder.url}${target}` }))
  const { text } = await service.call(starter.tool, starting)
  service.recorder.play(() => jsonAnswer({ state: 'done' }))
  const [, told = ''] = new RegExp(`${reader.generated.name}\\b[^{]*(\\{[^}]*\\})`).exec(text) ?? []
  try {
    const { requests } = await service.call(reader.tool, JSON.parse(told))
    return requests[0]?.target === target ? [] : [`what ${starter.generated.name} has started is looked for at ${requests[0]?.target ?? 'nothing'}, not at ${target}`]
  } catch {
    return [`${starter.generated.name} does not say that ${reader.generated.name} reads ${target}: ${text.slice(0, 300)}`]
  }
}

/** 29: whatever comes is told so that a model can use it, and is never too long. */
export async function answers (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  for (const fixture of fixtures) {
    for (const of of new Set([subject.first(reads), subject.first((tool) => !reads(tool))])) {
      if (of === undefined) continue
      findings.look()
      findings.problem(...await play(subject, service, of, fixture))
    }
  }
  findings.look()
  findings.problem(...await accepted(subject, service))
  return findings.outcome('answers')
}

/** Pseudo-random numbers that are the same each time (a linear congruential generator). */
function * numbers (seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    yield state / 2 ** 32
  }
}

/** An answer that its document did not announce: values gone, null, of another kind, or not known. */
function mutated (value: unknown, random: Generator<number, never>): unknown {
  const chance = random.next().value
  if (chance < 0.15) return null
  if (chance < 0.2) return [{ other: true }, 5, 'text', [], {}][Math.floor(random.next().value * 5)]
  if (Array.isArray(value)) return value.map((entry) => mutated(entry, random))
  if (!isNode(value)) return value
  const kept = Object.entries(value).filter(() => random.next().value > 0.1).map(([key, entry]) => [key, mutated(entry, random)] as const)
  return { ...Object.fromEntries(kept), ...random.next().value < 0.5 ? { an_extra_key: { deep: [1, null] } } : {} }
}

const mutations = 500

function answerFor (subject: Subject, { operation }: SubjectTool): unknown {
  try {
    return valueOf(operation.answers[0] ?? {}, { root: subject.document.root, sampling: 'all', charset: 'any', depth: 1 })
  } catch (error) {
    if (error instanceof Unsampled) return {}
    throw error
  }
}

/** Scopes that are asked for and whether nothing is, by the document. */
function securityProblems ({ document }: Subject, { generated, operation }: SubjectTool): string[] {
  const { name, scopes, operation: { security } } = generated
  const wanted = operation.method === 'GET' ? 'read' : 'write'
  const problems = scopes.includes(wanted) ? [] : [`${name} does not need the scope ${wanted}`]
  if (operation.security === undefined) return problems
  const isAnonymous = operation.security.length === 0 || operation.security.some((alternative) => Object.keys(alternative).length === 0)
  if (security.anonymous !== isAnonymous) problems.push(`${name} ${isAnonymous ? 'may' : 'may not'} be called by anybody, which is not told`)
  const schemes = document.version === 2 ? document.node(document.root.securityDefinitions) : document.node(document.node(document.root.components).securitySchemes)
  const alternatives = operation.security.map((alternative) => Object.entries(alternative).flatMap(([scheme, names]): unknown[] => (
    ['oauth2', 'openIdConnect'].includes(String(document.node(schemes[scheme]).type)) && Array.isArray(names) ? names : []
  )))
  // Where each way asks for some, those of one way are needed; where one way asks for none, none are.
  const needed = alternatives.length > 0 && alternatives.every((names) => names.length > 0)
  if (needed && !alternatives.some((names) => names.every((scope) => scopes.some((own) => own === scope)))) problems.push(`${name} needs none of the scopes ${JSON.stringify(alternatives)}`)
  const known = new Set([wanted, ...alternatives.flat()])
  for (const scope of scopes) if (!known.has(scope)) problems.push(`${name} needs the scope ${scope}, which the document does not name`)
  return problems
}

/** 30: no answer is lost because it is not as the document says; who may call is as the document says. */
export async function outputs (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  const made = new Map(subject.generate(subject.document.root, { outputSchemas: true }).tools.map((generated) => [generated.operation.key, generated]))
  const told = subject.tools.flatMap((of) => {
    const generated = made.get(of.operation.key)
    return generated?.outputSchema === undefined ? [] : [{ ...of, generated, tool: subject.compile(generated) }]
  })
  const random = numbers(1)
  for (let index = 0; index < (told.length === 0 ? 0 : Math.max(mutations, told.length)); index += 1) {
    const of = told[index % told.length]
    const args = of === undefined ? undefined : subject.argumentsFor(of)
    if (of === undefined || args === undefined) continue
    const body = index < told.length ? answerFor(subject, of) : mutated(answerFor(subject, of), random)
    service.recorder.play(() => jsonAnswer(body))
    const { error, text } = await service.call(of.tool, args)
    findings.expect(error === undefined, `${of.generated.name}: ${text.slice(0, 200)} for ${JSON.stringify(body).slice(0, 300)}`)
  }
  for (const of of subject.tools) {
    findings.look()
    findings.problem(...securityProblems(subject, of))
  }
  return findings.outcome('answers and requirements')
}
