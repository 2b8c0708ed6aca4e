import type { AccountId, CompletionId } from '@weir/contracts'
import type { Relay } from '@weir/relay'
import { repeat } from '@weir/runtime'
import type { Audience } from './audience.ts'

/** Why an attempt was stopped. */
export type StopReason = 'cancelled' | 'unheard' | 'stale' | 'deadline' | 'shutdown' | 'lost'

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
  /** The backend has begun to answer: from here on the attempt is worth finishing. */
  answering(): void
  /** The first reason counts. */
  stop(reason: StopReason): void
}

export type Attempts = AsyncDisposable & {
  begin(completion: { id: CompletionId; accountId: AccountId; deadlineAt: number }, epoch: number): Attempt
  /** All that run now. */
  running(): Attempt[]
  /** This worker stops: what has no answer yet is handed back now, and what begins from now on at once. */
  handBackSilent(): void
  /** Stops the running attempt at a completion, if it is here. */
  stop(id: CompletionId, reason: StopReason): void
}

const CHECK_INTERVAL_MS = 1_000

/**
 * The attempts that run in this process. Each is checked every second, all in one round trip: a lost cancel message or a
 * newer attempt elsewhere is noticed then. When Redis has not answered for `patienceMs` all of them stop speaking: by then
 * somebody else may have been told to. One that all clients have left `graceMs` ago is cancelled, should the replica that was
 * to do it have died; one whose replicas have died with its clients goes `unheard`.
 */
export function createAttempts(
  relay: Pick<Relay, 'check'>,
  audience: Audience,
  options: { patienceMs: number; graceMs: number },
): Attempts {
  const running = new Map<CompletionId, Attempt>()
  const silent = new Set<Attempt>()
  let handingBack = false
  const unheardSince = new WeakMap<Attempt, number>()
  let answeredAt = performance.now()

  async function check() {
    const attempts = [...running.values()]
    if (attempts.length === 0) return void (answeredAt = performance.now())
    const standings = await relay.check(attempts)
    answeredAt = performance.now()
    for (const [i, { said }] of standings.entries()) {
      if (said !== 'emitted') attempts[i]!.stop(said === 'cancelled' ? 'cancelled' : 'stale')
    }

    const channels = new Set(standings.flatMap(({ audience }) => audience ?? []))
    if (channels.size > 0) await audience.look([...channels])
    for (const [i, { audience: listeners }] of standings.entries()) {
      if (!listeners) continue
      if (listeners.length === 0) stopAfterGrace(attempts[i]!)
      else {
        unheardSince.delete(attempts[i]!)
        if (!(await audience.mayHear(listeners))) attempts[i]!.stop('unheard')
      }
    }
  }

  /** Whoever left may come back. */
  function stopAfterGrace(attempt: Attempt) {
    const since = unheardSince.get(attempt) ?? performance.now()
    unheardSince.set(attempt, since)
    if (performance.now() - since >= options.graceMs) attempt.stop('cancelled')
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
        answering: () => void silent.delete(attempt),
        stop,
        [Symbol.dispose]() {
          clearTimeout(timer)
          silent.delete(attempt)
          if (running.get(id) === attempt) running.delete(id)
        },
      }
      running.set(id, attempt)
      silent.add(attempt)
      if (handingBack) stop('shutdown')
      return attempt
    },
    running: () => [...running.values()],
    handBackSilent() {
      handingBack = true
      for (const attempt of silent) attempt.stop('shutdown')
    },
    stop: (id, reason) => running.get(id)?.stop(reason),
    [Symbol.asyncDispose]: () => checks[Symbol.asyncDispose](),
  }
}
