import { TargetsCooling } from '@weir/backends'
import {
  type AttemptRecord,
  type Catalogue,
  type Chunk,
  type CompletionId,
  type CompletionJob,
  type Outcome,
  ServiceError,
  decodeJob,
  errors,
  madeWhole,
} from '@weir/contracts'
import type { Admission, Processed } from '@weir/queue'
import { type Claim, type FrameWriter, type FrameWriterOptions, type Relay, createFrameWriter } from '@weir/relay'
import { type Logger, designedError, isDependencyError } from '@weir/runtime'
import type { KeptCompletions } from '@weir/store'
import { type Attempt, AttemptStopped, type Attempts } from './attempts.ts'
import type { Audience } from './audience.ts'
import { cancelledOutcome, completedOutcome, cutShortOutcome } from './charged-outcomes.ts'
import { type FinishDeps, finish, settleDecided } from './finish.ts'
import { type GenerateDeps, type Generated, generate, hasText, nothingGenerated } from './generate.ts'
import {
  abandonedOutcome,
  exhaustedOutcome,
  expiredOutcome,
  failedOutcome,
  interruptedOutcome,
  lostOutcome,
} from './outcomes.ts'
import type { RunMetrics, Waste } from './run-metrics.ts'
import { countWaste, countWastedFrames } from './waste.ts'

export type RunDeps = FinishDeps &
  GenerateDeps & {
    relay: Pick<Relay, 'claim' | 'letGo' | 'emit' | 'framesAfter' | 'prepare' | 'conclude'>
    keptCompletions: Pick<KeptCompletions, 'outcomeOf' | 'largeJobOf'>
    admission: Pick<Admission, 'started' | 'leave'>
    attempts: Attempts
    audience: Audience
    catalogue: Pick<Catalogue, 'find'>
    worker: { channel: string; name: string }
    maxAttempts: number
    metrics: RunMetrics
    frames: Pick<FrameWriterOptions, 'intervalMs' | 'frameBytes' | 'patienceMs'>
    log: Logger
  }

type Claimed = Extract<Claim, { kind: 'claimed' }>

const RETRY_MS = 500
/** After so many attempts a wait for a vendor counts as one: what is remembered of them is bounded. */
const MOST_WAITS = 100
/** A fault of our own will hardly be gone in a moment. */
const UNEXPECTED_RETRY_MS = 5_000

/**
 * One job from the lane: claim the completion, run it on a backend while its frames go out, settle what it cost. Whatever
 * happened before, it ends once; an attempt that another one has replaced ends without a word.
 */
export function createRunCompletion(deps: RunDeps) {
  return async (id: CompletionId, signal: AbortSignal): Promise<Processed> => {
    try {
      const claim = await deps.relay.claim(id, deps.worker, deps.maxAttempts)
      return await act(deps, claim, signal)
    } catch (error) {
      // Postgres or Redis is away. The claim that follows picks up wherever this attempt had got to.
      if (isDependencyError(error)) return { kind: 'retry', afterMs: RETRY_MS }
      deps.log.error({ err: error, completion: id }, 'attempt failed unexpectedly')
      return { kind: 'retry', afterMs: UNEXPECTED_RETRY_MS }
    }
  }
}

async function act(deps: RunDeps, claim: Claim, signal: AbortSignal): Promise<Processed> {
  switch (claim.kind) {
    case 'ended':
    case 'missing':
      // Delivered and forgotten, or lost with Redis: then whoever waits hands it over again, or the reconciler ends it.
      return { kind: 'done' }
    case 'prepared':
      await settleDecided(deps, claim.job, claim.outcome)
      return { kind: 'done' }
    case 'claimed':
      // The replicas that waited for it are gone, and with them its clients.
      if (claim.audience && !(await deps.audience.mayHear(claim.audience)))
        return endUnrun(deps, claim, abandonedOutcome())
      // Not waited for: it leaves with the next command, and matters only to the account's bound on what is queued.
      deps.admission.started(claim.job.accountId, claim.job.id).catch(() => {})
      return runWhole(deps, claim, signal)
    case 'interrupted':
      await countWastedFrames(deps, claim.job)
      return endUnrun(deps, claim, interruptedOutcome())
    default:
      return endUnrun(deps, claim, unrunnable[claim.kind]())
  }
}

const unrunnable = { cancelled: abandonedOutcome, expired: expiredOutcome, exhausted: exhaustedOutcome }

/** A large one is fetched from Postgres. What is not there any more has ended, and Redis was not told. */
async function runWhole(deps: RunDeps, claim: Claimed, signal: AbortSignal): Promise<Processed> {
  if (!claim.job.large) return runAttempt(deps, claim, signal)
  const kept = await deps.keptCompletions.largeJobOf(claim.job.id)
  if (kept === undefined) return endUnrun(deps, claim, lostOutcome())
  return runAttempt(deps, { ...claim, job: madeWhole(claim.job, decodeJob(kept)) }, signal)
}

async function endUnrun(
  deps: RunDeps,
  { job, epoch, before }: Pick<Claimed, 'job' | 'epoch' | 'before'>,
  outcome: Outcome,
): Promise<Processed> {
  await finish(deps, { ...job, epoch }, { ...outcome, attempts: before, clampedTo: job.clampedTo })
  return { kind: 'done' }
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
  return end(deps, claim, generated, await completedOutcome(job, generated))
}

async function runToEnd(deps: RunDeps, { job }: Claimed, attempt: Attempt, generated: Generated): Promise<void> {
  const model = deps.catalogue.find(job.request.model)
  if (!model) throw new ServiceError('backend_error', `The model ${job.request.model} is not served at the moment.`)
  const writer = frameWriterFor(deps, job, attempt)
  const show = (chunk: Chunk) => {
    attempt.answering()
    return writer?.write(chunk)
  }
  await generate(deps, job, model, generated, show, attempt.signal)
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
  const waste = (why: Waste) => countWaste(deps, generated, why)

  if (attempt.signal.reason instanceof AttemptStopped) {
    switch (attempt.signal.reason.reason) {
      case 'stale':
        await waste('replaced')
        return { kind: 'done' }
      case 'lost':
        await waste('replaced')
        return { kind: 'retry', afterMs: RETRY_MS }
      case 'cancelled':
        return end(deps, claim, generated, await cancelledOutcome(job, generated))
      case 'unheard':
        // The replica that its clients waited at has died: our fault, not theirs.
        await waste('unheard')
        return end(deps, claim, generated, interruptedOutcome())
      case 'deadline':
        if (job.ownDeadline && hasText(generated))
          return end(deps, claim, generated, await cutShortOutcome(job, generated))
        await waste('expired')
        return end(deps, claim, generated, expiredOutcome())
      case 'shutdown':
        await waste('shutdown')
        if (seen) return end(deps, claim, generated, interruptedOutcome())
        await letGo(deps, claim, generated, 'handed_back')
        return { kind: 'hand_back' }
    }
  }
  if (isDependencyError(error)) throw error

  const failure = designedError(error)
  if (failure.code === 'internal') deps.log.error({ err: failure.cause, completion: job.id }, 'attempt failed')
  await waste('failed')
  if (seen) return end(deps, claim, generated, interruptedOutcome())
  if (failure instanceof TargetsCooling && claim.before.length < MOST_WAITS) {
    // Not an attempt: nobody was asked. Those that wait do not all come back at once.
    const afterMs = Math.ceil(failure.retryAfterMs! * (1 + Math.random() / 4))
    if (Date.now() + afterMs < job.deadlineAt) {
      await letGo(deps, claim, generated, 'handed_back')
      return { kind: 'retry', afterMs }
    }
  }
  const pauseMs = failure.retryAfterMs ?? RETRY_MS * 2 ** (claim.attempt - 1)
  const mayRunAgain = errors[failure.code].retryable && claim.attempt < deps.maxAttempts
  if (mayRunAgain && Date.now() + pauseMs < job.deadlineAt) {
    await letGo(deps, claim, generated, 'failed', failure.code)
    return { kind: 'retry', afterMs: pauseMs }
  }
  return end(deps, claim, generated, failedOutcome(failure))
}

async function letGo(
  deps: RunDeps,
  claim: Claimed,
  generated: Generated,
  how: 'handed_back' | 'failed',
  error?: string,
): Promise<void> {
  deps.metrics.attemptEnded(how)
  await deps.relay.letGo(claim.job.id, claim.epoch, recordOf(deps, claim, generated, how, error))
}

async function end(deps: RunDeps, claim: Claimed, generated: Generated, outcome: Outcome): Promise<Processed> {
  const { job, epoch, before } = claim
  const isInterrupted = outcome.error?.code === 'stream_interrupted'
  const how = isInterrupted ? 'interrupted' : outcome.state
  const attempts = [...before, recordOf(deps, claim, generated, how, outcome.error?.code)]
  const standing = await finish(deps, { ...job, epoch }, { ...outcome, attempts, clampedTo: job.clampedTo })
  const last = standing?.attempts?.at(-1)
  if (last?.worker === deps.worker.name && last.startedAt === claim.startedAt) deps.metrics.attemptEnded(how)
  else {
    deps.log.warn({ completion: job.id, epoch }, 'a newer attempt has taken over')
    deps.metrics.attemptEnded('lost')
    await countWaste(deps, generated, 'replaced')
  }
  return { kind: 'done' }
}

const recordOf = (
  { worker }: RunDeps,
  { attempt, startedAt, job: { requested } }: Claimed,
  { servedBy, tried }: Generated,
  end: AttemptRecord['end'],
  error?: string,
): AttemptRecord => ({
  attempt,
  worker: worker.name,
  startedAt,
  endedAt: Date.now(),
  end,
  target: servedBy,
  error,
  ...(tried.length > 0 && { tried }),
  ...(requested !== undefined && { requested }),
})
