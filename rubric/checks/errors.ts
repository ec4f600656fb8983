import type { ErrorKind } from '../../errors.ts'
import { Findings, type Outcome } from '../outcome.ts'
import { jsonAnswer, type PlayedAnswer } from '../recorder.ts'
import type { Service } from '../service.ts'
import { hasJsonBody, reads, type Subject, type SubjectTool } from '../subject.ts'

const traceback = '<!DOCTYPE html><html><body><h1>IntegrityError at /x/</h1><pre>Traceback (most recent call last): File "/srv/app/views.py", line 5; SECRET_KEY = \'s3cr3t\'; DATABASES = {\'HOST\': \'db.internal\'}</pre></body></html>'

function page (status: number, body: string): PlayedAnswer {
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}

interface Fixture {
  readonly title: string
  /** @param field a field of the request, if it has one */
  readonly answer: (field: string) => PlayedAnswer
  readonly kind: ErrorKind
  /** What the model must read; `field` is told by its argument's name. */
  readonly says?: readonly RegExp[]
  readonly field?: RegExp
}

const problem = 'application/problem+json'

/** What Django REST Framework and its usual companions answer when they refuse. */
const fixtures: readonly Fixture[] = [
  { title: 'a field error', kind: 'invalid_input', answer: (field) => jsonAnswer({ [field]: ['Ensure this is right.'] }, 400), field: /: Ensure this is right\./ },
  { title: 'an error across fields', kind: 'invalid_input', answer: () => jsonAnswer({ non_field_errors: ['The fields a, b must make a unique set.'] }, 400), says: [/The fields a, b must make a unique set\./] },
  { title: 'nested errors by index', kind: 'invalid_input', answer: (field) => jsonAnswer({ [field]: { 1: { name: ['May not be blank.'] } } }, 400), field: /\.1\.name: May not be blank\./ },
  { title: 'nested errors in a list', kind: 'invalid_input', answer: (field) => jsonAnswer({ [field]: [{}, { name: ['May not be blank.'] }] }, 400), field: /\.1\.name: May not be blank\./ },
  { title: 'bulk errors by index', kind: 'invalid_input', answer: (field) => jsonAnswer({ 1: { [field]: ['Not unique.'] } }, 400), says: [/Not unique\./] },
  { title: 'bulk errors in a list', kind: 'invalid_input', answer: (field) => jsonAnswer([{}, { [field]: ['Not unique.'] }], 400), says: [/Not unique\./] },
  { title: 'a parse error', kind: 'invalid_input', answer: () => jsonAnswer({ detail: 'JSON parse error - Expecting value: line 1 column 1 (char 0)' }, 400), says: [/JSON parse error/] },
  { title: 'drf-standardized-errors', kind: 'invalid_input', answer: (field) => jsonAnswer({ type: 'validation_error', errors: [{ code: 'invalid', detail: 'Ensure this is right.', attr: field }] }, 400), field: /: Ensure this is right\./ },
  { title: 'RFC 9457', kind: 'invalid_input', answer: (field) => jsonAnswer({ type: 'about:blank', title: 'Invalid.', status: 400, detail: 'Your request is not valid.', 'invalid-params': [{ name: field, reason: 'Ensure this is right.' }] }, 400, { 'content-type': problem }), field: /: Ensure this is right\./ },
  { title: '401', kind: 'forbidden', answer: () => jsonAnswer({ detail: 'Invalid token.' }, 401, { 'www-authenticate': 'Token' }), says: [/credentials/] },
  { title: '403 without credentials', kind: 'forbidden', answer: () => jsonAnswer({ detail: 'Authentication credentials were not provided.' }, 403), says: [/credentials/] },
  { title: '403', kind: 'forbidden', answer: () => jsonAnswer({ detail: 'You do not have permission to perform this action.' }, 403), says: [/permission/] },
  { title: '404', kind: 'not_found', answer: () => jsonAnswer({ detail: 'No Book matches the given query.' }, 404), says: [/No Book matches/] },
  { title: '404 of the URL configuration', kind: 'not_found', answer: () => page(404, '<!doctype html><html><title>Not Found</title><h1>Not Found</h1></html>') },
  { title: '405', kind: 'bad_response', answer: () => jsonAnswer({ detail: 'Method "PUT" not allowed.' }, 405) },
  { title: '406', kind: 'bad_response', answer: () => jsonAnswer({ detail: 'Could not satisfy the request Accept header.' }, 406) },
  { title: '415', kind: 'bad_response', answer: () => jsonAnswer({ detail: 'Unsupported media type "text/plain" in request.' }, 415) },
  { title: '409', kind: 'conflict', answer: () => jsonAnswer({ detail: 'It is closed already.' }, 409), says: [/closed already/] },
  { title: '429', kind: 'throttled', answer: () => jsonAnswer({ detail: 'Request was throttled. Expected available in 60 seconds.' }, 429, { 'retry-after': '60' }), says: [/60 seconds/] },
  { title: '500 with a traceback', kind: 'unavailable', answer: () => page(500, traceback) },
  { title: '400 with a page', kind: 'invalid_input', answer: () => page(400, traceback) },
  { title: '503', kind: 'unavailable', answer: () => jsonAnswer({ detail: 'db.internal is down' }, 503) }
]

const leaks = /<[a-z!/]|Traceback|SECRET|s3cr3t|db\.internal|views\.py|django-internal/i

/** A field of the request and the argument that stands for it; one with another name before others. */
function fieldOf ({ places }: SubjectTool): { field: string, argument: string } | undefined {
  const all = [...places]
  const properties = all.flatMap(([argument, place]) => place.kind === 'property' ? [{ field: place.name, argument }] : [])
  const parameters = all.flatMap(([argument, place]) => place.kind === 'parameter' && place.parameter.in === 'query' ? [{ field: place.parameter.name, argument }] : [])
  // Django names a field of the body where both have the name.
  const fields = [...properties, ...parameters.filter(({ field }) => !properties.some((property) => property.field === field))].filter(({ field }) => !/[.[\]]|^\d*$|^(detail|errors|non_field_errors)$/.test(field))
  return fields.find(({ field, argument }) => field !== argument) ?? fields[0]
}

function isCalled (argument: string, text: string, message: RegExp): boolean {
  return text.split('\n').some((line) => line.startsWith(`- ${argument}`) && message.test(line))
}

/** Whether a request may be sent again after a failure (RFC 9110 §9.2.2). */
function isIdempotent ({ operation }: SubjectTool): boolean {
  return ['GET', 'PUT', 'DELETE'].includes(operation.method)
}

async function play (subject: Subject, service: Service, of: SubjectTool, { title, answer, kind, says = [], field: message }: Fixture): Promise<string[]> {
  const args = subject.argumentsFor(of)
  if (args === undefined) return []
  const named = fieldOf(of)
  const played = answer(named?.field ?? 'name')
  service.recorder.play(() => played)
  const { error, text, requests } = await service.call(of.tool, args)
  const wrong = (problem: string): string => `${of.generated.name}, ${title}: ${problem}: ${text.slice(0, 300)}`
  return [
    ...error?.kind === kind ? [] : [wrong(`it is of kind ${error?.kind ?? 'none, and no error'}`)],
    ...error === undefined || error.status === played.status ? [] : [wrong(`its status is ${error.status ?? 'unknown'}`)],
    ...leaks.test(text) ? [wrong('it passes on what is not for the model')] : [],
    ...says.filter((words) => !words.test(text)).map((words) => wrong(`it does not say ${String(words)}`)),
    ...message === undefined || named === undefined || isCalled(named.argument, text, message) ? [] : [wrong(`it says nothing of the argument ${named.argument}`)],
    ...isIdempotent(of) || requests.length === 1 ? [] : [wrong(`the write was sent ${requests.length} times`)]
  ]
}

/** A page that does not exist, which is not a thing that does not exist. */
async function noSuchPage (subject: Subject, service: Service): Promise<string[]> {
  const of = subject.first(({ generated }) => generated.pagination !== undefined)
  const args = of === undefined ? undefined : subject.argumentsFor(of)
  if (of === undefined || args === undefined) return []
  const problems: string[] = []
  for (const detail of ['Invalid page.', 'Invalid cursor']) {
    service.recorder.play(() => jsonAnswer({ detail }, 404))
    const { text } = await service.call(of.tool, args)
    if (!/page|cursor/i.test(text)) problems.push(`${of.generated.name} does not say that it is the page that does not exist: ${text}`)
  }
  return problems
}

/** 27 */
export async function errors (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  const reading = subject.first(reads)
  const writing = subject.first((tool) => !reads(tool) && hasJsonBody(tool)) ?? subject.first((tool) => !reads(tool))
  const renamed = subject.tools.filter((tool) => { const named = fieldOf(tool); return named !== undefined && named.field !== named.argument })
  for (const fixture of fixtures) {
    for (const of of new Set([reading, writing])) {
      if (of === undefined) continue
      findings.look()
      findings.problem(...await play(subject, service, of, fixture))
    }
  }
  const [fieldError] = fixtures
  if (fieldError !== undefined) {
    for (const of of renamed) {
      findings.look()
      findings.problem(...await play(subject, service, of, fieldError))
    }
  }
  findings.problem(...await noSuchPage(subject, service))
  return findings.outcome('answers')
}

/** 28: nothing is followed, nothing is sent twice, and strangers hear nothing. */
export async function redirects (subject: Subject, service: Service): Promise<Outcome> {
  const findings = new Findings()
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const of = subject.first(({ operation }) => operation.method === method)
    const args = of === undefined ? undefined : subject.argumentsFor(of)
    if (of === undefined || args === undefined) continue
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of [`${service.recorder.url}/elsewhere/`, '/elsewhere/', `${service.stranger.url}/stolen/`, `//${service.stranger.url.replace('http://', '')}/stolen/`]) {
        service.stranger.play(() => jsonAnswer({ ok: true }))
        service.recorder.play(({ target }) => target.includes('elsewhere') ? jsonAnswer({ ok: true }) : { status, headers: { location, 'content-type': 'text/html' }, body: '<html>moved</html>' })
        const { requests, error, text } = await service.call(of.tool, args)
        const stolen = service.stranger.take()
        const wrong = `${of.generated.name}, ${status} to ${location.replace(/\d{4,5}/, 'port')}`
        findings.expect(stolen.length === 0, `${wrong}: another server was asked, with ${Object.keys(stolen[0]?.headers ?? {}).join(', ')}`)
        findings.expect(requests.length === 1 && error !== undefined, `${wrong}: ${requests.length} requests, and ${text.slice(0, 100)}`)
        findings.expect(!text.includes('127.0.0.1') && !/<html/.test(text), `${wrong}: ${text.slice(0, 200)}`)
      }
    }
  }
  return findings.outcome('redirects')
}
