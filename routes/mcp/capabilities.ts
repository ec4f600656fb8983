import { isRecord } from '../../checks/records.ts'

/** The extension by which tool calls may outlast their request; for revision 2026-07-28. */
export const tasksExtension = 'io.modelcontextprotocol/tasks'

/** Data of the error that a client gets which does not know the extension and would have to. */
export const tasksRequired = { requiredCapabilities: { extensions: { [tasksExtension]: {} } } }

const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

type Fields = Readonly<Record<string, unknown>>

/** By hand, since every request is looked at. */
function fieldsAt (value: unknown, name: string): Fields | undefined {
  if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined
  const inner = value[name]
  return isRecord(inner) ? inner : undefined
}

/** Whether a request says that its client knows the extension. Earlier requests do not count. `meta` is its `_meta`. */
export function declaresTasks (meta: unknown): boolean {
  return fieldsAt(fieldsAt(fieldsAt(meta, capabilitiesKey), 'extensions'), tasksExtension) !== undefined
}

/** The capability that a client needs to be asked this, or undefined where the request declares it. */
export function missingFor (question: { method: string, params?: unknown }, meta: unknown): Record<string, unknown> | undefined {
  const declared = (name: string): Fields | undefined => fieldsAt(fieldsAt(meta, capabilitiesKey), name)
  if (question.method === 'sampling/createMessage') return declared('sampling') === undefined ? { sampling: {} } : undefined
  if (question.method === 'roots/list') return declared('roots') === undefined ? { roots: {} } : undefined
  const elicitation = declared('elicitation')
  const { mode = 'form' } = isRecord(question.params) ? question.params : {}
  if (mode === 'url') return fieldsAt(elicitation, 'url') === undefined ? { elicitation: { url: {} } } : undefined
  // One that names no mode knows forms (client/elicitation, "Capabilities").
  const knowsForms = elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
  return knowsForms ? undefined : { elicitation: { form: {} } }
}
