import type { OperationMethod } from '../operation.ts'

/** What the view sets of Django REST Framework do by themselves. */
const actions: ReadonlySet<string> = new Set(['list', 'retrieve', 'create', 'update', 'partial_update', 'destroy'])

const ofOne: Readonly<Record<OperationMethod, string>> = { GET: 'retrieve', POST: '', PUT: 'update', PATCH: 'partial_update', DELETE: 'destroy' }
const ofMany: Readonly<Record<OperationMethod, string>> = { GET: 'list', POST: 'create', PUT: '', PATCH: '', DELETE: '' }

/** The action that a request is, as far as its method and path tell: one of a view set's own, or the last word of the path. */
function actionOf (method: OperationMethod, path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '')
  const last = segments.at(-1) ?? ''
  if (last.includes('{')) return ofOne[method]
  return /[^s]s$/i.test(last) ? ofMany[method] : last.replaceAll('-', '_').toLowerCase()
}

/**
 * What a docstring says of one operation. That of a view set may have a section for each action, which begins with its
 * name on a line of its own (Django REST Framework, "Schemas": "Method and action docstrings"); drf-spectacular gives
 * the whole to each operation.
 */
export function sectionFor (text: string, method: OperationMethod, path: string): string {
  const sections = new Map<string, string[]>([['', []]])
  let current = ''
  for (const line of text.split('\n')) {
    const [, name] = /^[ \t]*([A-Za-z]\w*):[ \t]*$/.exec(line) ?? []
    if (name !== undefined) current = name.toLowerCase()
    else sections.set(current, [...sections.get(current) ?? [], line])
  }
  // Any line may end in a colon; only the names of actions show that this is such a text.
  if (![...sections.keys()].some((name) => actions.has(name))) return text
  return (sections.get(actionOf(method, path)) ?? sections.get('') ?? []).join('\n')
}

/** A description without the request that some docstrings begin with: the tool makes it, and its line tells nothing else. */
export function withoutRequestLine (text: string): string {
  return text.replace(/^\s*(?:GET|POST|PUT|PATCH|DELETE) \/\S*[ \t]*(?:\n|--?|[–—:])\s*/, '')
}
