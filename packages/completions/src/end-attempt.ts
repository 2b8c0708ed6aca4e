import type { AttemptRecord, Outcome } from '@weir/contracts'
import type { Processed } from '@weir/queue'
import type { Claim, Relay } from '@weir/relay'
import type { Logger } from '@weir/runtime'
import { type FinishDeps, finish } from './finish.ts'
import type { Generated } from './generated.ts'
import type { RunMetrics } from './run-metrics.ts'
import { countWaste } from './waste.ts'

export type EndDeps = FinishDeps & {
  relay: Pick<Relay, 'letGo'>
  worker: { name: string }
  metrics: RunMetrics
  log: Logger
}

export type Claimed = Extract<Claim, { kind: 'claimed' }>

/** An attempt as it runs, and what it has made. */
export type Run = { claim: Claimed; generated: Generated }

/** The attempt has decided how the completion ends, unless a newer one has taken over. */
export async function endAttempt(deps: EndDeps, run: Run, outcome: Outcome): Promise<Processed> {
  const { job, epoch, before, startedAt } = run.claim
  const isInterrupted = outcome.error?.code === 'stream_interrupted'
  const how = isInterrupted ? 'interrupted' : outcome.state
  const attempts = [...before, recordOf(deps, run, how, outcome.error?.code)]
  const standing = await finish(deps, { ...job, epoch }, { ...outcome, attempts, clampedTo: job.clampedTo })
  const last = standing?.attempts?.at(-1)
  if (last?.worker === deps.worker.name && last.startedAt === startedAt) deps.metrics.attemptEnded(how)
  else {
    deps.log.warn({ completion: job.id, epoch }, 'a newer attempt has taken over')
    deps.metrics.attemptEnded('lost')
    await countWaste(deps, run.generated, 'replaced')
  }
  return { kind: 'done' }
}

/** The attempt ends, the completion does not: it waits for its next one. One that is handed back is not counted. */
export async function letGo(deps: EndDeps, run: Run, how: 'handed_back' | 'failed', error?: string): Promise<void> {
  deps.metrics.attemptEnded(how)
  await deps.relay.letGo(run.claim.job.id, run.claim.epoch, recordOf(deps, run, how, error))
}

const recordOf = (
  { worker }: EndDeps,
  { claim, generated: { servedBy, tried } }: Run,
  end: AttemptRecord['end'],
  error?: string,
): AttemptRecord => ({
  attempt: claim.attempt,
  worker: worker.name,
  startedAt: claim.startedAt,
  endedAt: Date.now(),
  end,
  target: servedBy,
  error,
  ...(tried.length > 0 && { tried }),
  ...(claim.job.requested !== undefined && { requested: claim.job.requested }),
})
