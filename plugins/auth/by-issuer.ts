import { isRecord } from '../../checks/records.ts'
import { TokenRefused } from './errors.ts'
import type { TokenVerifier } from './verifier.ts'
import { decodedPart, webTokenParts } from './web-token.ts'

export interface IssuerVerifier {
  issuer: string | undefined
  /** Whether tokens of any form are its own, not only JSON Web Tokens. */
  opaque: boolean
  verifier: TokenVerifier
}

/** What a token says of itself before anything is verified. */
type Said = { jwt: false } | { jwt: true, issuer: unknown }

function saidBy (token: string): Said {
  const parts = webTokenParts(token)
  if (parts === undefined) return { jwt: false }
  const claims = decodedPart(parts[1])
  return { jwt: true, issuer: isRecord(claims) ? claims.iss : undefined }
}

/**
 * A verifier for the tokens of several issuers. Which of them is asked follows from `iss` as it stands, compared
 * exactly; it then verifies the token as its own, so that a wrong `iss` leads to keys that do not fit. A token that is
 * no JSON Web Token belongs to the one that is asked about tokens; no token is shown to another than its own.
 */
export function byIssuer (issuers: readonly IssuerVerifier[]): TokenVerifier {
  const [only] = issuers
  if (only !== undefined && issuers.length === 1) return only.verifier
  const verifiers = new Map(issuers.map(({ issuer, verifier }) => [issuer, verifier]))
  const opaque = issuers.find((entry) => entry.opaque)?.verifier

  return {
    async verify (token) {
      const said = saidBy(token)
      const verifier = !said.jwt ? opaque : typeof said.issuer === 'string' ? verifiers.get(said.issuer) : undefined
      if (verifier === undefined) throw new TokenRefused('claims', 'iss is none of the configured issuers')
      return await verifier.verify(token)
    }
  }
}
