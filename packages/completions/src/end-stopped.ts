import { TargetsCooling } from '@weir/backends'
import type { Processed } from '@weir/queue'
import { designedError, isDependencyError } from '@weir/runtime'
import { AttemptStopped, type StopReason } from './attempts.ts'
import { cancelledOutcome, cutShortOutcome } from './charged-outcomes.ts'
import { type EndDeps, type Run, endAttempt, letGo } from './end-attempt.ts'
import { hasText, hasUsed } from './generated.ts'
import { expiredOutcome, failedOutcome, interruptedOutcome } from './outcomes.ts'
import { countWaste } from './waste.ts'

type StopDeps = EndDeps & { maxAttempts: number }

export const RETRY_MS = 500
/** After so many attempts a wait for a vendor counts as one: what is remembered of them is bounded. */
const MOST_WAITS = 100

/**
 * What becomes of an attempt that did not come to its end, be it stopped or failed, and of its completion: it ends with it,
 * or waits for another one.
 */
export async function endStopped(deps: StopDeps, run: Run, signal: AbortSignal, error: unknown): Promise<Processed> {
  if (signal.reason instanceof AttemptStopped) return endTold(deps, run, signal.reason.reason)
  // Postgres or Redis is away: nothing can be written down now.
  if (isDependencyError(error)) throw error
  return endFailed(deps, run, error)
}

async function endTold(deps: StopDeps, run: Run, why: StopReason): Promise<Processed> {
  const { claim, generated } = run
  switch (why) {
    case 'stale':
      await countWaste(deps, generated, 'replaced')
      return { kind: 'done' }
    case 'lost':
      await countWaste(deps, generated, 'replaced')
      return { kind: 'retry', afterMs: RETRY_MS }
    case 'cancelled':
      if (claim.job.ofBatch) await countWaste(deps, generated, 'batch_cancelled')
      return endAttempt(deps, run, await cancelledOutcome(claim.job, generated))
    case 'unheard':
      // The replica that its clients waited at has died: our fault, not theirs.
      await countWaste(deps, generated, 'unheard')
      return endAttempt(deps, run, interruptedOutcome())
    case 'deadline':
      if (claim.job.ownDeadline && hasUsed(generated))
        return endAttempt(deps, run, await cutShortOutcome(claim.job, generated))
      await countWaste(deps, generated, 'expired')
      return endAttempt(deps, run, expiredOutcome())
    case 'shutdown':
      await countWaste(deps, generated, 'shutdown')
      if (isSeen(run)) return endAttempt(deps, run, interruptedOutcome())
      await letGo(deps, run, 'handed_back')
      return { kind: 'hand_back' }
  }
}

async function endFailed(deps: StopDeps, run: Run, error: unknown): Promise<Processed> {
  const { claim, generated } = run
  const failure = designedError(error)
  if (failure.code === 'internal') deps.log.error({ err: failure.cause, completion: claim.job.id }, 'attempt failed')
  await countWaste(deps, generated, 'failed')
  if (isSeen(run)) return endAttempt(deps, run, interruptedOutcome())

  // Not an attempt: nobody was asked. Those that wait do not all come back at once.
  const isWait = failure instanceof TargetsCooling && claim.before.length < MOST_WAITS
  const pauseMs = failure.retryAfterMs ?? RETRY_MS * 2 ** (claim.attempt - 1)
  const afterMs = isWait ? Math.ceil(pauseMs * (1 + Math.random() / 4)) : pauseMs
  const mayRunAgain = isWait || (failure.retryable && claim.attempt < deps.maxAttempts)
  if (!mayRunAgain || Date.now() + afterMs >= claim.job.deadlineAt) return endAttempt(deps, run, failedOutcome(failure))
  await (isWait ? letGo(deps, run, 'handed_back') : letGo(deps, run, 'failed', failure.code))
  return { kind: 'retry', afterMs }
}

/** Nobody sees anything of a plain completion before its end. */
const isSeen = ({ claim, generated }: Run): boolean => claim.job.request.stream && hasText(generated)
