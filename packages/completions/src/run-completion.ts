import {
  type Catalogue,
  type CompletionId,
  type CompletionJob,
  type EndedBy,
  type Microcredits,
  type Outcome,
  type Usage,
  ServiceError,
  chargeFor,
  errors,
} from '@weir/contracts'
import type { Processed } from '@weir/queue'
import { type Claim, type FrameWriter, type FrameWriterOptions, type Relay, createFrameWriter } from '@weir/relay'
import { type Logger, designedError, isDependencyError } from '@weir/runtime'
import { type Attempt, AttemptStopped, type Attempts } from './attempts.ts'
import { type FinishDeps, finish, settleDecided } from './finish.ts'
import { type GenerateDeps, type Generated, generate, hasText, nothingGenerated, usageOf } from './generate.ts'
import {
  abandonedOutcome,
  exhaustedOutcome,
  expiredOutcome,
  failedOutcome,
  freeOutcome,
  interruptedOutcome,
} from './outcomes.ts'

export type RunDeps = FinishDeps &
  GenerateDeps & {
    relay: Pick<Relay, 'claim' | 'letGo' | 'emit' | 'prepare' | 'conclude'>
    attempts: Attempts
    catalogue: Pick<Catalogue, 'find'>
    controlChannel: string
    maxAttempts: number
    frames: Pick<FrameWriterOptions, 'intervalMs' | 'frameBytes' | 'patienceMs'>
    log: Logger
  }

type Claimed = Extract<Claim, { kind: 'claimed' }>

const RETRY_MS = 500
/** A fault of our own will hardly be gone in a moment. */
const UNEXPECTED_RETRY_MS = 5_000

/**
 * One job from the lane: claim the completion, run it on a backend while its frames go out, settle what it cost. Whatever
 * happened before, it ends once; an attempt that another one has replaced ends without a word.
 */
export function createRunCompletion(deps: RunDeps) {
  return async (id: CompletionId, signal: AbortSignal): Promise<Processed> => {
    try {
      const claim = await deps.relay.claim(id, deps.controlChannel, deps.maxAttempts)
      return await act(deps, id, claim, signal)
    } catch (error) {
      // Postgres or Redis is away. The claim that follows picks up wherever this attempt had got to.
      if (isDependencyError(error)) return { kind: 'retry', afterMs: RETRY_MS }
      deps.log.error({ err: error, completion: id }, 'attempt failed unexpectedly')
      return { kind: 'retry', afterMs: UNEXPECTED_RETRY_MS }
    }
  }
}

async function act(deps: RunDeps, id: CompletionId, claim: Claim, signal: AbortSignal): Promise<Processed> {
  switch (claim.kind) {
    case 'ended':
    case 'missing':
      // Delivered and forgotten, or lost with Redis: then whoever waits hands it over again, or the reconciler ends it.
      return { kind: 'done' }
    case 'prepared':
      await settleDecided(deps, claim.job, claim.outcome)
      return { kind: 'done' }
    case 'claimed':
      return runAttempt(deps, claim, signal)
    default:
      await finish(deps, { id, accountId: claim.job.accountId, epoch: claim.epoch }, unrunnable[claim.kind]())
      return { kind: 'done' }
  }
}

const unrunnable = {
  cancelled: abandonedOutcome,
  expired: expiredOutcome,
  interrupted: interruptedOutcome,
  exhausted: exhaustedOutcome,
}

async function runAttempt(deps: RunDeps, claim: Claimed, jobSignal: AbortSignal): Promise<Processed> {
  const { job, epoch } = claim
  using attempt = deps.attempts.begin(job, epoch)
  const onJobAbort = () => attempt.stop(jobSignal.reason === 'shutdown' ? 'shutdown' : 'stale')
  jobSignal.addEventListener('abort', onJobAbort, { once: true })
  if (jobSignal.aborted) onJobAbort()

  const generated = nothingGenerated()
  try {
    await runToEnd(deps, claim, attempt, generated)
  } catch (error) {
    return await endStopped(deps, claim, attempt, generated, error)
  } finally {
    jobSignal.removeEventListener('abort', onJobAbort)
  }
  // From here on only the decision counts: a stop that comes now is too late, and a failure is tried again by whoever
  // claims the completion next.
  return end(deps, claim, await completedOutcome(claim, generated))
}

async function runToEnd(deps: RunDeps, { job }: Claimed, attempt: Attempt, generated: Generated): Promise<void> {
  const model = deps.catalogue.find(job.request.model)
  if (!model) throw new ServiceError('backend_error', `The model ${job.request.model} is not served at the moment.`)
  const writer = frameWriterFor(deps, job, attempt)
  await generate(deps, job, model, generated, (chunk) => writer?.write(chunk), attempt.signal)
  await writer?.flush()
  attempt.signal.throwIfAborted()
}

/** A waiting call sees nothing before its end, so nothing is relayed and it may run again unseen. */
function frameWriterFor(deps: RunDeps, { id, request }: CompletionJob, attempt: Attempt): FrameWriter | undefined {
  if (!request.stream) return undefined
  return createFrameWriter(deps.relay, attempt, {
    ...deps.frames,
    onRefused: (reason) => attempt.stop(reason),
    onLost: (error) => {
      deps.log.warn({ err: error, completion: id }, 'frames could not be written')
      attempt.stop('lost')
    },
  })
}

async function endStopped(
  deps: RunDeps,
  claim: Claimed,
  attempt: Attempt,
  generated: Generated,
  error: unknown,
): Promise<Processed> {
  const { job } = claim
  const seen = job.request.stream && hasText(generated)

  if (attempt.signal.reason instanceof AttemptStopped) {
    switch (attempt.signal.reason.reason) {
      case 'stale':
        return { kind: 'done' }
      case 'lost':
        return { kind: 'retry', afterMs: RETRY_MS }
      case 'cancelled':
        return end(deps, claim, await cancelledOutcome(claim, generated))
      case 'deadline':
        return end(deps, claim, expiredOutcome())
      case 'shutdown':
        if (seen) return end(deps, claim, interruptedOutcome())
        await deps.relay.letGo(job.id, claim.epoch, 'uncounted')
        return { kind: 'hand_back' }
    }
  }
  if (isDependencyError(error)) throw error

  const failure = designedError(error)
  if (failure.code === 'internal') deps.log.error({ err: failure.cause, completion: job.id }, 'attempt failed')
  if (seen) return end(deps, claim, interruptedOutcome())
  const pauseMs = failure.retryAfterMs ?? RETRY_MS * 2 ** (claim.attempt - 1)
  const mayRunAgain = errors[failure.code].retryable && claim.attempt < deps.maxAttempts
  if (mayRunAgain && Date.now() + pauseMs < job.deadlineAt) {
    await deps.relay.letGo(job.id, claim.epoch, 'counted')
    return { kind: 'retry', afterMs: pauseMs }
  }
  return end(deps, claim, failedOutcome(failure))
}

async function end(deps: RunDeps, { job, epoch, attempt }: Claimed, outcome: Outcome): Promise<Processed> {
  const ended = { id: job.id, accountId: job.accountId, epoch }
  const standing = await finish(deps, ended, { ...outcome, attempts: attempt, clampedTo: job.clampedTo })
  if (!standing) deps.log.warn({ completion: job.id, epoch }, 'a newer attempt has taken over')
  return { kind: 'done' }
}

async function completedOutcome({ job }: Claimed, generated: Generated): Promise<Outcome> {
  const usage = await usageOf(job.request, generated)
  const isCapped = generated.choices.some(({ finishReason }) => finishReason === 'length')
  // The text of a stream is in its frames already.
  const choices = generated.choices.map((choice) => (job.request.stream ? { ...choice, text: '' } : choice))
  const cost = costAt(job, generated, usage, isCapped ? 'limit' : 'backend')
  return { state: 'completed', usage, cost, servedBy: generated.servedBy, choices }
}

/** Whoever cancels pays for what was generated until then; before the first token that is nothing. */
async function cancelledOutcome({ job }: Claimed, generated: Generated): Promise<Outcome> {
  const cancelled = freeOutcome('cancelled', 'cancelled', 'The completion was cancelled.')
  if (!hasText(generated)) return cancelled
  const usage = await usageOf(job.request, generated)
  return { ...cancelled, usage, cost: costAt(job, generated, usage, 'client'), servedBy: generated.servedBy }
}

/** By the published table. No backend's word makes it more than the most that the request can cost. */
function costAt({ price, quote }: CompletionJob, generated: Generated, usage: Usage, endedBy: EndedBy): Microcredits {
  const cost = chargeFor(price, { endedBy, delivered: hasText(generated), usage })
  return cost < quote ? cost : quote
}
