import type { AccountId, BatchId } from '@weir/contracts'
import { repeat } from '@weir/runtime'
import type { Batch, BatchStore } from '@weir/store'

export type BatchWatch = {
  /**
   * Every look at a batch from now on, until the signal aborts or the batch has ended or is gone. Of looks that nobody took
   * in time the latest is handed out.
   */
  watch(batch: Pick<Batch, 'id' | 'accountId'>, signal: AbortSignal): AsyncGenerator<Batch, void>
}

const LOOK_MS = 1_000

type Watched = { looks: AsyncDisposable; tell: Set<(batch: Batch | undefined) => void> }

/** Looks at batches once a second each, however many watch one. */
export function createBatchWatch(batches: Pick<BatchStore, 'find'>, onError: (error: unknown) => void): BatchWatch {
  const watched = new Map<BatchId, Watched>()

  function begin({ id, accountId }: { id: BatchId; accountId: AccountId }): Watched {
    const tell: Watched['tell'] = new Set()
    const look = async () => {
      const batch = await batches.find(accountId, id)
      for (const each of tell) each(batch)
    }
    const one = { looks: repeat(LOOK_MS, look, onError), tell }
    watched.set(id, one)
    return one
  }

  function leave(id: BatchId, one: Watched, each: (batch: Batch | undefined) => void): void {
    one.tell.delete(each)
    if (one.tell.size > 0) return
    watched.delete(id)
    void one.looks[Symbol.asyncDispose]()
  }

  return {
    async *watch(batch, signal) {
      const one = watched.get(batch.id) ?? begin(batch)
      let latest: { batch: Batch | undefined } | undefined
      let wake = () => {}
      const each = (batch: Batch | undefined) => {
        latest = { batch }
        wake()
      }
      const onAbort = () => wake()
      signal.addEventListener('abort', onAbort)
      one.tell.add(each)
      try {
        while (!signal.aborted) {
          if (!latest) await new Promise<void>((resolve) => (wake = resolve))
          const look = latest
          latest = undefined
          if (!look) continue
          if (!look.batch) return
          yield look.batch
          if (look.batch.endedAt !== undefined) return
        }
      } finally {
        signal.removeEventListener('abort', onAbort)
        leave(batch.id, one, each)
      }
    },
  }
}
