import { type CompletionJob, type FileId, type Price, type ServiceError, toServiceError } from '@weir/contracts'
import type { Lane } from '@weir/queue'
import type { Relay } from '@weir/relay'
import { type Logger, isDependencyError } from '@weir/runtime'
import type { Batch, BatchItems, BatchWork, ClaimedItem, ItemError, PausedFor } from '@weir/store'
import { type AdmitDeps, admit } from '../admit.ts'
import { CostBoundReached, type CostLeft } from '../cost-bound.ts'
import { type HandOverDeps, submit } from '../hand-over.ts'
import type { Feeding } from './batch-metrics.ts'
import { inputGone, isInputGone, readItems } from './read-items.ts'
import { type Line, type ReadLineDeps, readLine } from './read-line.ts'
import { createSlices } from './slices.ts'
import { shareItems } from './share-items.ts'

export type FeedDeps = AdmitDeps &
  HandOverDeps & {
    catalogue: ReadLineDeps['catalogue']
    prices: { priceOf(model: string): { price: Price } }
    files: { read(id: FileId, range: { start: number; end: number }): AsyncIterable<Uint8Array> }
    items: Pick<BatchItems, 'claim' | 'fail' | 'failRest' | 'unclaim'>
    work: Pick<BatchWork, 'pause' | 'hold'>
    relay: Pick<Relay, 'submit'>
    lane: Pick<Lane, 'enqueue' | 'pace'>
    feeding: FeedLimits
    onFed?: (how: Feeding) => void
    log: Logger
  }

export type FeedLimits = {
  /** Lines of all batches that are claimed or run at once, at most. */
  maxWindow: number
  /** From its admission to its end, in milliseconds; then a line is tried again. */
  lineTimeoutMs: number
}

/** A feeder that is not heard of for so long has died, and its lines are fed by another one. */
const CLAIM_MS = 10_000
const MOST_AT_ONCE = 200
/** While no worker has said how many slots it has. */
const LEAST_WINDOW = 16
/** Every slot has its next line waiting, and hardly more: what waits in Redis cannot be shared out again. */
const LINES_PER_SLOT = 2
/** How long a line is kept in Postgres beyond the window of its batch: by then its batch is finalized. */
const KEPT_LONGER_MS = 86_400_000
/** Running lines give credits back any moment; nobody knows when an account is topped up. */
const BUSY_PAUSE_MS = 200
const PAUSE_MS = 5_000

/** So often in the time of a line the window is filled up: half of it is still waiting by then. */
const ROUNDS_PER_LINE = 4
const SHORTEST_ROUND_MS = 25
const LONGEST_ROUND_MS = 250

/** Feeds what there is room for. Tells after how many milliseconds to look again, while there is more to feed. */
export async function feedItems(deps: FeedDeps): Promise<number | undefined> {
  const { slots, meanMs = 0 } = await deps.lane.pace()
  const window = Math.min(deps.feeding.maxWindow, Math.max(LEAST_WINDOW, slots * LINES_PER_SLOT))
  const { items, batches } = await deps.items.claim({ window, most: MOST_AT_ONCE, leaseMs: CLAIM_MS }, shareItems)
  const claimed = Map.groupBy(items, ({ batchId }) => batchId)
  await Promise.all(
    batches.filter(({ id }) => claimed.has(id)).map((batch) => feedBatch(deps, batch, claimed.get(batch.id)!)),
  )
  if (batches.length === 0) return undefined
  return Math.min(LONGEST_ROUND_MS, Math.max(SHORTEST_ROUND_MS, meanMs / ROUNDS_PER_LINE))
}

/** One that cannot be fed must not keep the others from it. */
async function feedBatch(deps: FeedDeps, batch: Batch, items: readonly ClaimedItem[]): Promise<void> {
  try {
    const texts = await readItems(deps.files, batch.inputFileId, items)
    const priceOf = (model: string) => deps.prices.priceOf(model).price
    const left = costLeftOf(batch)
    const rest = createSlices()
    const feeding: Promise<Fed>[] = []
    for (const [i, item] of items.entries()) {
      const read = readLine({ ...deps, priceOf }, batch, texts[i]!)
      feeding.push(
        read.kind === 'bad'
          ? Promise.resolve({ kind: 'failed', item, error: read.error })
          : feedLine(deps, batch, item, read.line, left),
      )
      await rest()
    }
    const ends = await Promise.all(feeding)
    for (const { kind } of ends) deps.onFed?.(kind)
    await settleEnds(deps, batch, ends)
  } catch (error) {
    if (isInputGone(error)) return endWithoutInput(deps, batch, items)
    // Its lines stay claimed for a while, and are fed then.
    deps.log.warn({ err: error, batch: batch.id }, 'a batch could not be fed')
  }
}

/** Its owner has deleted it, or it has expired. */
async function endWithoutInput(
  { items: store }: FeedDeps,
  { id }: Batch,
  items: readonly ClaimedItem[],
): Promise<void> {
  await store.fail(
    id,
    items.map(({ line }) => ({ line, error: inputGone })),
  )
  await store.failRest(id, inputGone)
}

type Fed =
  | { kind: 'fed'; item: ClaimedItem }
  | { kind: 'failed'; item: ClaimedItem; error: ItemError }
  | { kind: 'refused'; item: ClaimedItem; why: PausedFor | 'max_cost' }
  /** Nobody knows: it is asked again under the same id. */
  | { kind: 'unknown'; item: ClaimedItem }

const costLeftOf = ({ maxCost, charged, reserved }: Batch): CostLeft | undefined =>
  maxCost === undefined ? undefined : { amount: maxCost - charged - reserved }

async function feedLine(
  deps: FeedDeps,
  batch: Batch,
  item: ClaimedItem,
  line: Line,
  left: CostLeft | undefined,
): Promise<Fed> {
  const untilEnd = batch.expiresAt.getTime() - Date.now()
  let job: CompletionJob
  try {
    const admitted = await admit(
      deps,
      { accountId: batch.accountId, keyId: batch.keyId },
      {
        ...line,
        request: { ...line.request, account: batch.accountId },
        timeoutMs: Math.max(1, Math.min(untilEnd, deps.feeding.lineTimeoutMs)),
        ownDeadline: false,
        background: false,
        attended: false,
        keepMs: Math.max(0, untilEnd) + KEPT_LONGER_MS,
        includeUsage: false,
        idempotency: undefined,
        ofBatch: { id: item.completionId, costLeft: left },
      },
    )
    if (admitted.kind === 'held') throw new Error('a line of a batch has no idempotency key')
    job = admitted.job
  } catch (error) {
    return refused(deps, item, error)
  }
  // It is accepted, whether or not Redis can take it now: the reconciler hands over what was not.
  await submit(deps, job, { replyTo: undefined }).catch((error: unknown) =>
    deps.log.warn({ err: error, completion: job.id }, 'a line could not be handed over yet'),
  )
  return { kind: 'fed', item }
}

const pauses: Partial<Record<ServiceError['code'], PausedFor>> = {
  credit_balance_exhausted: 'insufficient_credits',
  key_limit_exceeded: 'key_limit',
  account_frozen: 'account_frozen',
}

function refused({ log }: FeedDeps, item: ClaimedItem, error: unknown): Fed {
  if (error instanceof CostBoundReached) return { kind: 'refused', item, why: 'max_cost' }
  if (isDependencyError(error)) return { kind: 'unknown', item }
  const { code, message, param, cause } = toServiceError(error)
  const why = pauses[code]
  if (why) return { kind: 'refused', item, why }
  // A fault of ours would come again. Should the line have been admitted before, it runs, and this ends nothing.
  if (code === 'internal') log.error({ err: cause, completion: item.completionId }, 'a line could not be admitted')
  return { kind: 'failed', item, error: { code, message, ...(param !== undefined && { param }) } }
}

/** What could not be fed fails, or goes back and waits with its batch. */
async function settleEnds(deps: FeedDeps, batch: Batch, ends: readonly Fed[]): Promise<void> {
  const failed = ends.filter((end) => end.kind === 'failed')
  if (failed.length > 0)
    await deps.items.fail(
      batch.id,
      failed.map(({ item, error }) => ({ line: item.line, error })),
    )
  const refusals = ends.filter((end) => end.kind === 'refused')
  const [first] = refusals
  if (!first) return
  await deps.items.unclaim(
    batch.id,
    refusals.map(({ item }) => item.line),
    0,
  )
  const othersRun = batch.lines.running > 0 || ends.some(({ kind }) => kind === 'fed' || kind === 'unknown')
  if (othersRun) return deps.work.hold(batch.id, BUSY_PAUSE_MS)
  if (first.why === 'max_cost') return deps.items.failRest(batch.id, costBoundReached)
  return deps.work.pause(batch.id, first.why, PAUSE_MS)
}

const costBoundReached: ItemError = {
  code: 'max_credits_reached',
  message: 'This line was not run: the batch has reached its max_credits.',
}
