import { Findings, type Outcome } from '../outcome.ts'
import { typesOf, merged } from '../oracle/schema.ts'
import { jsonAnswer } from '../recorder.ts'
import type { Service } from '../service.ts'
import type { Subject, SubjectTool } from '../subject.ts'

/** Values that climb, end the path, begin a query, split a segment or a header, or are nothing. */
const corpus = [
  '', '.', '..', '../', '../..', '/', 'a/b', 'a/../b', '..\\', 'a\\b', '%2e', '%2e%2e', '%2E%2E', '%2f', 'a%2fb', 'a%5cb', '%252e%252e', '%', '%00', '\u0000', '?', '?x=1', 'a?x=1', '#', 'a#b',
  '\r\n', 'a\r\nX-Evil: 1', '\t', '\u007f', ' ', ';', '..;', 'a;b=c', ',', '&', '\u2025', '\uff0e\uff0e', '\u2215', '\uff0f', '//', '@evil.example', ':80', 'http://evil.example/', '\ud800'
]

/** Segments of a path as WSGI hands them to Django: decoded first, and then split. */
function segmentsSeen (target: string): string[] {
  const path = target.split('?')[0] ?? ''
  let decoded = path
  try {
    decoded = decodeURIComponent(path)
  } catch {
    decoded = Buffer.from(path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16))), 'latin1').toString('utf8')
  }
  return decoded.split('/')
}

/** Whether a request still means the route of its template, with what stands outside of braces unchanged. */
function isSameRoute (template: string, target: string): boolean {
  const wanted = template.split('/')
  const seen = segmentsSeen(target)
  return seen.length === wanted.length && wanted.every((segment, index) => {
    const now = seen[index] ?? ''
    if (!segment.includes('{')) return now === segment || now === decodeURI(segment)
    return now !== '' && now !== '.' && now !== '..'
  })
}

/** Arguments that stand in the path and can be any text. */
function textVariables ({ document }: Subject, { places }: SubjectTool): string[] {
  return [...places].filter(([, place]) => place.kind === 'parameter' && place.parameter.in === 'path' && typesOf(merged(document, place.parameter.schema)).every((type) => type === 'string')).map(([argument]) => argument)
}

/** Literal segments that other operations of the same method have in the place of this variable. */
function literals ({ wire }: Subject, { operation }: SubjectTool, variable: string): string[] {
  const own = operation.path.split('/')
  return wire.operations.filter((other) => other.method === operation.method && other.path !== operation.path).flatMap((other) => {
    const segments = other.path.split('/')
    if (segments.length !== own.length) return []
    const literal = segments[own.indexOf(`{${variable}}`)]
    const isAlike = own.every((segment, index) => segment === segments[index] || segment.startsWith('{'))
    return isAlike && literal !== undefined && !literal.includes('{') ? [literal] : []
  })
}

function queryOf (target: string): string {
  return target.split('?').slice(1).join('?')
}

/** 25: no value makes a request mean another route; where a value is another route, that is told or refused. */
export async function traversal (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  const warnings = subject.generated.warnings.join('\n')
  service.recorder.play(() => jsonAnswer({}))
  for (const of of subject.tools) {
    const args = subject.argumentsFor(of)
    if (args === undefined) continue
    const usual = (await service.call(of.tool, args)).requests.map(({ target }) => queryOf(target))[0]
    for (const argument of textVariables(subject, of)) {
      const place = of.places.get(argument)
      const variable = place?.kind === 'parameter' ? place.parameter.name : argument
      for (const value of corpus) {
        const { requests, error, text } = await service.call(of.tool, { ...args, [argument]: value })
        const [request] = requests
        const held = request === undefined
          ? error?.kind === 'invalid_input' && text.includes(argument)
          : requests.length === 1 && isSameRoute(of.operation.path, request.target) && request.headers['x-evil'] === undefined && queryOf(request.target) === usual
        findings.expect(held, `${of.generated.name} with ${argument} = ${JSON.stringify(value)}: ${request?.target ?? text.slice(0, 200)}`)
      }
      for (const literal of literals(subject, of, variable)) {
        const { requests } = await service.call(of.tool, { ...args, [argument]: literal })
        const isReported = warnings.includes(of.operation.path) || warnings.includes(of.operation.key)
        findings.expect(requests.length === 0 || isReported, `${of.generated.name} with ${argument} = ${JSON.stringify(literal)} is another operation, which nothing says`)
      }
    }
  }
  return findings.outcome('values')
}
