import { get } from 'node:http'

/*
 * The container's health check: prints what `/health` says and exits with 0 when all is well, with 1 otherwise.
 * It reads the environment itself, since loading the whole configuration every 30 seconds costs more than the check.
 */

/** Seconds to wait for the answer; less than the container's own limit, so that it is this program that says what is wrong. */
const patience = 8
/** Values of MCP_HOST that stand for every address, of which the loopback is one. */
const everywhere = new Set(['', '0.0.0.0', '::'])

const { MCP_HOST = '', PORT = '8080' } = process.env
const host = everywhere.has(MCP_HOST) ? '127.0.0.1' : MCP_HOST

const request = get({ host, port: PORT, path: '/health', signal: AbortSignal.timeout(patience * 1000) }, (response) => {
  process.exitCode = response.statusCode === 200 ? 0 : 1
  response.pipe(process.stdout)
})
request.on('error', (error) => {
  process.exitCode = 1
  process.stderr.write(`${host}:${PORT} does not answer: ${error.message}\n`)
})
