import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { CheckedIssuer } from '../../checks/issuers.ts'
import { createAsk, type Ask } from './asking.ts'
import { byIssuer, type IssuerVerifier } from './by-issuer.ts'
import { canonical, type ClaimRules } from './claims.ts'
import { Discovery } from './discovery.ts'
import { introspectionVerifier } from './introspection.ts'
import { keySetVerifier } from './key-set.ts'
import { oneSpelling } from './one-spelling.ts'
import { profiles } from './profiles.ts'
import { remembering } from './remembering.ts'
import { sharedSecretVerifier } from './shared-secret.ts'
import type { TokenVerifier } from './verifier.ts'

export interface VerifierOptions {
  issuers: readonly CheckedIssuer[]
  /** Audience of the tokens of issuers that have none of their own. */
  audience: readonly string[]
  maxLifetime: number
  allowHttp: boolean
  log: FastifyBaseLogger
}

function rulesFor (issuer: CheckedIssuer, { audience, maxLifetime }: VerifierOptions): ClaimRules {
  // What a team signs for itself is seldom typed, and what the secret opens is known; others have a profile of theirs.
  const profile = issuer.profile ?? (issuer.type === 'secret' ? 'generic' : 'rfc9068')
  return {
    profile: profiles[profile],
    issuer: issuer.issuer,
    audience: (issuer.audience ?? audience).map(canonical),
    audienceRequired: issuer.type !== 'secret' || issuer.audienceRequired,
    maxLifetime
  }
}

async function verifierFor (app: FastifyInstance, issuer: CheckedIssuer, ask: Ask, options: VerifierOptions): Promise<TokenVerifier> {
  const rules = rulesFor(issuer, options)
  if (issuer.type === 'secret') return await sharedSecretVerifier(app, issuer.secrets, rules)
  if (issuer.type === 'introspection') return introspectionVerifier({ ...issuer, ask, rules: { ...rules, issuer: issuer.issuer } })

  const { jwksUrl, algorithm } = issuer
  if (jwksUrl !== undefined) return keySetVerifier({ algorithm, ask, rules, locate: async () => jwksUrl })
  const discovery = new Discovery({ issuer: issuer.issuer, ask, allowHttp: options.allowHttp, log: options.log })
  app.addHook('onReady', async () => { discovery.start() })
  app.addHook('onClose', async () => { discovery.stop() })
  return keySetVerifier({ algorithm, ask, rules, locate: () => discovery.keys() })
}

/** One verifier for the tokens of all issuers, which remembers what it has verified. */
export async function createVerifier (app: FastifyInstance, options: VerifierOptions): Promise<TokenVerifier> {
  const ask = createAsk(app)
  const entries: IssuerVerifier[] = []
  // One after the other: shared secrets register plugins, which Fastify loads in order.
  for (const issuer of options.issuers) {
    entries.push({ issuer: issuer.issuer, opaque: issuer.type === 'introspection', verifier: await verifierFor(app, issuer, ask, options) })
  }
  return remembering(oneSpelling(byIssuer(entries)))
}
