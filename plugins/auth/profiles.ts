import { z } from 'zod'
import type { ProfileName } from '../../checks/issuers.ts'

/** What the access tokens of a kind of authorization server look like, where that differs. */
export interface Profile {
  /** `typ` of the header (RFC 7515 §4.1.9) in small letters, without `application/`; undefined stands for none. */
  types: ReadonlySet<string | undefined>
  /** The claim that identifies the user. It never changes and never belongs to somebody else later: no e-mail address. */
  subject: string
  /** What that claim holds. */
  subjectForm: z.ZodType<string>
  /** Claims that name the OAuth client; the first that is there counts. */
  client: readonly string[]
  /** Claims that hold scopes, as a text with spaces between or as a list; the first that is there counts. */
  scopes: ReadonlyArray<readonly ['text' | 'list', string]>
  /** What tells its access tokens from others that are signed with the same key. */
  marks: z.ZodType
}

/** A name of something, as far as tokens may have them. Databases fail on NUL, and people take a blank for nobody. */
export const identifier = z.string().min(1).max(255).refine((name) => name.trim() !== '' && !/\p{Cc}/u.test(name), 'expected a name without control characters')

/** Before release 5.5 of simplejwt, the primary key as it is. */
const primaryKey = z.union([identifier, z.int().positive().transform(String)])

const none = z.unknown()
const anyType = new Set(['jwt', 'at+jwt', undefined])
const scope = ['text', 'scope'] as const

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  // RFC 9068 §2
  rfc9068: { types: new Set(['at+jwt']), subject: 'sub', subjectForm: identifier, client: ['client_id'], scopes: [scope], marks: none },
  generic: { types: anyType, subject: 'sub', subjectForm: identifier, client: ['client_id', 'azp'], scopes: [scope, ['list', 'scopes']], marks: none },
  // Introspection names no `sub`; user names are unique and stay with their user.
  'django-oauth-toolkit': { types: anyType, subject: 'username', subjectForm: identifier, client: ['client_id'], scopes: [scope], marks: none },
  // Refresh tokens are signed with the same key, so the type has to be there.
  simplejwt: { types: new Set(['jwt']), subject: 'user_id', subjectForm: primaryKey, client: ['client_id'], scopes: [scope, ['list', 'scopes']], marks: z.object({ token_type: z.literal('access') }) },
  // So are ID tokens, refresh tokens and others, told apart by `typ` in the payload.
  keycloak: { types: new Set(['jwt', 'at+jwt']), subject: 'sub', subjectForm: identifier, client: ['azp', 'client_id'], scopes: [scope], marks: z.object({ typ: z.literal('Bearer') }) },
  // `permissions` holds what the user may do, `scope` what the client was given of it.
  auth0: { types: new Set(['jwt', 'at+jwt']), subject: 'sub', subjectForm: identifier, client: ['azp', 'client_id'], scopes: [scope, ['list', 'permissions']], marks: none },
  // `sub` differs from application to application; ID tokens have no `azp`, but may have our audience and `roles`.
  entra: { types: new Set(['jwt', 'at+jwt']), subject: 'oid', subjectForm: identifier, client: ['azp'], scopes: [['text', 'scp'], ['list', 'roles']], marks: z.object({ azp: identifier, tid: identifier }) },
  workos: { types: anyType, subject: 'sub', subjectForm: identifier, client: ['client_id', 'azp'], scopes: [scope], marks: none }
}
