import { attacks } from './attacks.ts'
import { authorization } from './authorization.ts'
import { requirements } from './requirements.ts'

/** What a test can prove, by the tag that its title carries: `attack 15`. */
export const entries: ReadonlyMap<string, string> = new Map([
  ...Object.keys(requirements).map((number) => [`requirement ${number}`, requirements[Number(number)] ?? ''] as const),
  ...Object.keys(attacks).map((number) => [`attack ${number}`, attacks[Number(number)]?.join(': ') ?? ''] as const),
  ...Object.keys(authorization).map((number) => [`authorization ${number}`, authorization[Number(number)]?.join(': ') ?? ''] as const)
])
