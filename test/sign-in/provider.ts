import { randomUUID } from 'node:crypto'
import type { OAuthClientProvider, OAuthDiscoveryState, StoredOAuthClientInformation, StoredOAuthTokens } from '@modelcontextprotocol/client'

export interface ProviderOptions {
  /** Where the user comes back to. */
  redirectUrl: string
  /** Where a document about the client is, for servers that take such addresses; it registers itself where left out. */
  clientMetadataUrl?: string
}

/** What a client keeps in memory of one user's sign-in. */
export interface Provider extends OAuthClientProvider {
  /** Where the user was last sent to. */
  readonly sentTo: () => URL
  readonly state: () => string
  readonly kept: { client?: StoredOAuthClientInformation, tokens?: StoredOAuthTokens | undefined }
}

export function createProvider ({ redirectUrl, clientMetadataUrl }: ProviderOptions): Provider {
  const kept: Provider['kept'] = {}
  const state = randomUUID()
  let verifier = ''
  let sentTo: URL | undefined
  let discovered: OAuthDiscoveryState | undefined
  return {
    redirectUrl,
    ...clientMetadataUrl === undefined ? {} : { clientMetadataUrl },
    clientMetadata: { client_name: 'Sign-in test', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
    kept,
    state: () => state,
    clientInformation: () => kept.client,
    saveClientInformation (client) { kept.client = client },
    tokens: () => kept.tokens,
    saveTokens (tokens) { kept.tokens = tokens },
    saveCodeVerifier (given) { verifier = given },
    codeVerifier: () => verifier,
    saveDiscoveryState (state) { discovered = state },
    discoveryState: () => discovered,
    redirectToAuthorization (url) { sentTo = url },
    invalidateCredentials (scope) { if (scope === 'all' || scope === 'tokens') kept.tokens = undefined },
    sentTo () {
      if (sentTo === undefined) throw new Error('the user was sent nowhere')
      return sentTo
    }
  }
}
