import { ServiceError } from '@weir/contracts'

export type GroupCommit<Op, Verdict> = AsyncDisposable & {
  /**
   * Commits one operation together with whatever else is waiting, and gives its own verdict. Rejects with
   * `service_unavailable` when the queue is full or no verdict came in time, in which case it may still be committed.
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
  maxBatch: number
  maxQueued: number
  timeoutMs: number
  /** Gets the verdict of an operation whose caller has stopped waiting. */
  onLateVerdict?: (op: Op, verdict: Verdict) => void
}

type Waiting<Op, Verdict> = {
  op: Op
  settled: boolean
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
      const entry: Waiting<Op, Verdict> = { op, settled: false, resolve, reject }
      const timer = setTimeout(
        () => settle(entry, () => reject(unavailable('The ledger did not answer in time.'))),
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
    }
    draining = undefined
  }

  async function commitBatch(batch: Waiting<Op, Verdict>[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const verdicts = await options.commit(batch.map(({ op }) => op))
        batch.forEach((entry, i) => deliver(entry, verdicts[i] as Verdict))
        return
      } catch (error) {
        // An unknown outcome is resolved by asking again with the same ids, never by guessing. Once nobody waits any
        // more the reconciler finds what was committed.
        if (options.isTransient(error) && batch.some(({ settled }) => !settled))
          await pause(Math.min(10 * 2 ** attempt, 250))
        else return splitOrReject(batch, error)
      }
    }
  }

  /** One operation that cannot be committed must not fail its neighbours: halve until it stands alone. */
  async function splitOrReject(batch: Waiting<Op, Verdict>[], error: unknown): Promise<void> {
    if (batch.length === 1 || options.isTransient(error)) {
      for (const entry of batch) settle(entry, () => entry.reject(error))
      return
    }
    const middle = batch.length >> 1
    await commitBatch(batch.slice(0, middle))
    await commitBatch(batch.slice(middle))
  }

  function deliver(entry: Waiting<Op, Verdict>, verdict: Verdict) {
    if (entry.settled) options.onLateVerdict?.(entry.op, verdict)
    else settle(entry, () => entry.resolve(verdict))
  }

  return {
    submit,
    async [Symbol.asyncDispose]() {
      await draining
    },
  }
}

function settle(entry: { settled: boolean }, tell: () => void) {
  if (entry.settled) return
  entry.settled = true
  tell()
}

/** Takes the next batch off the queue: those nobody waits for are dropped unsent, a second one of a key stays behind. */
function nextBatch<Op, Verdict>(
  queue: Waiting<Op, Verdict>[],
  { keyOf, orderOf, maxBatch }: Pick<GroupCommitOptions<Op, Verdict>, 'keyOf' | 'orderOf' | 'maxBatch'>,
): Waiting<Op, Verdict>[] {
  const keys = new Set<string>()
  const left: Waiting<Op, Verdict>[] = []
  const batch: Waiting<Op, Verdict>[] = []
  for (const entry of queue.splice(0)) {
    if (entry.settled) continue
    if (batch.length === maxBatch || keys.has(keyOf(entry.op))) {
      left.push(entry)
      continue
    }
    keys.add(keyOf(entry.op))
    batch.push(entry)
  }
  queue.push(...left)
  return batch
    .map((entry) => ({ entry, order: orderOf(entry.op) }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ entry }) => entry)
}

const unavailable = (message: string) =>
  new ServiceError('service_unavailable', `${message} Please try again shortly.`, { retryAfterMs: 1_000 })
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
