import { setImmediate as turn } from 'node:timers/promises'
import { ServiceError } from '@weir/contracts'

export type GroupCommit<Op, Verdict> = AsyncDisposable & {
  /**
   * Commits one operation together with whatever else is waiting, and gives its own verdict. Rejects with
   * `service_unavailable` when the queue is full or no verdict came in time: with `OutcomeUnknown` where it may be
   * committed all the same.
   */
  submit(op: Op): Promise<Verdict>
}

export type GroupCommitOptions<Op, Verdict> = {
  /** Commits all of them in one transaction and returns their verdicts by position. Must be safe to repeat. */
  commit: (ops: readonly Op[]) => Promise<Verdict[]>
  /** Two operations of one key never share a batch; a batch is sorted by `orderOf`, keeping arrival order inside it. */
  keyOf: (op: Op) => string
  orderOf: (op: Op) => string
  /** Whether the same batch may be sent again, because its outcome is unknown or another try can succeed. */
  isTransient: (error: unknown) => boolean
  /** Whether a batch that failed so has certainly not been seen by the server. */
  neverArrived?: (error: unknown) => boolean
  /** Told of every batch that was committed. */
  onCommitted?: ((batch: Committed<Verdict>) => void) | undefined
  maxBatch: number
  /** What an operation weighs, where that differs, and how much a batch may weigh; one that weighs more goes alone. */
  weightOf?: (op: Op) => number
  maxBatchWeight?: number
  maxQueued: number
  timeoutMs: number
}

/** A batch that was committed: its verdicts, and how long the commit took. */
export type Committed<Verdict> = { verdicts: readonly Verdict[]; ms: number }

type Waiting<Op, Verdict> = {
  op: Op
  settled: boolean
  /** It was sent, and nobody knows what came of it. */
  isOpen: boolean
  resolve: (verdict: Verdict) => void
  reject: (error: unknown) => void
}

/**
 * Group commit: operations of a process share one transaction. Idle, an operation is sent at once; busy, it joins the
 * batch that forms while the last one commits. There is no timer, so waiting costs nothing when nobody else is there.
 */
export function createGroupCommit<Op, Verdict>(options: GroupCommitOptions<Op, Verdict>): GroupCommit<Op, Verdict> {
  const queue: Waiting<Op, Verdict>[] = []
  let draining: Promise<void> | undefined

  function submit(op: Op): Promise<Verdict> {
    if (queue.length >= options.maxQueued)
      return Promise.reject(unavailable('Too many operations are waiting to be committed.'))
    return new Promise((resolve, reject) => {
      const entry: Waiting<Op, Verdict> = { op, settled: false, isOpen: false, resolve, reject }
      const timer = setTimeout(
        () => settle(entry, () => reject(entry.isOpen ? new OutcomeUnknown() : unavailable(TOO_LATE))),
        options.timeoutMs,
      )
      entry.resolve = (verdict) => (clearTimeout(timer), resolve(verdict))
      entry.reject = (error) => (clearTimeout(timer), reject(error))
      queue.push(entry)
      draining ??= drain()
    })
  }

  async function drain() {
    while (queue.length > 0) {
      const batch = nextBatch(queue, options)
      if (batch.length > 0) await commitBatch(batch)
      // Those who were just answered may ask again in this turn of the event loop. Without it they would miss the next batch
      // by a moment, and every other commit would carry only the few that came while the last one was under way.
      await turn()
    }
    draining = undefined
  }

  async function commitBatch(asked: Waiting<Op, Verdict>[]): Promise<void> {
    let batch = asked
    for (let attempt = 0; batch.length > 0; attempt++) {
      const sentAt = performance.now()
      const wereOpen = batch.filter(({ isOpen }) => isOpen)
      for (const entry of batch) entry.isOpen = true
      let verdicts: Verdict[]
      try {
        verdicts = await options.commit(batch.map(({ op }) => op))
      } catch (error) {
        if (options.neverArrived?.(error)) for (const entry of batch) entry.isOpen = wereOpen.includes(entry)
        if (!options.isTransient(error)) return splitOrReject(batch, error)
        if (batch.some(isWaiting)) await pause(Math.min(10 * 2 ** attempt, 250))
        // An unknown outcome is resolved by asking again with the same ids, never by guessing. What nobody waits for any
        // more is not asked again: if it was committed, the reconciler finds it.
        batch = batch.filter(isWaiting)
        continue
      }
      const ms = performance.now() - sentAt
      batch.forEach((entry, i) => settle(entry, () => entry.resolve(verdicts[i] as Verdict)))
      return options.onCommitted?.({ verdicts, ms })
    }
  }

  /** One operation that cannot be committed must not fail its neighbours: halve until it stands alone. */
  async function splitOrReject(batch: Waiting<Op, Verdict>[], error: unknown): Promise<void> {
    const [only] = batch
    if (batch.length === 1 && only) return settle(only, () => only.reject(error))
    const middle = batch.length >> 1
    await commitBatch(batch.slice(0, middle))
    await commitBatch(batch.slice(middle))
  }

  return {
    submit,
    async [Symbol.asyncDispose]() {
      await draining
    },
  }
}

const isWaiting = ({ settled }: { settled: boolean }): boolean => !settled

function settle(entry: { settled: boolean }, tell: () => void) {
  if (entry.settled) return
  entry.settled = true
  tell()
}

/** Takes the next batch off the queue: those nobody waits for are dropped unsent, a second one of a key stays behind. */
function nextBatch<Op, Verdict>(
  queue: Waiting<Op, Verdict>[],
  options: GroupCommitOptions<Op, Verdict>,
): Waiting<Op, Verdict>[] {
  const { keyOf, orderOf, maxBatch, weightOf = () => 0, maxBatchWeight = Infinity } = options
  const keys = new Set<string>()
  let weight = 0
  const left: Waiting<Op, Verdict>[] = []
  const batch: Waiting<Op, Verdict>[] = []
  for (const entry of queue.splice(0)) {
    if (!isWaiting(entry)) continue
    const heavier = weight + weightOf(entry.op)
    const isFull = batch.length === maxBatch || (batch.length > 0 && heavier > maxBatchWeight)
    if (isFull || keys.has(keyOf(entry.op))) {
      left.push(entry)
      continue
    }
    weight = heavier
    keys.add(keyOf(entry.op))
    batch.push(entry)
  }
  queue.push(...left)
  return batch
    .map((entry) => ({ entry, order: orderOf(entry.op) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ entry }) => entry)
}

const RETRY_AFTER_MS = 1_000
const TOO_LATE = 'The ledger did not answer in time.'

const unavailable = (message: string) =>
  new ServiceError('service_unavailable', `${message} Please try again shortly.`, { retryAfterMs: RETRY_AFTER_MS })

/** No verdict came in time for an operation that was sent: it may be committed, now or in a moment. */
export class OutcomeUnknown extends ServiceError {
  constructor() {
    super('service_unavailable', `${TOO_LATE} Please try again shortly.`, { retryAfterMs: RETRY_AFTER_MS })
  }
}
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
