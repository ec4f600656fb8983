import type { FastifyBaseLogger } from 'fastify'
import got from 'got'
import { anonymous, type Principal } from '../../../plugins/auth/index.ts'
import { withIncluded } from '../../../plugins/auth/principal.ts'
import type { CallContext } from '../../../plugins/catalog/definition.ts'
import { DjangoClient } from '../../../plugins/django/index.ts'
import type { GeneratedTool } from '../../../plugins/openapi/generated.ts'
import type { Operation, OperationMethod } from '../../../plugins/openapi/operation.ts'

/** A generated tool made by hand, for tests of what is done with them. */
export function generatedTool (key: `${OperationMethod} /${string}`, parts: Partial<GeneratedTool> & { tags?: readonly string[], summary?: string } = {}): GeneratedTool {
  const { tags = [], summary = '', ...tool } = parts
  const [method = '', path = ''] = key.split(' ')
  const operation: Operation = {
    key,
    method: methodOf(method),
    path,
    operationId: undefined,
    summary,
    description: '',
    tags,
    deprecated: false,
    parameters: [],
    body: undefined,
    responses: [],
    security: { anonymous: false, scopes: [] },
    definitions: {}
  }
  const reads = method === 'GET'
  return {
    name: `${method}${path}`.toLowerCase().replaceAll(/\W+/g, '_').replace(/_$/, ''),
    title: undefined,
    description: summary === '' ? `Does ${key}.` : summary,
    inputSchema: { type: 'object', properties: {} },
    outputSchema: undefined,
    annotations: { readOnlyHint: reads, destructiveHint: method === 'DELETE', idempotentHint: method !== 'POST' },
    scopes: [reads ? 'read' : 'write'],
    synonyms: [],
    confirm: method === 'DELETE' ? `Call ${key}?` : undefined,
    operation,
    bindings: [],
    fixed: [],
    bodyType: undefined,
    fileBodyType: undefined,
    fileArguments: [],
    pagination: undefined,
    fields: [],
    readTool: undefined,
    ...tool
  }
}

function methodOf (text: string): OperationMethod {
  if (text === 'GET' || text === 'POST' || text === 'PUT' || text === 'PATCH' || text === 'DELETE') return text
  throw new Error(`${text} is no method`)
}

export function principal (...scopes: string[]): Principal {
  return { ...anonymous, subject: 'someone', key: 'someone', scopes: withIncluded(scopes) }
}

/** The context of a call, for tools that are called by hand. */
export function context (log: FastifyBaseLogger, changes: Partial<CallContext> = {}): CallContext {
  return {
    correlationId: 'c-1',
    requestId: 1,
    signal: new AbortController().signal,
    log,
    principal: anonymous,
    django: new DjangoClient({ http: got, log, baseUrl: 'http://127.0.0.1:9', headers: {}, deadline: 1, maxRetries: 0, maxBytes: 1 }),
    progress: async () => undefined,
    ask: async () => ({ action: 'cancel', content: {} }),
    input: async () => ({}),
    canAsk: () => false,
    ...changes
  }
}
