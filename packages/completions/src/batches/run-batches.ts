import { setTimeout as sleep } from 'node:timers/promises'
import { repeat } from '@weir/runtime'
import type { BatchItems, BatchWork } from '@weir/store'
import { type CancelDeps, cancel } from '../cancel.ts'
import { type FeedDeps, feedItems } from './feed-items.ts'
import { type FinalizeDeps, finalizeBatch } from './finalize-batch.ts'
import { type ValidateDeps, validateBatch } from './validate-batch.ts'
import { createWorkInTurn } from './work-in-turn.ts'

export type RunBatchesDeps = Omit<FeedDeps & ValidateDeps & FinalizeDeps, 'priceOf' | 'items' | 'work' | 'files'> &
  CancelDeps & {
    items: BatchItems
    work: BatchWork
    files: FeedDeps['files'] & ValidateDeps['files'] & FinalizeDeps['files']
    onError: (error: unknown) => void
  }

const IDLE_MS = 500
const TURN_MS = 250
const STOP_AT_ONCE = 200

/** Batches that are validated, and that are finalized, by one process at once. */
const AT_ONCE = 2

/** Whatever batches need, until it is disposed of. Any number of processes may run it beside one another. */
export function runBatches(deps: RunBatchesDeps): AsyncDisposable {
  const { log, onError } = deps
  const all = { ...deps, priceOf: (model: string) => deps.prices.priceOf(model).price }
  const running = new AsyncDisposableStack()
  running.use(repeat(IDLE_MS, (signal) => feed(all, signal), onError))
  running.use(repeat(TURN_MS, () => turnOver(all), onError))

  const validate = createWorkInTurn({
    take: all.work.toValidate,
    workOn: (batch, signal) => validateBatch(all, batch, signal),
    giveUp: ({ id }) => all.work.refuse(id, [notValidated]),
    log,
  })
  const finalize = createWorkInTurn({
    take: all.work.toFinalize,
    workOn: (batch, signal) => finalizeBatch(all, batch, signal),
    log,
  })
  for (const work of [validate, finalize]) for (let n = 0; n < AT_ONCE; n++) running.use(repeat(IDLE_MS, work, onError))
  return running
}

const notValidated = {
  code: 'internal',
  message: 'The input file could not be checked, through a fault on our side. Nothing has run; please try again.',
}

type Deps = RunBatchesDeps & ValidateDeps

/** As long as there is something to feed, at the pace of those who run it. */
async function feed(deps: Deps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const pauseMs = await feedItems(deps)
    if (pauseMs === undefined) return
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
}

async function turnOver(deps: Deps): Promise<void> {
  await deps.work.turnOver()
  const toStop = await deps.items.toStop(STOP_AT_ONCE)
  await Promise.all(toStop.map((id) => cancel(deps, id)))
}
