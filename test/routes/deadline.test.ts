import t from 'tap'
import { withDeadline } from '../../routes/mcp/deadline.ts'
import { callError } from '../helper.ts'

t.test('what is cancelled before it begins does not begin', async (t) => {
  let begun = false
  t.match(await callError(withDeadline(60, AbortSignal.abort(), async () => { begun = true })), { kind: 'cancelled' })
  t.equal(begun, false)
})

t.test('what is cancelled or takes too long is not waited for, and told so', async (t) => {
  for (const [seconds, kind] of [[60, 'cancelled'], [0.01, 'timeout']] as const) {
    const leaving = new AbortController()
    let told: AbortSignal | undefined
    const running = callError(withDeadline(seconds, leaving.signal, (signal) => {
      told = signal
      return new Promise(() => undefined)
    }))
    if (kind === 'cancelled') leaving.abort()
    t.match(await running, { kind })
    t.equal(told?.aborted, true)
  }
})

t.test('what ends in time gives its result, or what it throws', async (t) => {
  const { signal } = new AbortController()
  t.equal(await withDeadline(60, signal, async () => 7), 7)
  await t.rejects(withDeadline(60, signal, async () => { throw new RangeError('mine') }), RangeError)
})
