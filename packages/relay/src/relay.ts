import {
  type AttemptRecord,
  type CompletionId,
  type CompletionJob,
  type Outcome,
  decodeJob,
  decodeOutcome,
  encodeJob,
  encodeOutcome,
} from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { type Frame, type Position, decodeAttempts, decodeFrame, positionOf } from './encoding.ts'
import { relayKeys } from './keys.ts'
import { withScripts } from './scripts.ts'

/**
 * What a claim finds. Those with an epoch begin a new one that shuts out earlier attempts, which `before` tells. One is `stale`
 * that comes when its run of the job is over: it has changed nothing.
 */
export type Claim =
  | {
      kind: 'claimed'
      epoch: number
      job: CompletionJob
      before: AttemptRecord[]
      /** Counts from 1. */
      attempt: number
      /** By the clock of Redis, in milliseconds since the epoch. */
      startedAt: number
      /** The replicas that wait for it; undefined when it needs nobody to. */
      audience: string[] | undefined
    }
  | {
      kind: 'cancelled' | 'expired' | 'interrupted' | 'exhausted'
      epoch: number
      job: CompletionJob
      before: AttemptRecord[]
    }
  | { kind: 'prepared'; job: CompletionJob; outcome: Outcome }
  | { kind: 'ended' }
  | { kind: 'missing' }
  | { kind: 'stale' }

export type Emitted = 'emitted' | 'stale' | 'cancelled'

/** How an attempt stands: whether it may go on speaking, and who listens, where that matters. */
export type Standing = { said: Emitted; audience: string[] | undefined }

export type Cancelled =
  | { kind: 'decided'; job: CompletionJob; before: AttemptRecord[]; outcome: Outcome }
  | { kind: 'running' | 'ending' | 'attended' | 'missing' }

/** What Redis knows of a completion: `epoch` is that of its last attempt, `lastSequence` counts its frames. */
export type RelayRecord = { outcome: Outcome | undefined; epoch: number; lastSequence: number; includeUsage: boolean }

/** All that Redis knows of one that may not have ended. */
export type Inspection = {
  decided: Outcome | undefined
  isRunning: boolean
  attempts: AttemptRecord[]
  /** What its client asked for by name. */
  requested: string | undefined
}

export type Relay = ReturnType<typeof createRelay>

/** How long a state outlives its deadline, for those who finish late. Milliseconds. */
const MARGIN_MS = 300_000

/** A completion that Redis lost and that is submitted again starts far above the epochs of attempts that may still run. */
export const EPOCHS_PER_SUBMISSION = 1_000

/** Which submission an attempt belongs to: what was said in one has nothing to do with what is said in another. */
export const submissionOf = (epoch: number): number => Math.floor(epoch / EPOCHS_PER_SUBMISSION)

/** The live state of completions in Redis: hand over, claim, speak, decide, conclude. */
export function createRelay(connection: Redis, options: { prefix: string; retentionMs: number }) {
  const redis = withScripts(connection)
  const { stateOf, framesOf } = relayKeys(options.prefix)

  return {
    /**
     * Hands a completion over to the workers' side, with the channel of the replica that waits, if one does. One that Redis
     * still knows is left alone. `submission` is 0 the first time, and more each time after Redis has lost it.
     */
    async submit(job: CompletionJob, replyTo: string | undefined, submission = 0): Promise<void> {
      const ttl = Math.max(job.deadlineAt - Date.now(), 0) + MARGIN_MS
      await redis.weirSubmit(
        stateOf(job.id),
        encodeJob(job),
        replyTo === undefined ? '' : `${replyTo} `,
        job.deadlineAt,
        job.request.stream ? 1 : 0,
        job.attended ? 1 : 0,
        job.includeUsage ? 1 : 0,
        submission * EPOCHS_PER_SUBMISSION,
        job.requested ?? '',
        ttl,
      )
    },

    /**
     * `worker.name` is what people are told; on `worker.channel` it hears that a completion is to be stopped. A claim that is
     * repeated with the same `run`, which is higher for each later run of the completion's job, is the same claim. Without
     * one it is no job that claims, but somebody who ends the completion.
     */
    async claim(
      id: CompletionId,
      worker: { channel: string; name: string },
      maxAttempts: number,
      run?: number,
    ): Promise<Claim> {
      const { channel, name } = worker
      const reply = await redis.weirClaim(stateOf(id), channel, JSON.stringify(name), maxAttempts, run ?? '')
      const [kind, epoch, text, more, attempt, startedAt, audience, attended] = reply
      if (kind === 'ended' || kind === 'missing' || kind === 'stale') return { kind }
      const job = decodeJob(text!)
      if (kind === 'prepared') return { kind, job, outcome: decodeOutcome(more!) }
      const before = decodeAttempts(more)
      if (kind !== 'claimed') return { kind: kind as 'cancelled', epoch: epoch!, job, before }
      return {
        kind,
        epoch: epoch!,
        job,
        before,
        attempt: Number(attempt),
        startedAt: Number(startedAt),
        audience: listenersOf(audience, attended),
      }
    },

    /**
     * Ends an attempt without an outcome: the completion waits for its next one. One that was handed back is not counted.
     * Repeating it changes nothing.
     */
    async letGo(id: CompletionId, epoch: number, record: AttemptRecord): Promise<void> {
      await redis.weirLetGo(stateOf(id), epoch, record.end === 'handed_back' ? 1 : 0, JSON.stringify(record))
    },

    async emit(id: CompletionId, frame: Frame): Promise<Emitted> {
      const payload = JSON.stringify(frame.chunks)
      const said = await redis.weirEmit(stateOf(id), framesOf(id), frame.epoch, frame.sequence, payload, id)
      return said === 1 ? 'emitted' : said === -1 ? 'stale' : 'cancelled'
    },

    /** How attempts stand: one round trip for all that a worker runs. */
    async check(attempts: readonly { id: CompletionId; epoch: number }[]): Promise<Standing[]> {
      const states = await Promise.all(
        attempts.map(({ id }) => redis.hmget(stateOf(id), 'epoch', 'cancelled', 'prepared', 'audience', 'attended')),
      )
      return states.map(([epoch, cancelled, prepared, audience, attended], i) => {
        const isStale = epoch !== String(attempts[i]!.epoch) || prepared
        return {
          said: isStale ? 'stale' : cancelled ? 'cancelled' : 'emitted',
          audience: listenersOf(audience, attended),
        }
      })
    },

    /** Decides the outcome. The first one stands and is returned to all, however often they ask; a stale attempt gets undefined. */
    async prepare(id: CompletionId, epoch: number, outcome: Outcome): Promise<Outcome | undefined> {
      const [standing] = await redis.weirPrepare(stateOf(id), epoch, encodeOutcome(outcome))
      return standing === undefined ? undefined : decodeOutcome(standing)
    },

    /** Writes the terminal record, after the ledger has settled it, and wakes whoever waits. */
    async conclude(id: CompletionId, outcome: Outcome, retentionMs = options.retentionMs): Promise<void> {
      await redis.weirConclude(stateOf(id), framesOf(id), encodeOutcome(outcome), retentionMs, id)
    },

    /**
     * Stops a completion. One that nobody runs is decided at once, with `outcome`, and must be finished by the caller; a
     * running one is told. With `unlessAttended` one that somebody waits for, or that needs nobody to, is left alone. Where its
     * deadline has passed it is decided with `expired`.
     */
    async cancel(
      id: CompletionId,
      outcome: Outcome,
      { unlessAttended = false, expired = outcome }: { unlessAttended?: boolean; expired?: Outcome } = {},
    ): Promise<Cancelled> {
      const texts = [encodeOutcome(outcome), encodeOutcome(expired)] as const
      const reply = await redis.weirCancel(stateOf(id), id, texts[0], unlessAttended ? 1 : 0, texts[1])
      const [kind, job, log, decided] = reply
      if (kind === 'decided')
        return { kind, job: decodeJob(job!), before: decodeAttempts(log), outcome: decodeOutcome(decided!) }
      return { kind: kind as 'running' }
    },

    /** A replica waits for it from now on; false when Redis does not know it. */
    async attach(id: CompletionId, channel: string): Promise<boolean> {
      return (await redis.weirAttach(stateOf(id), channel)) === 1
    },

    /** A replica waits for it no more. */
    async detach(id: CompletionId, channel: string): Promise<void> {
      await redis.weirDetach(stateOf(id), channel)
    },

    /** From now on it goes on though nobody waits. */
    async release(id: CompletionId): Promise<void> {
      await redis.weirRelease(stateOf(id))
    },

    /** Undefined when Redis does not know it. */
    async recordOf(id: CompletionId): Promise<RelayRecord | undefined> {
      const [outcome, epoch, sequence, usage] = await redis.hmget(stateOf(id), 'outcome', 'epoch', 'sequence', 'usage')
      if (sequence == null) return undefined
      return {
        outcome: outcome == null ? undefined : decodeOutcome(outcome),
        epoch: Number(epoch),
        lastSequence: Number(sequence),
        includeUsage: usage === '1',
      }
    },

    /** All that must be known to decide what to do about a completion; undefined when Redis does not know it. */
    async inspect(id: CompletionId): Promise<Inspection | undefined> {
      const fields = ['epoch', 'prepared', 'outcome', 'worker', 'log', 'running', 'requested'] as const
      const [epoch, prepared, outcome, worker, log, running, requested] = await redis.hmget(stateOf(id), ...fields)
      if (epoch == null) return undefined
      const decided = outcome ?? prepared
      return {
        decided: decided == null ? undefined : decodeOutcome(decided),
        isRunning: worker != null,
        attempts: decodeAttempts(log, running),
        requested: requested || undefined,
      }
    },

    /** The frames after one, in order, up to `limit`. */
    async framesAfter(id: CompletionId, after: Position, limit: number): Promise<Frame[]> {
      const rows = await redis.xrange(framesOf(id), `(${after.epoch}-${after.sequence}`, '+', 'COUNT', limit)
      return rows.map(([at, [, payload]]) => ({ ...positionOf(at), chunks: decodeFrame(payload!) }))
    },

    /** Forgets a completion whose answer has been delivered. */
    async discard(id: CompletionId): Promise<void> {
      await redis.unlink(stateOf(id), framesOf(id))
    },
  }
}

/** Who listens, where a completion is to be cancelled once nobody does. */
const listenersOf = (audience: string | null | undefined, attended: string | null | undefined) =>
  attended === '1' ? (audience ?? '').split(' ').filter((channel) => channel !== '') : undefined
