import type { Subject } from '../subject.ts'
import { Findings, type Outcome } from '../outcome.ts'
import { isNode, type Node } from '../oracle/document.ts'

/** 1: names that every client and every model takes: some want a letter first. */
export function legalNames ({ generated }: Subject): Outcome {
  const findings = new Findings()
  for (const { name } of generated.tools) findings.expect(/^[a-zA-Z_][a-zA-Z0-9_-]{0,47}$/.test(name), `${JSON.stringify(name)} is not a name of at most 48 letters, digits, _ and -`)
  return findings.outcome('names')
}

/** 2 */
export function uniqueNames ({ generated }: Subject): Outcome {
  const findings = new Findings()
  const seen = new Map<string, string>()
  for (const { name, operation } of generated.tools) {
    const other = seen.get(name.toLowerCase())
    findings.expect(other === undefined, `${name} is the name of ${operation.key} and of ${other ?? ''}`)
    seen.set(name.toLowerCase(), operation.key)
  }
  return findings.outcome('names')
}

function namesByKey ({ generate }: Subject, document: unknown): Map<string, string> {
  return new Map(generate(document).tools.map(({ name, operation }) => [operation.key, name]))
}

function withPaths (root: Node, change: (paths: Array<[string, unknown]>) => Array<[string, unknown]>): Node {
  return { ...root, paths: Object.fromEntries(change(isNode(root.paths) ? Object.entries(root.paths) : [])) }
}

function added (operationId: string): Node {
  return { get: { operationId, summary: 'Added by the rubric', responses: { 200: { description: '' } } } }
}

/** 3: the same document gives the same tools, and names do not depend on the order or on other operations. */
export function stableNames (subject: Subject): Outcome {
  const findings = new Findings()
  const { root } = subject.document
  findings.expect(JSON.stringify(subject.generate(root)) === JSON.stringify(subject.generated), 'two runs give different tools')

  const changes: Array<[string, Node]> = [
    ['paths in another order', withPaths(root, (paths) => paths.toReversed())],
    ['more paths', withPaths(root, (paths) => [['/added/first/', added('aaaAddedFirst')], ...paths, ['/added/last/', added('zzzAddedLast')]])]
  ]
  for (const [change, changed] of changes) {
    const names = namesByKey(subject, changed)
    for (const { name, operation } of subject.generated.tools) {
      const now = names.get(operation.key)
      findings.expect(now === name, `with ${change}, ${operation.key} is called ${now ?? 'nothing'}, not ${name}`)
    }
  }
  return findings.outcome('comparisons')
}

const html = /<\/?(?:a|b|br|code|div|em|h[1-6]|hr|i|img|li|ol|p|pre|script|span|strong|style|table|td|th|tr|u|ul|IMPORTANT|system)\b[^<>]*>|<!--/i
/** What no person sees, and models read: control, format and tag characters. */
// oxlint-disable-next-line no-control-regex
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/u

/** 14: descriptions that a model can choose by. */
export function descriptions ({ generated }: Subject): Outcome {
  const findings = new Findings()
  const seen = new Map<string, string>()
  for (const { name, description, inputSchema } of generated.tools) {
    const other = seen.get(description)
    seen.set(description, name)
    findings.expect(description.length >= 3 && description.length <= 1024, `the description of ${name} has ${description.length} characters`)
    findings.expect(!html.test(description), `the description of ${name} has HTML in it: ${description.slice(0, 200)}`)
    findings.expect(!/^(GET|POST|PUT|PATCH|DELETE) \//i.test(description), `the description of ${name} is only its request: ${description.slice(0, 100)}`)
    findings.expect(other === undefined, `${name} and ${other ?? ''} have the same description: ${description.slice(0, 100)}`)
    findings.expect(!invisible.test(description + JSON.stringify(inputSchema)), `${name} has characters that nobody sees`)
  }
  return findings.outcome('descriptions')
}
