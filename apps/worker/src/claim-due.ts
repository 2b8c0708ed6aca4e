import type { WorkQueue } from '@weir/queue'
import { repeat } from '@weir/runtime'
import type { WebhookOutbox } from '@weir/store'

export type ClaimDueDeps = {
  outbox: Pick<WebhookOutbox, 'claim'>
  queue: Pick<WorkQueue, 'add' | 'waiting'>
  pollMs: number
  onError: (error: unknown) => void
}

/** What one look at Postgres hands to Redis, and what may wait there. */
const PAGE = 200

/** Between two looks, however often somebody has done. */
const SOON_MS = 25

/** Looks for deliveries that are due, again and again, and puts them on the queue. `soon`: there may be room for more. */
export function claimDue({ outbox, queue, pollMs, onError }: ClaimDueDeps): AsyncDisposable & { soon(): void } {
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function claimPage(): Promise<void> {
    if ((await queue.waiting()) >= PAGE) return
    await queue.add(await outbox.claim(PAGE))
  }
  // One at a time: a second one would find what the first one claims.
  const look = () =>
    (looking ??= claimPage().finally(() => {
      looking = undefined
    }))
  const polling = repeat(pollMs, look, onError)
  let closed = false

  return {
    soon() {
      if (closed) return
      timer ??= setTimeout(() => {
        timer = undefined
        look().catch(onError)
      }, SOON_MS)
    },
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(timer)
      await polling[Symbol.asyncDispose]()
      await looking?.catch(onError)
    },
  }
}
