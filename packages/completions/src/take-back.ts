import { setTimeout as sleep } from 'node:timers/promises'
import type { CompletionJob } from '@weir/contracts'
import type { FinishDeps } from './finish.ts'
import { lostOutcome } from './outcomes.ts'

export type TakeBackDeps = Pick<FinishDeps, 'endings'>

/** Together longer than any statement still runs whose answer was not waited for, and shorter than the reconciler waits. */
const PAUSES_MS = [100, 1_000, 3_000, 9_000, 27_000]

/** While Postgres is away, what cannot be remembered is left to the reconciler, which hands it over. */
const MOST_AT_ONCE = 10_000
let underWay = 0

/**
 * Ends a completion whose client was told that it was not accepted, though the answer of Postgres is not known: one that is
 * kept would be handed over later, and charged. What was not written cannot be ended, now; it may be written a moment later.
 */
export async function takeBack(
  { endings }: TakeBackDeps,
  { id, accountId }: Pick<CompletionJob, 'id' | 'accountId'>,
  pausesMs = PAUSES_MS,
): Promise<void> {
  if (underWay >= MOST_AT_ONCE) return
  underWay++
  try {
    for (const pauseMs of pausesMs) {
      await sleep(pauseMs, undefined, { ref: false })
      const verdict = await endings.submit({ id, accountId, outcome: lostOutcome() }).catch(() => undefined)
      if (verdict && verdict.kind !== 'not_found') return
    }
  } finally {
    underWay--
  }
}
