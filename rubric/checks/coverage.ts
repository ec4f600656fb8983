import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { isListed } from '../../plugins/openapi/budget.ts'
import { naiveTools } from '../naive.ts'
import { Findings, type Outcome } from '../outcome.ts'
import { isNode, listOf, textOf } from '../oracle/document.ts'
import type { Service } from '../service.ts'
import type { Subject } from '../subject.ts'

/** 13: every operation is a tool, or is listed with the reason why not. */
export function coverage ({ wire, generated }: Subject): Outcome {
  const findings = new Findings()
  const tools = new Set(generated.tools.map(({ operation }) => operation.key))
  const reasons = new Map(generated.skipped.map(({ operation, reason }) => [operation, reason]))
  for (const key of [...wire.operations.map((operation) => operation.key), ...wire.malformed]) {
    const reason = reasons.get(key)
    findings.expect(tools.has(key) !== ((reason ?? '') !== ''), `${key} is ${tools.has(key) ? 'a tool and left out as well' : 'neither a tool nor listed with a reason'}`)
  }
  for (const key of tools) if (!wire.operations.some((operation) => operation.key === key)) findings.problem(`${key} is a tool of an operation that the document does not have`)
  return findings.outcome('operations')
}

export interface Tokens {
  readonly list: number
  /** Of a list that has each operation as the document has it, with every reference written out. */
  readonly naive: number
  /** The same without the forms of the answers. */
  readonly naiveInputs: number
}

export function tokensOf (value: unknown): number {
  return encode(JSON.stringify(value)).length
}

function listed ({ name, description, inputSchema }: Subject['generated']['tools'][number]): object {
  return { name, description, inputSchema }
}

function sum (values: readonly object[]): number {
  return values.reduce<number>((total, value) => total + tokensOf(value), 0)
}

/** What the tools of a document cost a model. */
export function tokens ({ document, wire, generated }: Subject): Tokens {
  const naive = naiveTools(document, wire)
  return {
    list: sum(generated.tools.map(listed)),
    naive: sum(naive),
    naiveInputs: sum(naive.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })))
  }
}

const maxToolBytes = 8192
const tokensPerOperation = 150
/** Tokens that nobody needs to save, for documents of a few operations. */
const littleTokens = 1000

/** 15: tools are small, and the list is cheap; otherwise they are not listed, but searched. */
export function cost (subject: Subject): Outcome {
  const findings = new Findings()
  const { tools } = subject.generated
  const areListed = isListed(tools)
  for (const tool of tools) {
    const bytes = Buffer.byteLength(JSON.stringify(listed(tool)))
    findings.expect(bytes <= maxToolBytes || !areListed, `${tool.name} has ${bytes} bytes`)
  }
  const { list, naive } = tokens(subject)
  const cheap = list <= littleTokens || list <= 0.6 * naive || list <= tokensPerOperation * tools.length
  findings.expect(cheap || !areListed, `the list has ${list} tokens, ${Math.round(100 * list / naive)} % of the naive list and ${Math.round(list / tools.length)} for each tool`)
  const { checked, problems } = findings.outcome('tools')
  return { checked: tools.length === 0 ? checked : `${tools.length} tools, ${list} tokens of ${naive}`, problems }
}

function wrong (name: string, is: boolean, wanted: boolean): string[] {
  return is === wanted ? [] : [`${name} is ${String(is)}`]
}

/** What the method says of an operation (RFC 9110 §9.2); what deletes by POST is known by its words. */
function annotationProblems (method: string, { readOnlyHint, destructiveHint, idempotentHint, openWorldHint }: Subject['generated']['tools'][number]['annotations'], words: string): string[] {
  const deletes = /delete|purge|revoke|merge|bulk|destroy|remove/i.test(words)
  return [
    ...wrong('readOnlyHint', readOnlyHint ?? false, method === 'GET'),
    ...method === 'GET' ? [] : wrong('idempotentHint', idempotentHint ?? false, method === 'PUT' || method === 'DELETE'),
    // Where it is left out it counts as true (ToolAnnotations).
    ...method === 'GET' || (method === 'POST' && deletes) ? [] : wrong('destructiveHint', destructiveHint ?? true, method !== 'POST'),
    ...openWorldHint === false ? [] : [`openWorldHint is ${String(openWorldHint)}`]
  ]
}

/** 16 */
export function annotations ({ tools }: Subject): Outcome {
  const findings = new Findings()
  for (const { generated: { name, annotations, confirm, operation: { operationId, path } }, operation: { method } } of tools) {
    const problems = annotationProblems(method, annotations, `${name} ${operationId ?? ''} ${path}`)
    findings.expect(problems.length === 0, `${name}, a ${method}: ${problems.join(', ')}`)
    if (method === 'DELETE') findings.expect(confirm !== undefined, `${name} deletes without asking`)
  }
  return findings.outcome('tools')
}

/** Hosts that a document says its API is at. */
function hostsOf ({ document: { root } }: Subject): string[] {
  const servers = listOf(root.servers).filter(isNode).map((server) => /^[a-z]+:\/\/([^/?#]+)/i.exec(textOf(server.url))?.[1] ?? '')
  return [...servers, textOf(root.host)].filter((host) => host !== '' && !host.includes('{'))
}

export const ownHosts = ['localhost', '127.0.0.1', '[::1]', 'django-internal'] as const

/** 17: no host in what is listed, nor in what a call gives. */
export async function hosts (subject: Subject, { recorder }: Service): Promise<Outcome> {
  const findings = new Findings()
  const forbidden = [...hostsOf(subject), ...ownHosts, recorder.url.replace('http://', '')]
  const found = (text: string): string[] => forbidden.filter((host) => text.toLowerCase().includes(host.toLowerCase()))
  for (const { generated: { name, title, description, inputSchema, confirm }, tool } of subject.tools) {
    const hosts = found(JSON.stringify([title, description, inputSchema, confirm, tool.listing]))
    findings.expect(hosts.length === 0, `${name} names the host ${hosts.join(', ')}`)
  }
  for (const { of, called } of await subject.samples()) {
    const hosts = found(called.text)
    findings.expect(hosts.length === 0, `a call of ${of.generated.name} names the host ${hosts.join(', ')}`)
  }
  return findings.outcome('tools and results')
}
