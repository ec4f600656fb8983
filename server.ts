import { existsSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import djangoMcpServer, { serverOptions } from './app.ts'
import { loadConfigOrExit } from './config.ts'

/** Seconds beyond draining and the longest call until a shutdown that hangs is ended by force. */
const grace = 5

// As `fastify start` does; a file that does not exist is no error.
if (existsSync('.env')) process.loadEnvFile()

const loaded = loadConfigOrExit()
const { config } = loaded
const app = Fastify(serverOptions(config))

// An exit code other than 0 tells the orchestrator that requests in flight were cut off.
const delay = (config.DRAIN_SECONDS + config.CALL_TIMEOUT + grace) * 1000
closeWithGrace({ delay, logger: app.log }, async ({ err }) => {
  if (err !== undefined) app.log.fatal({ err }, 'stopping after an error that nothing caught')
  await app.close()
})

try {
  await app.register(djangoMcpServer, { loaded })
  await app.listen({ host: config.MCP_HOST, port: config.PORT })
} catch (error) {
  app.log.fatal({ err: error }, 'the server cannot start')
  process.exit(1)
}
