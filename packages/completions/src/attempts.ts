import type { AccountId, CompletionId } from '@weir/contracts'
import type { Relay } from '@weir/relay'
import { repeat } from '@weir/runtime'

/** Why an attempt was stopped. */
export type StopReason = 'cancelled' | 'stale' | 'deadline' | 'shutdown' | 'lost'

/** What the signal of an attempt aborts with. */
export class AttemptStopped extends Error {
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(`attempt stopped: ${reason}`)
    this.name = 'AttemptStopped'
    this.reason = reason
  }
}

export type Attempt = Disposable & {
  id: CompletionId
  accountId: AccountId
  epoch: number
  signal: AbortSignal
  /** The first reason counts. */
  stop(reason: StopReason): void
}

export type Attempts = AsyncDisposable & {
  begin(completion: { id: CompletionId; accountId: AccountId; deadlineAt: number }, epoch: number): Attempt
  /** All that run now. */
  running(): Attempt[]
  /** Stops the running attempt at a completion, if it is here. */
  stop(id: CompletionId, reason: StopReason): void
}

const CHECK_INTERVAL_MS = 1_000

/**
 * The attempts that run in this process. Each is checked every second, all in one round trip: a lost cancel message or a
 * newer attempt elsewhere is noticed then. When Redis has not answered for `patienceMs` all of them stop speaking: by then
 * somebody else may have been told to.
 */
export function createAttempts(relay: Pick<Relay, 'check'>, options: { patienceMs: number }): Attempts {
  const running = new Map<CompletionId, Attempt>()
  let answeredAt = performance.now()

  async function check() {
    const attempts = [...running.values()]
    const states = attempts.length > 0 ? await relay.check(attempts) : []
    answeredAt = performance.now()
    attempts.forEach((attempt, i) => {
      if (states[i] !== 'emitted') attempt.stop(states[i] === 'cancelled' ? 'cancelled' : 'stale')
    })
  }

  const checks = repeat(CHECK_INTERVAL_MS, check, () => {
    if (performance.now() - answeredAt < options.patienceMs) return
    for (const attempt of running.values()) attempt.stop('lost')
  })

  return {
    begin({ id, accountId, deadlineAt }, epoch) {
      const controller = new AbortController()
      const stop = (reason: StopReason) => {
        if (!controller.signal.aborted) controller.abort(new AttemptStopped(reason))
      }
      const timer = setTimeout(stop, Math.max(0, deadlineAt - Date.now()), 'deadline')
      const attempt: Attempt = {
        id,
        accountId,
        epoch,
        signal: controller.signal,
        stop,
        [Symbol.dispose]() {
          clearTimeout(timer)
          if (running.get(id) === attempt) running.delete(id)
        },
      }
      running.set(id, attempt)
      return attempt
    },
    running: () => [...running.values()],
    stop: (id, reason) => running.get(id)?.stop(reason),
    [Symbol.asyncDispose]: () => checks[Symbol.asyncDispose](),
  }
}
