import {
  type CompletionId,
  type CompletionJob,
  type CompletionRequest,
  type Model,
  type Price,
  type PriceId,
  ServiceError,
  batchPriceOf,
  encodeJob,
  lightened,
  newCompletionId,
  takesMoreThan,
} from '@weir/contracts'
import { OutcomeUnknown, type PriceBook, type ReserveVerdict } from '@weir/ledger'
import type { Admission as AdmissionControl, Standing } from '@weir/queue'
import { isDependencyError } from '@weir/runtime'
import type { Identity, KeptCompletions, Metadata } from '@weir/store'
import type { Admission, Admissions, IdempotencyKey } from './commits.ts'
import { CostBoundReached, type CostLeft, withinCost } from './cost-bound.ts'
import { unknownWhether } from './hand-over.ts'
import { type Quote, type Reserved, reserveQuote } from './quote.ts'
import { type TakeBackDeps, takeBack } from './take-back.ts'
import { refusalOf } from './refusals.ts'
import { takePlace } from './take-place.ts'

export type AdmitDeps = TakeBackDeps & {
  admission: AdmissionControl
  admissions: Admissions
  prices: Pick<PriceBook, 'priceOf'>
  keptCompletions: Pick<KeptCompletions, 'replaceJob' | 'layLarge'>
  /** A request of more bytes travels through Postgres. */
  largeBodyBytes: number
}

/** What a client asks for, and how it wants to have it. */
export type Ask = {
  model: Model
  request: CompletionRequest
  /** What the client asked for by name. */
  requested?: string
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
  /** A line of a batch, which has the discount of its model's price. */
  ofBatch?: BatchLine
  /** Where its end is told, beside the endpoints of its account. */
  webhookUrl?: string | undefined
}

/** `costLeft` is what the batch may still reserve, where its owner has bounded it; each line takes its quote from it. */
export type BatchLine = {
  /** Given by its feeder: asked for again under this id, it is let in once. */
  id: CompletionId
  costLeft: CostLeft | undefined
}

/** The job of a large one comes without what makes it large. `held`: its idempotency key has made another completion, which was asked the same. */
export type Admitted = { kind: 'admitted'; job: CompletionJob } | { kind: 'held'; by: CompletionId }

/**
 * Lets a request in: a place among the live completions, then its reservation and its row in one commit. After this it is
 * accepted and must be handed over. Throws 400, 402, 429 or 503 with all that the client needs to know.
 * `onStanding` hears what is left of the rates, before a refusal too. A line of a batch takes no place and no rate: its
 * feeder sees to it that there are not too many.
 */
export async function admit(
  deps: AdmitDeps,
  identity: Identity,
  ask: Ask,
  onStanding?: (standing: Standing) => void,
): Promise<Admitted> {
  const { accountId } = identity
  const { request } = ask
  const { priceId, listed, asked } = askedOf(deps, identity, ask)
  const { id, price, large: isLarge } = asked

  if (!ask.ofBatch) await takePlace(deps, identity, { id, request, timeoutMs: ask.timeoutMs }, onStanding)
  try {
    let keptQuote = 0n
    let holder: { by: CompletionId; isSame: boolean } | undefined
    const reserve = async (quote: Quote): Promise<ReserveVerdict> => {
      keptQuote = quote.amount
      const verdict = await deps.admissions.submit(admissionOf(asked, ask, { ...quote, priceId, listed }))
      if (verdict.kind !== 'held') return verdict
      holder = verdict
      return { kind: 'conflict' }
    }
    const costLeft = ask.ofBatch?.costLeft
    const bounded = costLeft && withinCost(costLeft, reserve)
    const reserved = await reserveQuote(price, request, widestContextOf(ask.model), bounded ?? reserve)
    if (holder) {
      deps.admission.withdraw(accountId, id).catch(() => {})
      return heldBy(holder)
    }
    if (bounded?.isReached()) throw new CostBoundReached()
    if (reserved.kind === 'refused') throw refusalOf(reserved)
    const job = jobOf(asked, reserved)
    if (isLarge) await layLarge(deps, job, ask)
    // It was kept before anybody knew what its account could pay for.
    else if (job.kept && job.quote !== keptQuote) await deps.keptCompletions.replaceJob(id, encodeJob(job))
    return { kind: 'admitted', job: lightened(job) }
  } catch (error) {
    // Best effort: Redis may be what failed. The place is a lease and ends by itself.
    if (!ask.ofBatch) deps.admission.leave(accountId, id).catch(() => {})
    // Whoever sent a key asks again with it, a feeder with the same id, and what is not kept is never handed over: those need nothing.
    if (asked.kept && !ask.idempotency && !ask.ofBatch && isDependencyError(error)) {
      void takeBack(deps, asked)
      // Should we die before that, it is handed over, and charged.
      if (error instanceof OutcomeUnknown) throw unknownWhether(asked)
    }
    throw error
  }
}

/** The job as it is before anything is reserved for it. */
function askedOf(deps: Pick<AdmitDeps, 'prices' | 'largeBodyBytes'>, { accountId, keyId }: Identity, ask: Ask) {
  const { model, request, requested } = ask
  const { id: priceId, price: listed } = deps.prices.priceOf(model.id)
  const asked: AskedJob = {
    id: ask.ofBatch?.id ?? newCompletionId(),
    accountId,
    keyId,
    request,
    ...(requested !== undefined && { requested }),
    ...(model.only !== undefined && { onlyTarget: model.only }),
    price: ask.ofBatch ? batchPriceOf(listed) : listed,
    deadlineAt: Date.now() + ask.timeoutMs,
    ownDeadline: ask.ownDeadline,
    kept: ask.keepMs !== undefined,
    ...(takesMoreThan(request, deps.largeBodyBytes) && { large: true }),
    attended: ask.attended,
    ...(ask.ofBatch && { ofBatch: true }),
    includeUsage: ask.includeUsage,
  }
  return { priceId, listed, asked }
}

type AskedJob = Omit<CompletionJob, 'quote'>

function admissionOf(
  asked: AskedJob,
  ask: Ask,
  { amount: quote, least, priceId, listed }: Quote & { priceId: PriceId; listed: Price },
): Admission {
  const { id, accountId, keyId, request, deadlineAt, large } = asked
  const { keepMs, background, metadata, idempotency } = ask
  return {
    id,
    accountId,
    keyId,
    model: request.model,
    stream: request.stream,
    background,
    metadata,
    deadlineAt,
    quote,
    least,
    priceId,
    batchDiscount: ask.ofBatch ? listed.batchDiscount : undefined,
    ofBatch: ask.ofBatch !== undefined,
    webhookUrl: ask.webhookUrl,
    // Nobody else's admission waits for megabytes: those follow by themselves.
    kept: keepMs === undefined || large ? undefined : { job: encodeJob({ ...asked, quote }), keepMs },
    idempotency,
  }
}

/** No prompt that is answered has more tokens: what a bound says beyond it, of a file say, need not be set aside. */
export const widestContextOf = ({ contextWindow, targets }: Model): number =>
  Math.max(contextWindow, ...targets.map((target) => target.contextWindow ?? 0))

/** A key stands for one request. */
export function heldBy({ by, isSame }: { by: CompletionId; isSame: boolean }): Admitted {
  if (isSame) return { kind: 'held', by }
  const message = 'This Idempotency-Key was used for another request. Send a new key for a new request.'
  throw new ServiceError('idempotency_key_reused', message, { param: 'Idempotency-Key' })
}

function jobOf(
  asked: Omit<CompletionJob, 'quote'>,
  { quote, maxOutputTokens }: Extract<Reserved, { kind: 'reserved' }>,
): CompletionJob {
  const isClamped = maxOutputTokens !== asked.request.maxOutputTokens
  const request = { ...asked.request, maxOutputTokens }
  return isClamped ? { ...asked, request, quote, clampedTo: maxOutputTokens } : { ...asked, quote }
}

/** Before anybody is told that it was accepted. Where that fails its credits go back, and it is not handed over. */
async function layLarge(
  deps: AdmitDeps,
  job: CompletionJob,
  { keepMs = 0, idempotency }: Pick<Ask, 'keepMs' | 'idempotency'>,
): Promise<void> {
  const { accountId, id } = job
  try {
    await deps.keptCompletions.layLarge(accountId, id, encodeJob(job), keepMs)
  } catch (error) {
    void takeBack(deps, job)
    // Should we die before that, what is kept is handed over, and charged: once, where it is asked for again by its key.
    throw keepMs > 0 && !idempotency && isDependencyError(error) ? unknownWhether(job) : error
  }
}
