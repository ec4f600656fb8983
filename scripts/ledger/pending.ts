/** Entries that have no test yet. Nothing may be added, and the list goes when it is empty. */
export const pending: readonly string[] = [
  ...[8, 17].map((number) => `requirement ${number}`),
  ...[22, 26].map((number) => `attack ${number}`)
]
