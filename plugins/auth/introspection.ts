import { z } from 'zod'
import type { Ask } from './asking.ts'
import { clientCredentials } from './client-credentials.ts'
import { principalFrom, type ClaimRules } from './claims.ts'
import { TokenRefused, VerifierUnavailable } from './errors.ts'
import type { TokenVerifier } from './verifier.ts'

export interface IntrospectionOptions {
  url: string
  clientId: string
  clientSecret: string
  ask: Ask
  rules: ClaimRules & { issuer: string }
}

/** Seconds for which an answer is remembered: a token that was revoked there is accepted no longer than this. */
const rememberedFor = 60

const answerShape = z.object({ active: z.unknown().optional(), token_type: z.unknown().optional(), iss: z.unknown().optional() })

/** Verifies tokens by asking the server that issued them (RFC 7662). Its word takes the place of a signature only. */
export function introspectionVerifier ({ url, clientId, clientSecret, ask, rules }: IntrospectionOptions): TokenVerifier {
  const headers = { authorization: clientCredentials(clientId, clientSecret), 'content-type': 'application/x-www-form-urlencoded' }

  return {
    async verify (token) {
      const answer = await ask(url, { method: 'POST', headers, body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString() })
      const checked = answerShape.safeParse(answer)
      if (!checked.success || typeof answer !== 'object') throw new VerifierUnavailable(`${url} answers with something that is no introspection`)
      const { active, token_type: type, iss = rules.issuer } = checked.data
      if (active !== true) throw new TokenRefused('inactive', 'the issuer does not call it active')
      // RFC 7662 §2.2: the type of RFC 6749 §7.1 here, not the kind of token that JWTs of some servers name so.
      if (type !== undefined && !(typeof type === 'string' && /^(bearer|access_token)$/i.test(type))) throw new TokenRefused('claims', 'no bearer token')
      const now = Math.floor(Date.now() / 1000)
      const principal = principalFrom({ ...answer, token_type: undefined, iss }, rules, now)
      return { principal, until: Math.min(principal.expiresAt, now + rememberedFor) }
    }
  }
}
