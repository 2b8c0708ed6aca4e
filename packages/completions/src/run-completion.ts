import {
  type Catalogue,
  type Chunk,
  type CompletionJob,
  type Outcome,
  ServiceError,
  decodeJob,
  madeWhole,
} from '@weir/contracts'
import type { Admission, ProcessCompletion, Processed } from '@weir/queue'
import { type Claim, type FrameWriter, type FrameWriterOptions, type Relay, createFrameWriter } from '@weir/relay'
import { type Logger, isDependencyError } from '@weir/runtime'
import type { KeptCompletions } from '@weir/store'
import type { Attempt, Attempts } from './attempts.ts'
import type { Audience } from './audience.ts'
import { completedOutcome } from './charged-outcomes.ts'
import { type Claimed, type Run, endAttempt } from './end-attempt.ts'
import { RETRY_MS, endStopped } from './end-stopped.ts'
import { type FinishDeps, finish, settleDecided } from './finish.ts'
import { type GenerateDeps, generate } from './generate.ts'
import { nothingGenerated } from './generated.ts'
import { abandonedOutcome, exhaustedOutcome, expiredOutcome, interruptedOutcome, lostOutcome } from './outcomes.ts'
import { patientRelay } from './patient-relay.ts'
import type { RunMetrics } from './run-metrics.ts'
import { countWastedFrames } from './waste.ts'

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

/** A fault of our own will hardly be gone in a moment. */
const UNEXPECTED_RETRY_MS = 5_000

/**
 * One job from the lane: claim the completion, run it on a backend while its frames go out, settle what it cost. Whatever
 * happened before, it ends once; an attempt that another one has replaced ends without a word.
 */
export function createRunCompletion(given: RunDeps): ProcessCompletion {
  return async (id, signal, run) => {
    const deps = { ...given, relay: patientRelay(given.relay, given.frames.patienceMs, signal) }
    try {
      const claim = await deps.relay.claim(id, deps.worker, deps.maxAttempts, run)
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
    case 'stale':
      // This worker was frozen or cut off for so long that the job has begun anew, here or elsewhere.
      return { kind: 'done' }
    case 'prepared':
      await settleDecided(deps, claim.job, claim.outcome)
      return { kind: 'done' }
    case 'claimed':
      // The replicas that waited for it are gone, and with them its clients.
      if (claim.audience && !(await deps.audience.mayHear(claim.audience)))
        return endUnrun(deps, claim, abandonedOutcome())
      // Not waited for: it leaves with the next command, and matters only to the account's bound on what is queued.
      if (!claim.job.ofBatch) deps.admission.started(claim.job.accountId, claim.job.id).catch(() => {})
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

  const run: Run = { claim, generated: nothingGenerated() }
  try {
    await runToEnd(deps, run, attempt)
  } catch (error) {
    return await endStopped(deps, run, attempt.signal, error)
  } finally {
    jobSignal.removeEventListener('abort', onJobAbort)
  }
  // From here on only the decision counts: a stop that comes now is too late, and a failure is tried again by whoever
  // claims the completion next.
  return endAttempt(deps, run, await completedOutcome(job, run.generated))
}

async function runToEnd(deps: RunDeps, { claim: { job }, generated }: Run, attempt: Attempt): Promise<void> {
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
