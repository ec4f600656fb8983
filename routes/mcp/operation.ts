import type { CallError, ErrorKind } from '../../errors.ts'
import { countedMethods, type CountedMethod, type Instruments, type Outcome } from '../../plugins/metrics/instruments.ts'
import { errorCodes } from './protocol-error.ts'

const outcomeOf: Record<ErrorKind, Outcome> = {
  invalid_input: 'client_error',
  not_found: 'client_error',
  forbidden: 'client_error',
  conflict: 'client_error',
  throttled: 'client_error',
  unavailable: 'server_error',
  timeout: 'server_error',
  bad_response: 'server_error',
  cancelled: 'cancelled',
  internal: 'server_error'
}

/** How an audit line calls what went wrong; what is not here has failed. */
const auditOutcomes: ReadonlyMap<string, string> = new Map([['invalid_input', 'invalid_arguments'], ['timeout', 'timeout'], ['cancelled', 'cancelled'], ['protocol', 'invalid_request']])

/** Characters of the name of a tool in the access line: one that does not exist may be anything. */
const maxToolName = 64

/** Requests to Django that are kept for the audit line at most. */
const maxDjangoCalls = 20

function isCounted (method: string): method is CountedMethod {
  return countedMethods.some((counted) => counted === method)
}

/** One MCP request as metrics see it: filled in while it is served, counted once when its answer has left. */
export class Operation {
  readonly #begin = performance.now()
  readonly #method: CountedMethod
  readonly #protocolVersion: string
  #tool: string | undefined
  #resultBytes: number | undefined
  #failure: { outcome: Outcome, kind: string, type: string } | undefined
  #djangoCalls: Array<{ method: string, route: string, status: number | undefined }> | undefined

  /** @param method as the client wrote it, undefined where the message has none */
  constructor (method: string | undefined, protocolVersion: string) {
    this.#method = method !== undefined && isCounted(method) ? method : '_other'
    this.#protocolVersion = protocolVersion
  }

  /** The tool that is called; undefined for one that does not exist, whose name must not become a label. */
  calls (tool: string | undefined): void {
    this.#tool = tool ?? '_unknown'
  }

  gave (bytes: number): void {
    this.#resultBytes = bytes
  }

  /** The answer is an error result of a tool, or stands for one. */
  failed (error: CallError): void {
    this.#failure = { outcome: outcomeOf[error.kind], kind: error.kind, type: 'tool_error' }
  }

  /** The request was refused before it was served. */
  refused (kind: 'forbidden' | 'throttled'): void {
    this.#failure = { outcome: 'client_error', kind, type: kind }
  }

  /** The answer is a JSON-RPC error. What is known already about a failure is kept. */
  protocolFailure (code: number, error?: CallError): void {
    const kind = error?.kind ?? (code === errorCodes.internalError ? 'internal' : undefined)
    this.#failure ??= { outcome: kind === undefined ? 'client_error' : outcomeOf[kind], kind: kind ?? 'protocol', type: String(code) }
  }

  /** A request to Django that was made for this one. */
  asked (method: string, route: string, status: number | undefined): void {
    this.#djangoCalls ??= []
    if (this.#djangoCalls.length < maxDjangoCalls) this.#djangoCalls.push({ method, route, status })
  }

  /** Requests to Django, undefined where there were none. */
  get djangoCalls (): ReadonlyArray<{ method: string, route: string, status: number | undefined }> | undefined {
    return this.#djangoCalls
  }

  /** Fields of the access line: the method, and the tool where one is called. */
  logFields (tool: unknown): Record<string, unknown> {
    return { rpc_method: this.#method, ...(typeof tool === 'string' ? { tool: tool.slice(0, maxToolName) } : {}) }
  }

  /** The kind of error that it ended with, undefined where there is none. */
  get errorKind (): string | undefined {
    return this.#failure?.kind
  }

  /** How it ended, in the words of the audit line. `finished` as for `end`. */
  outcome (finished: boolean): string {
    if (!finished) return 'cancelled'
    return this.#failure === undefined ? 'succeeded' : auditOutcomes.get(this.#failure.kind) ?? 'failed'
  }

  /** Counts the request. `finished` is false where the client went away before it had the answer. */
  end (instruments: Instruments, finished: boolean): void {
    const failure = finished ? this.#failure : { outcome: 'cancelled' as const, kind: 'cancelled', type: 'cancelled' }
    instruments.operation({
      method: this.#method,
      outcome: failure?.outcome ?? 'ok',
      protocolVersion: this.#protocolVersion,
      seconds: (performance.now() - this.#begin) / 1000,
      ...(this.#tool === undefined ? {} : { tool: this.#tool }),
      ...(this.#resultBytes === undefined ? {} : { resultBytes: this.#resultBytes }),
      ...(failure === undefined ? {} : { errorKind: failure.kind, errorType: failure.type })
    })
  }
}
