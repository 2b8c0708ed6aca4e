import { type Logger, isDependencyError } from '@weir/runtime'
import type { AccountId } from '@weir/contracts'
import type { Batch, Turn } from '@weir/store'
import { WORK_LEASE_MS } from './validate-batch.ts'

export type WorkInTurn = {
  take: (leaseMs: number, turn: Turn) => Promise<Batch | undefined>
  workOn: (batch: Batch, signal: AbortSignal) => Promise<void>
  /** One that fails again and again, through a fault of ours. */
  giveUp?: (batch: Batch) => Promise<void>
  log: Logger
}

/** Accounts that are remembered; who was served before them is as good as new. */
const MOST_SERVED = 1_000
/** Half a minute lies between two tries. */
const MOST_TRIES = 5
const MOST_FAILING = 1_000

/**
 * Works on batches one after the other for as long as there are any. Called by several at once it gives each a batch of
 * another account, and always that of the account that was served longest ago: nobody waits behind all that somebody else has.
 */
export function createWorkInTurn({ take, workOn, giveUp, log }: WorkInTurn): (signal: AbortSignal) => Promise<void> {
  const served = new Set<AccountId>()
  const busy = new Set<AccountId>()
  const failures = new Map<Batch['id'], number>()

  let taking: Promise<unknown> = Promise.resolve()

  /** One at a time: who takes must know whom the others serve. */
  function next(): Promise<Batch | undefined> {
    const taken = taking.then(takeNow)
    taking = taken.catch(() => {})
    return taken
  }

  async function takeNow(): Promise<Batch | undefined> {
    const batch = await take(WORK_LEASE_MS, { served: [...served], busy: [...busy] })
    if (!batch) return undefined
    busy.add(batch.accountId)
    served.delete(batch.accountId)
    served.add(batch.accountId)
    if (served.size > MOST_SERVED) served.delete(served.values().next().value!)
    return batch
  }

  async function fail(batch: Batch, error: unknown): Promise<void> {
    log.error({ err: error, batch: batch.id }, 'a batch could not be worked on')
    const count = (failures.get(batch.id) ?? 0) + 1
    if (failures.size >= MOST_FAILING) failures.clear()
    failures.set(batch.id, count)
    if (count < MOST_TRIES) return
    failures.delete(batch.id)
    await giveUp?.(batch)
  }

  return async (signal) => {
    while (!signal.aborted) {
      const batch = await next()
      if (!batch) return
      try {
        await workOn(batch, signal)
      } catch (error) {
        // It is taken up again when its lease is over.
        if (signal.aborted || isDependencyError(error)) throw error
        await fail(batch, error)
      } finally {
        busy.delete(batch.accountId)
      }
    }
  }
}
