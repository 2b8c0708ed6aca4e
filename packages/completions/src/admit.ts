import {
  type CompletionId,
  type CompletionJob,
  type CompletionRequest,
  type Microcredits,
  type Model,
  ServiceError,
  encodeJob,
  mintedAt,
  newCompletionId,
} from '@weir/contracts'
import { OutcomeUnknown, type PriceBook } from '@weir/ledger'
import type { Admission as AdmissionControl, Lane, Standing } from '@weir/queue'
import type { Relay } from '@weir/relay'
import { isDependencyError } from '@weir/runtime'
import type { Identity, KeptCompletions, Metadata } from '@weir/store'
import type { Admission, Admissions, IdempotencyKey } from './commits.ts'
import { type FinishDeps, conclude, settle } from './finish.ts'
import { lostOutcome } from './outcomes.ts'
import { type Reserved, reserveQuote } from './quote.ts'
import { type TakeBackDeps, takeBack } from './take-back.ts'
import { refusalOf } from './refusals.ts'
import { type HoldPlaceDeps, holdPlace, takePlace } from './take-place.ts'

export type AdmitDeps = TakeBackDeps & {
  admission: AdmissionControl
  admissions: Admissions
  prices: Pick<PriceBook, 'priceOf'>
  keptCompletions: Pick<KeptCompletions, 'replaceJob'>
}

/** What a client asks for, and how it wants to have it. */
export type Ask = {
  model: Model
  request: CompletionRequest
  /** From now to the last token, in milliseconds. */
  timeoutMs: number
  /** Whether the client has said so. */
  ownDeadline: boolean
  background: boolean
  /** It is cancelled when nobody waits for it any more. */
  attended: boolean
  /** How long its result is kept in Postgres, in milliseconds; undefined when it is not. */
  keepMs: number | undefined
  metadata: Metadata | undefined
  includeUsage: boolean
  idempotency: IdempotencyKey | undefined
}

/** `held`: its idempotency key has made another completion, which was asked the same. */
export type Admitted = { kind: 'admitted'; job: CompletionJob } | { kind: 'held'; by: CompletionId }

/**
 * Lets a request in: a place among the live completions, then its reservation and its row in one commit. After this it is
 * accepted and must be handed over. Throws 400, 402, 429 or 503 with all that the client needs to know.
 * `onStanding` hears what is left of the rates, before a refusal too.
 */
export async function admit(
  deps: AdmitDeps,
  identity: Identity,
  ask: Ask,
  onStanding?: (standing: Standing) => void,
): Promise<Admitted> {
  const { accountId, keyId } = identity
  const { model, request } = ask
  const { id: priceId, price } = deps.prices.priceOf(model.id)
  const asked: Omit<CompletionJob, 'quote'> = {
    id: newCompletionId(),
    accountId,
    keyId,
    request,
    price,
    deadlineAt: Date.now() + ask.timeoutMs,
    ownDeadline: ask.ownDeadline,
    kept: ask.keepMs !== undefined,
    attended: ask.attended,
    includeUsage: ask.includeUsage,
  }
  const { id } = asked
  const admissionOf = (quote: { amount: bigint; least: bigint }): Admission => ({
    id,
    accountId,
    keyId,
    model: model.id,
    stream: request.stream,
    background: ask.background,
    metadata: ask.metadata,
    deadlineAt: asked.deadlineAt,
    quote: quote.amount,
    least: quote.least,
    priceId,
    kept:
      ask.keepMs === undefined ? undefined : { job: encodeJob({ ...asked, quote: quote.amount }), keepMs: ask.keepMs },
    idempotency: ask.idempotency,
  })

  await takePlace(deps, identity, { id, request, timeoutMs: ask.timeoutMs }, onStanding)
  try {
    let keptQuote = 0n
    let holder: { by: CompletionId; isSame: boolean } | undefined
    const reserved = await reserveQuote(price, request, async (quote) => {
      keptQuote = quote.amount
      const verdict = await deps.admissions.submit(admissionOf(quote))
      if (verdict.kind !== 'held') return verdict
      holder = verdict
      return { kind: 'conflict' }
    })
    if (holder) {
      deps.admission.withdraw(accountId, id).catch(() => {})
      return heldBy(holder)
    }
    if (reserved.kind === 'refused') throw refusalOf(reserved)
    return { kind: 'admitted', job: await jobOf(deps, asked, reserved, keptQuote) }
  } catch (error) {
    // Best effort: Redis may be what failed. The place is a lease and ends by itself.
    deps.admission.leave(accountId, id).catch(() => {})
    // Whoever sent a key asks again with it, and what is not kept is never handed over: those need nothing.
    if (asked.kept && !ask.idempotency && isDependencyError(error)) {
      void takeBack(deps, asked)
      // Should we die before that, it is handed over, and charged.
      if (error instanceof OutcomeUnknown) throw unknownWhether(asked)
    }
    throw error
  }
}

/** A key stands for one request. */
export function heldBy({ by, isSame }: { by: CompletionId; isSame: boolean }): Admitted {
  if (isSame) return { kind: 'held', by }
  const message = 'This Idempotency-Key was used for another request. Send a new key for a new request.'
  throw new ServiceError('idempotency_key_reused', message, { param: 'Idempotency-Key' })
}

async function jobOf(
  deps: AdmitDeps,
  asked: Omit<CompletionJob, 'quote'>,
  { quote, maxOutputTokens }: Extract<Reserved, { kind: 'reserved' }>,
  keptQuote: Microcredits,
): Promise<CompletionJob> {
  const isClamped = maxOutputTokens !== asked.request.maxOutputTokens
  const request = { ...asked.request, maxOutputTokens }
  const job = isClamped ? { ...asked, request, quote, clampedTo: maxOutputTokens } : { ...asked, quote }
  // It was kept before anybody knew what its account could pay for.
  if (job.kept && quote !== keptQuote) await deps.keptCompletions.replaceJob(job.id, encodeJob(job))
  return job
}

export type HandOverDeps = FinishDeps & HoldPlaceDeps & { relay: Pick<Relay, 'submit'>; lane: Pick<Lane, 'enqueue'> }

/**
 * Gives an accepted completion to the workers, with the channel of the replica that waits, if one does. One that Redis lost
 * is given again: later than the first time, so that whatever is left of earlier attempts is shut out.
 */
export async function submit(
  deps: HandOverDeps,
  job: CompletionJob,
  { replyTo, again = false }: { replyTo: string | undefined; again?: boolean },
): Promise<void> {
  const submission = again ? Math.max(1, Date.now() - mintedAt(job.id)) : 0
  // One connection, in this order and without waiting: no worker can see the job before its state.
  await Promise.all([holdPlace(deps, job), deps.relay.submit(job, replyTo, submission), deps.lane.enqueue(job.id)])
}

/** The first submission. When Redis cannot take it the reservation is released, and the error thrown on. */
export async function handOver(deps: HandOverDeps, job: CompletionJob, replyTo: string | undefined): Promise<void> {
  try {
    await submit(deps, job, { replyTo })
  } catch (error) {
    // Postgres decides: Redis may have taken it after all, and a worker may have ended it meanwhile.
    const ended = await settle(deps, job, lostOutcome()).catch(() => undefined)
    if (!ended) {
      void takeBack(deps, job)
      throw unknownWhether(job)
    }
    // Told to Redis in case a worker has it there; what fails here is left to the reconciler.
    void conclude(deps, job, ended).catch(() => {})
    const ranMeanwhile = ended.cost > 0n
    if (!ranMeanwhile) throw error
  }
}

/** Nobody can tell at the moment: asking again could pay twice, so nobody is invited to. */
const unknownWhether = ({ id }: Pick<CompletionJob, 'id'>) =>
  new ServiceError(
    'wait_exceeded',
    `Whether the completion has begun is not known at the moment. Ask for it at GET /v1/chat/completions/${id} before you ask again.`,
    { extra: { completion_id: id } },
  )
