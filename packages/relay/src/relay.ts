import { Chunk, type CompletionId, CompletionJob, Outcome } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { z } from 'zod'
import { relayKeys } from './keys.ts'
import { withScripts } from './scripts.ts'

/** What a claim finds. All but `ended`, `missing` and `prepared` begin a new epoch that shuts out earlier attempts. */
export type Claim =
  | { kind: 'claimed'; epoch: number; job: CompletionJob; /** Counts from 1. */ attempt: number }
  | { kind: 'cancelled' | 'expired' | 'interrupted' | 'exhausted'; epoch: number; job: CompletionJob }
  | { kind: 'prepared'; job: CompletionJob; outcome: Outcome }
  | { kind: 'ended' }
  | { kind: 'missing' }

export type Emitted = 'emitted' | 'stale' | 'cancelled'

export type Cancelled = { kind: 'decided'; job: CompletionJob } | { kind: 'running' | 'ending' | 'missing' }

/** What Redis knows of a completion; `lastSequence` counts its frames. */
export type CompletionRecord = { outcome: Outcome | undefined; lastSequence: number }

export type Frame = { epoch: number; sequence: number; chunks: Chunk[] }

export type Relay = ReturnType<typeof createRelay>

/** How long a state outlives its deadline, for those who finish late. Milliseconds. */
const MARGIN_MS = 300_000

/** A completion that Redis lost and that is submitted again starts far above the epochs of attempts that may still run. */
const EPOCHS_PER_SUBMISSION = 1_000

const Frames = z.array(Chunk)
const encodeOutcome = (outcome: Outcome): string => JSON.stringify(z.encode(Outcome, outcome))
const decodeOutcome = (text: string): Outcome => z.decode(Outcome, JSON.parse(text))
const decodeJob = (text: string): CompletionJob => z.decode(CompletionJob, JSON.parse(text))
const decodeFrame = (text: string): Chunk[] => Frames.parse(JSON.parse(text)) as Chunk[]

/** The live state of completions in Redis: hand over, claim, speak, decide, conclude. */
export function createRelay(connection: Redis, options: { prefix: string; retentionMs: number }) {
  const redis = withScripts(connection)
  const { stateOf, framesOf } = relayKeys(options.prefix)

  return {
    /**
     * Hands a completion over to the workers' side. One that Redis still knows is left alone. `submission` counts from
     * 0 how often this replica has handed it over.
     */
    async submit(job: CompletionJob, replyTo: string, submission = 0): Promise<void> {
      const ttl = Math.max(job.deadlineAt - Date.now(), 0) + MARGIN_MS
      const stream = job.request.stream ? 1 : 0
      const text = JSON.stringify(z.encode(CompletionJob, job))
      await redis.weirSubmit(
        stateOf(job.id),
        text,
        replyTo,
        job.deadlineAt,
        stream,
        submission * EPOCHS_PER_SUBMISSION,
        ttl,
      )
    },

    async claim(id: CompletionId, controlChannel: string, maxAttempts: number): Promise<Claim> {
      const [kind, epoch, job, more] = await redis.weirClaim(stateOf(id), controlChannel, maxAttempts)
      if (kind === 'ended' || kind === 'missing') return { kind }
      if (kind === 'prepared') return { kind, job: decodeJob(job!), outcome: decodeOutcome(String(more)) }
      if (kind === 'claimed') return { kind, epoch: epoch!, job: decodeJob(job!), attempt: Number(more) }
      return { kind: kind as 'cancelled', epoch: epoch!, job: decodeJob(job!) }
    },

    /** Ends an attempt without an outcome: the completion waits for its next one. An uncounted attempt was none. */
    async letGo(id: CompletionId, epoch: number, attempt: 'counted' | 'uncounted'): Promise<void> {
      await redis.weirLetGo(stateOf(id), epoch, attempt === 'counted' ? 0 : 1)
    },

    async emit(id: CompletionId, frame: Frame): Promise<Emitted> {
      const payload = JSON.stringify(frame.chunks)
      const said = await redis.weirEmit(stateOf(id), framesOf(id), frame.epoch, frame.sequence, payload, id)
      return said === 1 ? 'emitted' : said === -1 ? 'stale' : 'cancelled'
    },

    /** Whether attempts may go on speaking: one round trip for all that a worker runs. */
    async check(attempts: readonly { id: CompletionId; epoch: number }[]): Promise<Emitted[]> {
      const states = await Promise.all(
        attempts.map(({ id }) => redis.hmget(stateOf(id), 'epoch', 'cancelled', 'prepared')),
      )
      return states.map(([epoch, cancelled, prepared], i) => {
        if (epoch !== String(attempts[i]!.epoch) || prepared) return 'stale'
        return cancelled ? 'cancelled' : 'emitted'
      })
    },

    /** Decides the outcome. The first one stands and is returned to all; a stale attempt gets undefined. */
    async prepare(id: CompletionId, epoch: number, outcome: Outcome): Promise<Outcome | undefined> {
      const [standing] = await redis.weirPrepare(stateOf(id), epoch, encodeOutcome(outcome))
      return standing === undefined ? undefined : decodeOutcome(standing)
    },

    /** Writes the terminal record, after the ledger has settled it, and wakes whoever waits. */
    async conclude(id: CompletionId, outcome: Outcome): Promise<void> {
      await redis.weirConclude(stateOf(id), framesOf(id), encodeOutcome(outcome), options.retentionMs, id)
    },

    /**
     * Stops a completion. One that nobody runs is decided at once, with `outcome`, and must be finished by the caller; a
     * running one is told.
     */
    async cancel(id: CompletionId, outcome: Outcome): Promise<Cancelled> {
      const [kind, job] = await redis.weirCancel(stateOf(id), id, encodeOutcome(outcome))
      return kind === 'decided' ? { kind, job: decodeJob(job!) } : { kind: kind as 'running' }
    },

    /** Undefined when Redis does not know it. */
    async recordOf(id: CompletionId): Promise<CompletionRecord | undefined> {
      const [outcome, sequence] = await redis.hmget(stateOf(id), 'outcome', 'sequence')
      if (sequence == null) return undefined
      return { outcome: outcome == null ? undefined : decodeOutcome(outcome), lastSequence: Number(sequence) }
    },

    /** All that the reconciler must know to decide what to do about a completion; undefined when Redis does not know it. */
    async inspect(
      id: CompletionId,
    ): Promise<{ job: CompletionJob | undefined; decided: Outcome | undefined } | undefined> {
      const [job, prepared, outcome] = await redis.hmget(stateOf(id), 'job', 'prepared', 'outcome')
      const decided = outcome ?? prepared
      if (job == null && decided == null) return undefined
      return {
        job: job == null ? undefined : decodeJob(job),
        decided: decided == null ? undefined : decodeOutcome(decided),
      }
    },

    /** The frames after one, in order, up to `limit`. */
    async framesAfter(id: CompletionId, after: { epoch: number; sequence: number }, limit: number): Promise<Frame[]> {
      const rows = await redis.xrange(framesOf(id), `(${after.epoch}-${after.sequence}`, '+', 'COUNT', limit)
      return rows.map(([at, [, payload]]) => ({ ...positionOf(at), chunks: decodeFrame(payload!) }))
    },

    /** Forgets a completion whose answer has been delivered. */
    async discard(id: CompletionId): Promise<void> {
      await redis.unlink(stateOf(id), framesOf(id))
    },
  }
}

export type ReplyMessage =
  | { kind: 'frame'; id: CompletionId; frame: Frame; size: number }
  | { kind: 'end'; id: CompletionId; lastSequence: number; outcome: Outcome; size: number }

/** Reads what the scripts publish to a replica: kind, id, `epoch-sequence` and payload, a line each. */
export function parseReply(message: string): ReplyMessage {
  const kindEnd = message.indexOf('\n')
  const idEnd = message.indexOf('\n', kindEnd + 1)
  const atEnd = message.indexOf('\n', idEnd + 1)
  const id = message.slice(kindEnd + 1, idEnd) as CompletionId
  const position = positionOf(message.slice(idEnd + 1, atEnd))
  const payload = message.slice(atEnd + 1)
  if (message.startsWith('frame\n'))
    return { kind: 'frame', id, frame: { ...position, chunks: decodeFrame(payload) }, size: message.length }
  return { kind: 'end', id, lastSequence: position.sequence, outcome: decodeOutcome(payload), size: message.length }
}

function positionOf(at: string): { epoch: number; sequence: number } {
  const dash = at.indexOf('-')
  return { epoch: Number(at.slice(0, dash)), sequence: Number(at.slice(dash + 1)) }
}
