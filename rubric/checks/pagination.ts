import { Findings, type Outcome } from '../outcome.ts'
import { isNode, type Node } from '../oracle/document.ts'
import { merged } from '../oracle/schema.ts'
import { canonicalQuery } from '../oracle/serialize.ts'
import { jsonAnswer } from '../recorder.ts'
import type { Service } from '../service.ts'
import type { Subject, SubjectTool } from '../subject.ts'

/** Where Django believes to be, which no client can reach. */
const internal = 'http://django-internal:8000'

type Style = 'page' | 'limit-offset' | 'start' | 'cursor'

/** Pages by the query of their address, as the three paginators of Django REST Framework write them. */
const pages: Readonly<Record<Style, { readonly next: Readonly<Record<string, string>>, readonly previous: Readonly<Record<string, string>> | undefined }>> = {
  page: { next: { page: '3', page_size: '1' }, previous: { page_size: '1' } },
  'limit-offset': { next: { limit: '1', offset: '2' }, previous: { limit: '1' } },
  start: { next: { limit: '1', start: '2' }, previous: { limit: '1' } },
  cursor: { next: { cursor: 'cD0yMDI2LTAxLTAxKzAwJTNBMDA=' }, previous: { cursor: 'cj0xJnA9NDg3' } }
}

/** Query parameters that the tool has an argument for. */
function queryNames ({ places }: SubjectTool): ReadonlySet<string> {
  return new Set([...places.values()].flatMap((place) => place.kind === 'parameter' && place.parameter.in === 'query' ? [place.parameter.name] : []))
}

/** How a list is paged by what the document says of its answer and of its parameters. */
function styleOf (subject: Subject, of: SubjectTool): Style | undefined {
  const isPage = of.operation.answers.some((answer) => {
    const { properties } = merged(subject.document, answer)
    return isNode(properties) && 'results' in properties && 'next' in properties
  })
  if (!isPage) return undefined
  const names = queryNames(of)
  // Some call it so.
  if (names.has('start') && names.has('limit')) return 'start'
  return names.has('cursor') ? 'cursor' : names.has('page') ? 'page' : names.has('offset') && names.has('limit') ? 'limit-offset' : undefined
}

/** The arguments that a result gives for another page. */
function pageArguments (text: string, name: 'next_args' | 'previous_args'): Node | undefined {
  const [begin] = new RegExp(`"${name}": ?(?=\\{)`).exec(text) ?? []
  if (begin === undefined) return undefined
  const open = text.indexOf(begin) + begin.length
  for (let end = text.indexOf('}', open); end !== -1; end = text.indexOf('}', end + 1)) {
    try {
      const value: unknown = JSON.parse(text.slice(open, end + 1))
      return isNode(value) ? value : undefined
    } catch {
      // A brace further in.
    }
  }
  return undefined
}

/** A query as a set of pairs that can be compared. */
function pairsOf (query: string): string[] {
  return query.split('&').filter((pair) => pair !== '').map((pair) => canonicalQuery(pair).replaceAll(/%(2C|3A|3D|2F)/g, (escape) => decodeURIComponent(escape))).toSorted()
}

async function follow (subject: Subject, service: Service, of: SubjectTool, style: Style): Promise<string[]> {
  const { generated: { name }, operation, tool } = of
  const args = subject.argumentsFor(of)
  if (args === undefined) return []
  const names = queryNames(of)
  const page = (query: Readonly<Record<string, string>>): string => new URLSearchParams(Object.entries(query).filter(([key]) => names.has(key))).toString()
  const { next, previous } = pages[style]
  const body = (results: unknown): Node => ({
    ...style === 'cursor' ? {} : { count: 1204 },
    next: `${internal}${operation.path}?${page(next)}`,
    previous: previous === undefined ? null : `${internal}${operation.path}?${page(previous)}`,
    results
  })
  service.recorder.play(() => jsonAnswer(body([{ id: 1 }])))
  const first = await service.call(tool, args)
  const problems: string[] = []
  if (/django-internal|:8000/.test(first.text)) problems.push(`${name} shows the internal host`)
  if (style !== 'cursor' && !/1,?204/.test(first.text)) problems.push(`${name} does not say how many there are: ${first.text.slice(0, 200)}`)
  const nextArguments = pageArguments(first.text, 'next_args')
  if (nextArguments === undefined) return [...problems, `${name} gives no next_args: ${first.text.slice(0, 300)}`]
  service.recorder.play(() => jsonAnswer({ ...body([{ id: 2 }]), next: null }))
  const second = await service.call(tool, { ...args, ...nextArguments })
  const [request] = second.requests
  const seen = request?.target.split('?')[1] ?? ''
  const sent = first.requests[0]?.target.split('?')[1] ?? ''
  const wanted = pairsOf(page(next))
  // What was asked for the first time is still asked for.
  const missing = [...wanted, ...pairsOf(sent)].filter((pair) => !pairsOf(seen).includes(pair) && !wanted.some((other) => other.split('=')[0] === pair.split('=')[0] && other !== pair))
  if (request === undefined || missing.length > 0) problems.push(`${name} with ${JSON.stringify(nextArguments)} asks for ${request?.target ?? second.text.slice(0, 200)}, not for ${wanted.join('&')}`)
  if (pageArguments(second.text, 'next_args') !== undefined) problems.push(`${name} gives next_args for the last page`)
  return problems
}

/** 26: pages are followed by arguments, on the host that is configured. */
export async function pagination (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  for (const of of subject.tools) {
    const style = styleOf(subject, of)
    if (style === undefined) continue
    findings.look()
    findings.problem(...await follow(subject, service, of, style))
  }
  // Lists of which the document does not say that they are paged, and things that only look so.
  for (const of of subject.tools.filter(({ operation }) => operation.method === 'GET').slice(0, 20)) {
    const args = subject.argumentsFor(of)
    if (args === undefined) continue
    service.recorder.play(() => jsonAnswer({ count: 2, next: `${internal}/x/?page=2`, previous: null, results: [{ id: 1, url: `${service.recorder.url}/x/1/` }] }))
    const { text } = await service.call(of.tool, args)
    findings.expect(!text.includes('django-internal') && !text.includes(service.recorder.url), `${of.generated.name} shows an internal host: ${text.slice(0, 300)}`)
  }
  return findings.outcome('lists')
}
