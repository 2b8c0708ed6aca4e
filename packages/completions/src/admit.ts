import { type CompletionJob, type CompletionRequest, type Model, ServiceError, newCompletionId } from '@weir/contracts'
import type { PriceBook } from '@weir/ledger'
import type { Admission as AdmissionControl, Lane } from '@weir/queue'
import type { Relay } from '@weir/relay'
import type { Identity } from '@weir/store'
import type { Admissions } from './commits.ts'
import { type FinishDeps, settleDecided } from './finish.ts'
import { lostOutcome } from './outcomes.ts'
import { reserveQuote } from './quote.ts'
import { refusalOf } from './refusals.ts'

export type AdmitDeps = {
  admission: AdmissionControl
  admissions: Admissions
  prices: Pick<PriceBook, 'priceOf'>
  /** From admission to the last token, in milliseconds. */
  timeoutMs: number
}

/** A place frees itself this long after the deadline, should nobody give it back. */
const LEASE_MARGIN_MS = 60_000

/**
 * Lets a request in: a place among the live completions, then its reservation and its row in one commit. After this it is
 * accepted and must be handed over. Throws 402, 429 or 503 with all that the client needs to know.
 */
export async function admit(
  deps: AdmitDeps,
  identity: Identity,
  model: Model,
  request: CompletionRequest,
): Promise<CompletionJob> {
  const { accountId, keyId } = identity
  const id = newCompletionId()
  const deadlineAt = Date.now() + deps.timeoutMs
  const { id: priceId, price } = deps.prices.priceOf(model.id)

  await takePlace(deps, { accountId, id })
  try {
    const admission = { id, accountId, keyId, model: model.id, stream: request.stream, deadlineAt, priceId }
    const reserved = await reserveQuote(price, request, ({ amount, least }) =>
      deps.admissions.submit({ ...admission, quote: amount, least }),
    )
    if (reserved.kind === 'refused') throw refusalOf(reserved)

    const { quote, maxOutputTokens } = reserved
    const isClamped = maxOutputTokens < request.maxOutputTokens
    return {
      id,
      accountId,
      request: isClamped ? { ...request, maxOutputTokens } : request,
      price,
      quote,
      clampedTo: isClamped ? maxOutputTokens : undefined,
      deadlineAt,
    }
  } catch (error) {
    // Best effort: Redis may be what failed. The place is a lease and ends by itself.
    deps.admission.leave(accountId, id).catch(() => {})
    throw error
  }
}

async function takePlace(deps: AdmitDeps, { accountId, id }: Pick<CompletionJob, 'accountId' | 'id'>): Promise<void> {
  const verdict = await deps.admission.enter(accountId, id, deps.timeoutMs + LEASE_MARGIN_MS)
  if (verdict.kind === 'account_full') {
    const message = `Rate limit reached: ${verdict.live} of your completions are waiting or running. Please try again shortly.`
    throw new ServiceError('rate_limit_exceeded', message, { retryAfterMs: 1_000 })
  }
  if (verdict.kind === 'lane_full') {
    throw new ServiceError('overloaded', 'Too many completions are waiting for a worker. Please try again shortly.', {
      retryAfterMs: 5_000,
    })
  }
}

export type HandOverDeps = FinishDeps & { relay: Pick<Relay, 'submit'>; lane: Pick<Lane, 'enqueue'>; replyTo: string }

/** Gives an accepted completion to the workers. `submission` counts from 0 how often this was done; Redis may have lost it since. */
export async function submit(deps: HandOverDeps, job: CompletionJob, submission: number): Promise<void> {
  // One connection, in this order and without waiting: no worker can see the job before its state.
  await Promise.all([deps.relay.submit(job, deps.replyTo, submission), deps.lane.enqueue(job.id)])
}

/** The first submission. When Redis cannot take it the reservation is released, and the error thrown on. */
export async function handOver(deps: HandOverDeps, job: CompletionJob): Promise<void> {
  try {
    await submit(deps, job, 0)
  } catch (error) {
    // Redis may have taken it after all; then a worker finds it ended. What fails here is left to the reconciler.
    await settleDecided(deps, job, lostOutcome()).catch(() => {})
    throw error
  }
}
