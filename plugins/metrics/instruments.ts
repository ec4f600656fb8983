import client from '@prometheus-io/client'
import { errorKinds } from '../../errors.ts'

/** How a request to `/mcp` ended, seen by an operator: only `server_error` counts against the service. */
export const outcomes = ['ok', 'client_error', 'server_error', 'cancelled'] as const
export type Outcome = typeof outcomes[number]

/** MCP methods that may become a label value; every other one is counted as `_other`. */
export const countedMethods = [
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'server/discover',
  'subscriptions/listen',
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
  'notifications/initialized',
  'notifications/cancelled',
  '_other'
] as const
export type CountedMethod = typeof countedMethods[number]

export const authFailures = ['missing', 'malformed', 'expired', 'signature', 'audience', 'claims', 'scope', 'revoked', 'inactive', 'unavailable'] as const

/** What one MCP request did. */
export interface OperationMeasurement {
  method: CountedMethod
  outcome: Outcome
  /** Label of the tool, `_unknown` for one that does not exist, absent where the method has none. */
  tool?: string
  /** A kind of error, or `protocol` for an answer that is a JSON-RPC error. */
  errorKind?: string
  /** JSON-RPC error code as text, or `tool_error`. */
  errorType?: string
  protocolVersion: string
  seconds: number
  /** Size of a tool's result in bytes. */
  resultBytes?: number
}

/** What one HTTP request to Django did. */
export interface DjangoRequestMeasurement {
  method: string
  /** The path with its variables left open: a label must not carry ids. */
  route: string
  /** Absent where no answer came. */
  status?: number
  /** Kind of error, absent on success. */
  errorKind?: string
  seconds: number
}

// From the OpenTelemetry convention for mcp.server.operation.duration.
const operationBuckets = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
const djangoBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const sizeBuckets = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]

/**
 * The service's own instruments on one registry. Counters whose label values are known start at 0, so that a rate
 * over them sees the first event.
 */
export function createInstruments (registry: client.Registry) {
  const registers = [registry]
  const requests = new client.Counter({ name: 'mcp_requests_total', help: 'MCP requests by method and outcome', labelNames: ['method', 'outcome'], registers })
  const errors = new client.Counter({ name: 'mcp_errors_total', help: 'MCP requests that failed, by method and kind of error', labelNames: ['method', 'kind'], registers })
  const duration = new client.Histogram({
    name: 'mcp_server_operation_duration_seconds',
    help: 'Duration of MCP requests',
    labelNames: ['mcp_method_name', 'gen_ai_tool_name', 'error_type', 'mcp_protocol_version'],
    buckets: operationBuckets,
    registers
  })
  const toolCalls = new client.Counter({ name: 'mcp_tool_calls_total', help: 'Tool calls by tool and outcome', labelNames: ['tool', 'outcome'], registers })
  const resultBytes = new client.Histogram({ name: 'mcp_tool_result_bytes', help: 'Size of tool results', labelNames: ['tool'], buckets: sizeBuckets, registers })
  const inFlight = new client.Gauge({ name: 'mcp_requests_in_flight', help: 'MCP requests being served', registers })
  const authFailed = new client.Counter({ name: 'mcp_auth_failures_total', help: 'Refused credentials by reason', labelNames: ['reason'], registers })
  const rateLimited = new client.Counter({ name: 'mcp_rate_limited_total', help: 'Requests refused by a rate limit', registers })
  const shed = new client.Counter({ name: 'mcp_shed_total', help: 'Requests refused because the process was overloaded, by reason', labelNames: ['reason'], registers })
  const djangoDuration = new client.Histogram({
    name: 'mcp_django_request_duration_seconds',
    help: 'Duration of requests to Django, each attempt by itself',
    labelNames: ['http_request_method', 'route', 'http_response_status_code', 'error_type'],
    buckets: djangoBuckets,
    registers
  })
  const djangoRetries = new client.Counter({ name: 'mcp_django_retries_total', help: 'Repeated requests to Django by reason', labelNames: ['reason'], registers })

  for (const method of countedMethods) {
    for (const outcome of outcomes) requests.inc({ method, outcome }, 0)
    for (const kind of [...errorKinds, 'protocol']) errors.inc({ method, kind }, 0)
  }
  for (const reason of authFailures) authFailed.inc({ reason }, 0)
  for (const reason of ['eventLoopDelay', 'heapUsedBytes']) shed.inc({ reason }, 0)
  for (const reason of ['network', 'status']) djangoRetries.inc({ reason }, 0)

  let totalRequests = 0
  let totalErrors = 0

  return {
    inFlight,
    authFailed: (reason: typeof authFailures[number]) => { authFailed.inc({ reason }) },
    rateLimited: () => { rateLimited.inc() },
    shed: (reason: string) => { shed.inc({ reason }) },

    operation: (measured: OperationMeasurement) => {
      const { method, outcome, tool, errorKind, errorType = '', protocolVersion, seconds } = measured
      totalRequests += 1
      requests.inc({ method, outcome })
      duration.observe({ mcp_method_name: method, gen_ai_tool_name: tool ?? '', error_type: errorType, mcp_protocol_version: protocolVersion }, seconds)
      if (errorKind !== undefined) {
        totalErrors += 1
        errors.inc({ method, kind: errorKind })
      }
      if (tool === undefined) return
      toolCalls.inc({ tool, outcome })
      if (measured.resultBytes !== undefined) resultBytes.observe({ tool }, measured.resultBytes)
    },

    djangoRequest: ({ method, route, status, errorKind = '', seconds }: DjangoRequestMeasurement) => {
      djangoDuration.observe({ http_request_method: method, route, http_response_status_code: status === undefined ? '' : String(status), error_type: errorKind }, seconds)
    },
    djangoRetry: (reason: 'network' | 'status') => { djangoRetries.inc({ reason }) },

    /** Adds a gauge whose value is read whenever the metrics are; undefined leaves the last value. */
    gauge (name: string, help: string, read: () => number | undefined) {
      return new client.Gauge({
        name,
        help,
        registers,
        collect () {
          const value = read()
          if (value !== undefined) this.set(value)
        }
      })
    },

    /** Adds a counter by the values of one label, all of them 0 to begin with; gives what counts. */
    counter<Value extends string> (name: string, help: string, label: string, values: readonly Value[]) {
      const counter = new client.Counter({ name, help, labelNames: [label], registers })
      for (const value of values) counter.inc({ [label]: value }, 0)
      return (value: Value, by = 1): void => { counter.inc({ [label]: value }, by) }
    },

    /** Adds a gauge with one value for each value of one label. */
    labelledGauge (name: string, help: string, label: string, read: () => Record<string, number>) {
      return new client.Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        collect () {
          for (const [value, number] of Object.entries(read())) this.set({ [label]: value }, number)
        }
      })
    },

    /** Adds a gauge of value 1 that says something about the process in its labels. */
    info (name: string, help: string, labels: Record<string, string>) {
      new client.Gauge({ name, help, labelNames: Object.keys(labels), registers }).set(labels, 1)
    },

    /** Sums over all labels. */
    totals: () => ({ requests: totalRequests, errors: totalErrors })
  }
}

export type Instruments = ReturnType<typeof createInstruments>
