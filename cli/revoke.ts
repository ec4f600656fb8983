import { existsSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { digestOf, type Revocation } from '../plugins/auth/deny-list.ts'
import { parseOptions, UsageError } from './usage.ts'

const usage = `Makes a running server refuse tokens that are valid, from the next request on.

npm run --silent revoke -- WHAT [options]

WHAT is one of
  --jti ID              the token with this jti
  --token               the token that is typed in or piped in; only its digest is sent
  --subject SUB         all tokens of a user that were issued up to now, or up to --issued-before
    --issuer ISS        only where they were issued by ISS; by whomever where it is left out
    --issued-before T   a time: 2026-11-30T12:00:00Z, or seconds since 1970

  --until T             when the entry is forgotten; never where it is left out
  --undo                takes an entry back
  --socket PATH         the server's socket; ADMIN_SOCKET where it is left out
`

function options () {
  return parseOptions({
    jti: { type: 'string' },
    token: { type: 'boolean', default: false },
    subject: { type: 'string' },
    issuer: { type: 'string' },
    'issued-before': { type: 'string' },
    until: { type: 'string' },
    undo: { type: 'boolean', default: false },
    socket: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false }
  })
}

type Options = ReturnType<typeof options>

/** A time in seconds since the epoch. */
function secondsOf (option: string, value: string): number {
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.floor(Date.parse(value) / 1000)
  if (!Number.isSafeInteger(seconds) || seconds <= 0) throw new UsageError(`--${option}: expected a time such as 2026-11-30T12:00:00Z`)
  return seconds
}

async function typedToken (): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Token, then Enter and Ctrl+D: ')
  const token = (await text(process.stdin)).trim()
  if (token === '' || /\s/.test(token)) throw new UsageError('--token: expected one token on standard input')
  return token
}

async function revocationOf ({ jti, token, subject, issuer, until, 'issued-before': issuedBefore }: Options): Promise<Revocation> {
  if ([jti !== undefined, token, subject !== undefined].filter(Boolean).length !== 1) throw new UsageError('expected one of --jti, --token and --subject')
  if (subject === undefined && (issuer !== undefined || issuedBefore !== undefined)) throw new UsageError('--issuer and --issued-before belong to --subject')
  const end = until === undefined ? {} : { until: secondsOf('until', until) }
  if (jti !== undefined) return { tokenId: jti, ...end }
  if (subject === undefined) return { tokenDigest: digestOf(await typedToken()), ...end }
  return {
    subject,
    ...(issuer === undefined ? {} : { issuer }),
    issuedBefore: issuedBefore === undefined ? Math.floor(Date.now() / 1000) : secondsOf('issued-before', issuedBefore),
    ...end
  }
}

async function send (socketPath: string, method: string, revocation: Revocation): Promise<{ status: number | undefined, answer: string }> {
  const body = JSON.stringify(revocation)
  // Node sends a DELETE without the length of its body otherwise.
  const headers = { 'content-length': Buffer.byteLength(body) }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, method, path: '/revocations', headers }, resolve)
      .on('error', (error) => { reject(new UsageError(`${socketPath}: ${error.message}; is the server running, as this user?`)) })
      .end(body)
  })
  return { status: response.statusCode, answer: await text(response) }
}

const answerShape = z.object({ shared: z.boolean().default(false), error: z.string().default('') })

async function run (): Promise<void> {
  const given = options()
  if (given.help) {
    process.stdout.write(usage)
    return
  }
  const revocation = await revocationOf(given)
  if (existsSync('.env')) process.loadEnvFile()
  const socket = given.socket ?? process.env.ADMIN_SOCKET
  if (socket === undefined || socket === '') throw new UsageError('neither --socket nor ADMIN_SOCKET says where the server listens')
  const { status, answer } = await send(socket, given.undo ? 'DELETE' : 'POST', revocation)
  const { shared, error } = answerShape.parse(JSON.parse(answer))
  if (status !== 200) throw new UsageError(`refused: ${error}`)
  const where = shared ? 'for all replicas' : 'in this process alone: other replicas do not know, and it forgets at its end; REDIS_URL would share it'
  process.stdout.write(`${given.undo ? 'Taken back' : 'Revoked'}, ${where}.\n`)
}

try {
  await run()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
