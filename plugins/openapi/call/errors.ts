import { CallError } from '../../../errors.ts'
import { errorFor, type Answer } from '../../django/answer.ts'
import { renamedPath } from '../../django/problems.ts'
import type { GeneratedTool } from '../generated.ts'
import { sentenceWithoutHosts } from './hosts.ts'
import { pagingArgument } from './pages.ts'

type Args = Readonly<Record<string, unknown>>

interface Names {
  readonly byField: Readonly<Record<string, string>>
  /** The argument that holds a whole body. */
  readonly body: string | undefined
}

const known = new WeakMap<GeneratedTool, Names>()

/** Names of arguments by those of Django's fields; a field of the body goes before a parameter of the same name. */
function namesOf (tool: GeneratedTool): Names {
  let names = known.get(tool)
  if (names === undefined) {
    const { bindings } = tool
    names = {
      byField: Object.fromEntries([
        ...bindings.flatMap(({ argument, place }) => place.kind === 'parameter' ? [[place.parameter.name, argument] as const] : []),
        ...bindings.flatMap(({ argument, place }) => place.kind === 'property' ? [[place.property, argument] as const] : [])
      ]),
      body: bindings.find(({ place }) => place.kind === 'body')?.argument
    }
    known.set(tool, names)
  }
  return names
}

function argumentPath (tool: GeneratedTool, path: string): string {
  const { byField, body } = namesOf(tool)
  const renamed = renamedPath(path, byField)
  // What is inside of a body that is one argument is found below it.
  const isParameter = Object.hasOwn(byField, path.split('.', 1)[0] ?? '')
  return body === undefined || path === '' || isParameter ? renamed : `${body}.${path}`
}

/** The argument by which a page was asked for that there may not be. */
function askedPage (tool: GeneratedTool, args: Args): string | undefined {
  return [pagingArgument(tool, 'page'), pagingArgument(tool, 'cursor')].find((argument) => argument !== undefined && args[argument] !== undefined)
}

/**
 * What an answer outside 200–299 to a call of this tool means, in the names of its arguments.
 * @param hosts hosts that Django is called by, which are not shown
 */
export function callErrorFor (tool: GeneratedTool, args: Args, answer: Answer, hosts: readonly string[] = []): CallError {
  const { kind, message, status = answer.status, retryAfter, problems } = errorFor({ status: answer.status, headers: answer.headers, body: answer.body }, (path) => argumentPath(tool, path))
  const page = kind === 'not_found' ? askedPage(tool, args) : undefined
  if (page !== undefined && (/\b(?:page|cursor)\b/i.test(message) || !tool.operation.path.includes('{'))) {
    return new CallError('invalid_input', 'There is no such page.', { status, problems: [{ path: page, message: 'the list has no such page' }] })
  }
  return new CallError(kind, sentenceWithoutHosts(message, hosts), {
    status,
    ...retryAfter === undefined ? {} : { retryAfter },
    problems: problems.map((problem) => ({ path: problem.path, message: sentenceWithoutHosts(problem.message, hosts) }))
  })
}
