import { setTimeout as sleep } from 'node:timers/promises'
import { isDependencyError, repeat } from '@weir/runtime'
import type { Batch, BatchItems, BatchWork } from '@weir/store'
import { type CancelDeps, cancel } from '../cancel.ts'
import { type FeedDeps, feedItems } from './feed-items.ts'
import { type FinalizeDeps, finalizeBatch } from './finalize-batch.ts'
import { type ValidateDeps, WORK_LEASE_MS, validateBatch } from './validate-batch.ts'

export type RunBatchesDeps = Omit<FeedDeps & ValidateDeps & FinalizeDeps, 'priceOf' | 'items' | 'work' | 'files'> &
  CancelDeps & {
    items: BatchItems
    work: BatchWork
    files: FeedDeps['files'] & ValidateDeps['files'] & FinalizeDeps['files']
    onError: (error: unknown) => void
  }

/** Between two looks while there is something to feed; what ended meanwhile makes room. */
const FEED_MS = 40
const IDLE_MS = 500
const TURN_MS = 250
const STOP_AT_ONCE = 200

/** Whatever batches need, until it is disposed of. Any number of processes may run it beside one another. */
export function runBatches(deps: RunBatchesDeps): AsyncDisposable {
  const all = { ...deps, priceOf: (model: string) => deps.prices.priceOf(model).price }
  const running = new AsyncDisposableStack()
  running.use(repeat(IDLE_MS, (signal) => feed(all, signal), deps.onError))
  running.use(repeat(TURN_MS, () => turnOver(all), deps.onError))
  running.use(repeat(IDLE_MS, (signal) => each(all, signal, all.work.toValidate, validateBatch), deps.onError))
  running.use(repeat(IDLE_MS, (signal) => each(all, signal, all.work.toFinalize, finalizeBatch), deps.onError))
  return running
}

type Deps = RunBatchesDeps & ValidateDeps

/** As long as there is something to feed, at a quick pace. */
async function feed(deps: Deps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await feedItems(deps))) await sleep(FEED_MS, undefined, { signal }).catch(() => {})
}

async function turnOver(deps: Deps): Promise<void> {
  await deps.work.turnOver()
  const toStop = await deps.items.toStop(STOP_AT_ONCE)
  await Promise.all(toStop.map((id) => cancel(deps, id)))
}

/** One batch after the other, for as long as there are any that wait for this. */
async function each(
  deps: Deps,
  signal: AbortSignal,
  take: (leaseMs: number) => Promise<Batch | undefined>,
  workOn: (deps: Deps, batch: Batch, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const batch = await take(WORK_LEASE_MS)
    if (!batch) return
    try {
      await workOn(deps, batch, signal)
    } catch (error) {
      // It is taken up again when its lease is over.
      if (signal.aborted || isDependencyError(error)) throw error
      deps.log.error({ err: error, batch: batch.id }, 'a batch could not be worked on')
    }
  }
}
