import type { FastifyBaseLogger } from 'fastify'

const loggerName = Symbol('django-mcp-server.logger-name')

/**
 * A child whose lines carry `"logger": name`. The name is kept beside the bindings, not in them:
 * a child of a child would otherwise write the key twice.
 */
export function namedLogger (parent: FastifyBaseLogger, name: string): FastifyBaseLogger {
  const child = parent.child({})
  // The logger of a server without logging is its own child.
  if (child === parent) return child
  Object.defineProperty(child, loggerName, { value: name })
  return child
}

/** Name that `namedLogger` gave to this logger or to one it descends from. */
export function nameOf (logger: object): string {
  const name: unknown = Reflect.get(logger, loggerName)
  return typeof name === 'string' ? name : 'server'
}
