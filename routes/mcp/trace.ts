/** Where a call stands in a trace: what OpenTelemetry's instrumentation of Django continues (W3C Trace Context). */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string
}

/** Version 00 (W3C Trace Context §3.2.2): ids of nothing but zeros are none. */
const traceparentForm = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
/** Visible ASCII and spaces, at most as long as every participant must pass on (§3.3.1.5). */
const tracestateForm = /^[\x20-\x7e]{1,512}$/

/**
 * The trace that a request belongs to, from its `_meta` (basic, "_meta": the keys `traceparent` and `tracestate` are
 * reserved for this). What is malformed is passed over, as the standard asks; baggage is not for Django to see.
 */
export function traceOf (meta: Readonly<Record<string, unknown>> | undefined): TraceContext | undefined {
  if (meta === undefined) return undefined
  const { traceparent, tracestate } = meta
  if (typeof traceparent !== 'string' || !traceparentForm.test(traceparent)) return undefined
  return typeof tracestate === 'string' && tracestateForm.test(tracestate) ? { traceparent, tracestate } : { traceparent }
}
