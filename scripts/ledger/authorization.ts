/*
 * The MUSTs and SHOULDs of the MCP authorization specification, revision 2026-07-28 (basic/authorization and the pages
 * below it), in words of our own. What binds others is listed with its reason.
 */

/** Sentences that bind a resource server. The numbers are what `[authorization N]` in the title of a test names. */
export const authorization: Readonly<Record<number, readonly [level: 'MUST' | 'SHOULD', section: string, rule: string]>> = {
  1: ['SHOULD', 'Protocol Requirements', 'A server over HTTP follows the specification'],
  2: ['MUST', 'Overview', 'Serve protected resource metadata (RFC 9728)'],
  3: ['SHOULD', 'Scope Selection Strategy', 'Challenges carry the scopes that are needed'],
  4: ['SHOULD', 'Scope Selection Strategy', 'Sets of scopes are made the same way each time'],
  5: ['SHOULD', 'Canonical Server URI', 'Scheme and host are taken in capitals as well'],
  6: ['SHOULD', 'Canonical Server URI', 'The resource is written without a trailing slash'],
  7: ['MUST', 'Token Requirements', 'Tokens are taken as OAuth 2.1 §5 has it'],
  8: ['MUST', 'Token Requirements', 'Every request needs its token'],
  9: ['MUST', 'Token Requirements', 'A token in the query does not count'],
  10: ['MUST', 'Token Handling', 'Tokens are validated (OAuth 2.1 §5.2)'],
  11: ['MUST', 'Token Handling', 'Tokens are for this audience (RFC 8707 §2)'],
  12: ['MUST', 'Token Handling', 'What fails is answered as OAuth 2.1 §5.3 has it'],
  13: ['MUST', 'Token Handling', 'Invalid and expired tokens are 401'],
  14: ['MUST', 'Token Handling', 'Only tokens for resources of this server are accepted'],
  15: ['MUST', 'Token Handling', 'No other token is accepted or passed on'],
  16: ['SHOULD', 'Refresh Tokens', '`offline_access` is in no challenge and not in the metadata'],
  17: ['MUST', 'Error Handling', '401, 403 and 400 each for its kind of failure'],
  18: ['SHOULD', 'Runtime Insufficient Scope Errors', '403 with `insufficient_scope`, the scopes and the metadata'],
  19: ['SHOULD', 'Runtime Insufficient Scope Errors', 'The scopes are those of the operation'],
  20: ['SHOULD', 'Runtime Insufficient Scope Errors', 'All of them at once'],
  21: ['SHOULD', 'Runtime Insufficient Scope Errors', 'The same strategy each time'],
  22: ['SHOULD', 'Runtime Insufficient Scope Errors', 'Few scopes, so that users are seldom asked'],
  23: ['MUST', 'Step-Up Authorization Flow', 'A broader scope stands for the narrower ones'],
  24: ['MUST', 'Security Considerations', 'The security considerations are followed'],
  25: ['MUST', 'Security Considerations: introduction', 'The practices of OAuth 2.1 §7 are followed'],
  26: ['MUST', 'Token Audience Binding and Validation', 'A token was issued for this server'],
  27: ['MUST', 'Token Theft', 'Tokens are neither stored nor logged readably'],
  28: ['MUST', 'Communication Security', 'OAuth 2.1 §1.5: an issuer without TLS is refused in production'],
  29: ['MUST', 'Access Token Privilege Restriction', 'Tokens are validated before anything is done, and nothing reaches who may not see it'],
  30: ['MUST', 'Access Token Privilege Restriction', 'OAuth 2.1 §5.2 is followed'],
  31: ['MUST', 'Access Token Privilege Restriction', 'A token that does not name this server is refused'],
  32: ['MUST', 'Access Token Privilege Restriction', 'The client\'s token is not passed to Django'],
  33: ['MUST', 'Authorization Server Location', 'The metadata says where authorization servers are'],
  34: ['MUST', 'Authorization Server Location', '`authorization_servers` has at least one, where an issuer is a URL; a secret alone is no authorization server'],
  35: ['MUST', 'Protected Resource Metadata Discovery', 'The metadata is found by the challenge or at a well-known path'],
  36: ['MUST', 'Authorization Server Discovery', 'The rules of discovery are followed']
}

const client = 'binds clients'
const server = 'binds authorization servers'

/** Sentences that do not bind a resource server, and why. */
export const notOurs: ReadonlyArray<readonly [section: string, rule: string, reason: string]> = [
  ['Protocol Requirements', 'STDIO takes credentials from the environment; other transports follow their practices', 'this server speaks HTTP only'],
  ['Overview', 'OAuth 2.1 for all kinds of clients', server],
  ['Overview', 'Client ID metadata documents are supported', `${server} and clients`],
  ['Overview', 'Metadata is used to find authorization servers; both kinds of discovery are supported', client],
  ['Overview', 'RFC 8414 or OpenID Connect discovery is offered', server],
  ['Client Registration', 'A client ID is obtained first', client],
  ['Scope Selection Strategy', 'No relation between challenge and metadata is assumed; the challenge is authoritative; granted scopes are kept', client],
  ['Scope Selection Strategy', 'Least privilege, and the order in which scopes are chosen', client],
  ['Authorization Response Validation', 'The issuer is recorded before the redirect, and compared with `iss` as it is written', client],
  ['Authorization Response Validation', '`iss` is sent and advertised', server],
  ['Authorization Response Validation', 'An error with a wrong `iss` is not shown', client],
  ['Resource Parameter Implementation', '`resource` is sent in both requests, names the server and is canonical', client],
  ['Canonical Server URI', 'The most specific URI is sent, always', client],
  ['Token Requirements', 'The header is used, in every request', client],
  ['Token Handling', 'No tokens of other issuers are sent', client],
  ['Refresh Tokens', 'Refresh tokens are kept secret, asked for and not counted on', client],
  ['Step-Up Authorization Flow', 'Stepping up, with a limit of attempts', client],
  ['Token Audience Binding and Validation', '`resource` is sent', client],
  ['Token Theft', 'Tokens live short; refresh tokens rotate', server],
  ['Communication Security', 'Endpoints of authorization servers use HTTPS; redirects go to localhost or HTTPS', `${server} and clients`],
  ['Authorization Code Protection', 'PKCE with S256, only where it is advertised', client],
  ['Authorization Code Protection', 'PKCE is advertised in OpenID Connect metadata', server],
  ['Open Redirection', 'Redirect URIs are registered, `state` is verified', client],
  ['Open Redirection', 'Redirect URIs are compared exactly, and only trusted ones followed', server],
  ['Client ID Metadata Document Security', 'Fetching documents is guarded, redirects to localhost are pointed out', server],
  ['Confused Deputy Problem', 'Consent for each client that registers', 'binds proxies of authorization servers; this server is none'],
  ['Access Token Privilege Restriction', '`resource` is sent', client],
  ['Authorization Server Location', 'Credentials are kept apart for each authorization server', client],
  ['Protected Resource Metadata Discovery', 'Both ways of discovery are supported; challenges are parsed', client],
  ['Authorization Server Metadata Discovery', 'All well-known paths are tried, and `issuer` is compared', client],
  ['Client Registration (page)', 'Order of the ways to register; documents at https URLs that name themselves; application types', client],
  ['Client Registration (page)', 'Documents are fetched, validated and cached', server],
  ['Authorization Server Binding', 'Credentials belong to one issuer', client]
]
