import { type AccountId, type CompletionId, newCompletionId, newKeyId, newPriceId } from '@weir/contracts'
import type { Operation } from '../src/operations.ts'
import type { Verdict } from './apply-batch.ts'
import { type Progress, type Window, through } from './window.ts'

export type Workload = { accounts: readonly AccountId[]; inFlight: number }

/** What a slice of time showed. Half an operation each of a reserve and of its end make a pair. */
export type Slice = { seconds: number; pairs: number; latenciesMs: number[] }

export type Submit = (op: Operation) => Promise<Verdict>

const QUOTE = 2_000n
const COST = 700n
const SETTLED_SHARE = 0.9

/**
 * `inFlight` callers, each reserving and then ending one completion after another on accounts drawn at random. Whoever
 * is refused throws: a run with refusals would compare nothing.
 */
export async function runCallers(submit: Submit, { accounts, inFlight }: Workload, window: Window): Promise<Slice> {
  const slice: Slice = { seconds: 0, pairs: 0, latenciesMs: [] }
  const progress: Progress = { phase: 'lead-in' }
  const [keyId, priceId] = [newKeyId(), newPriceId()]

  async function timed(op: Operation) {
    const asked = performance.now()
    const { kind } = await submit(op)
    if (kind !== 'reserved' && kind !== 'closed') throw new Error(`A ${op.kind} was answered ${kind}.`)
    if (progress.phase !== 'open') return
    slice.pairs += 0.5
    slice.latenciesMs.push(performance.now() - asked)
  }
  async function reserve() {
    const accountId = accounts[Math.floor(Math.random() * accounts.length)]!
    const completionId = newCompletionId()
    await timed({ kind: 'reserve', accountId, completionId, quote: QUOTE, keyId, priceId })
    return { accountId, completionId }
  }
  const end = (open: { accountId: AccountId; completionId: CompletionId }) =>
    timed(Math.random() < SETTLED_SHARE ? { kind: 'settle', ...open, cost: COST } : { kind: 'release', ...open })

  // Half of them begin with a reservation. So at any time as many reserve as end, as in a service.
  const reserved = await Promise.all(Array.from({ length: inFlight >> 1 }, reserve))

  async function caller(_: unknown, index: number) {
    let open = reserved[index]
    while (progress.phase !== 'over') {
      if (open) await end(open)
      open = open ? undefined : await reserve()
    }
  }
  slice.seconds = await through(window, progress, () => Promise.all(Array.from({ length: inFlight }, caller)))
  return slice
}
