import {
  type CompletionId,
  type CompletionJob,
  type CompletionRequest,
  type RateLimitName,
  ServiceError,
} from '@weir/contracts'
import type { AdmissionVerdict, Admission as AdmissionControl, Bound, Standing } from '@weir/queue'
import type { Identity } from '@weir/store'
import { estimatedTokens } from './rate-tokens.ts'

export type TakePlaceDeps = { admission: Pick<AdmissionControl, 'enter'> }
export type HoldPlaceDeps = { admission: Pick<AdmissionControl, 'hold'> }

/** A place frees itself this long after the deadline, should nobody give it back. */
const LEASE_MARGIN_MS = 60_000
/** Until it is accepted, a place is held no longer than this: a replica may die first, and some may wait for a day. */
const FIRST_LEASE_MS = 900_000

const leaseOf = (timeLeftMs: number): number => timeLeftMs + LEASE_MARGIN_MS

/**
 * A place among the live completions and a share of the rates, or a 429 or 503 that says what is full and for how long.
 * `onStanding` hears what is left of the rates, before a refusal too.
 */
export async function takePlace(
  deps: TakePlaceDeps,
  { accountId, keyId, limits }: Identity,
  asked: { id: CompletionId; request: CompletionRequest; timeoutMs: number },
  onStanding?: (standing: Standing) => void,
): Promise<void> {
  const tokens = estimatedTokens(asked.request)
  const verdict = await deps.admission.enter({
    accountId,
    keyId,
    id: asked.id,
    timeLeftMs: asked.timeoutMs,
    leaseMs: Math.min(leaseOf(asked.timeoutMs), FIRST_LEASE_MS),
    tokens,
    limits,
  })
  if (verdict.standing) onStanding?.(verdict.standing)
  if (verdict.kind !== 'admitted') throw refusalOf(verdict, tokens)
}

/** Keeps the place of an accepted completion for as long as it may last. */
export async function holdPlace(
  deps: HoldPlaceDeps,
  { accountId, id, deadlineAt }: Pick<CompletionJob, 'accountId' | 'id' | 'deadlineAt'>,
): Promise<void> {
  const leaseMs = leaseOf(deadlineAt - Date.now())
  if (leaseMs > FIRST_LEASE_MS) await deps.admission.hold(accountId, id, leaseMs)
}

function refusalOf(verdict: Exclude<AdmissionVerdict, { kind: 'admitted' }>, tokens: number): ServiceError {
  switch (verdict.kind) {
    case 'limited':
      return limited(verdict.bound, verdict.retryAfterMs)
    case 'too_large':
      return tooLarge(verdict.bound, tokens)
    case 'lane_full':
      return new ServiceError(
        'overloaded',
        'Too many completions are waiting for a worker. Please try again shortly.',
        {
          retryAfterMs: verdict.retryAfterMs,
        },
      )
    case 'too_late':
      return tooLate(verdict.waitMs, verdict.retryAfterMs)
  }
}

function limited(bound: Bound, retryAfterMs: number): ServiceError {
  const message =
    `Rate limit reached: ${whose[bound.scope]} ${may[bound.name](bound.limit)}. ` +
    `Please try again in ${secondsOf(retryAfterMs)}.`
  return new ServiceError('rate_limit_exceeded', message, { retryAfterMs, extra: { limit: limitOf(bound) } })
}

/** Not a 429: clients would send it again, and waiting does not make it smaller. */
function tooLarge(bound: Bound, tokens: number): ServiceError {
  const message =
    `This request is too large: it may use about ${tokens} tokens, and ${whose[bound.scope]} ` +
    `${may[bound.name](bound.limit)}. Shorten it or lower the output cap.`
  return new ServiceError('request_too_large', message, { extra: { limit: limitOf(bound), needed: tokens } })
}

function tooLate(waitMs: number, retryAfterMs: number): ServiceError {
  const message =
    `Weir is busy: a worker would begin this completion in about ${secondsOf(waitMs)}, after its deadline. ` +
    'Please try again later, or allow it more time with x-weir-timeout.'
  return new ServiceError('overloaded', message, {
    retryAfterMs,
    extra: { estimated_wait_seconds: Math.ceil(waitMs / 1_000) },
  })
}

const whose = { account: 'your account', key: 'this API key' }

const may: Record<RateLimitName, (limit: number) => string> = {
  concurrent: (limit) => `may have ${limit} completions waiting or running at once`,
  queued: (limit) => `may have ${limit} completions waiting for a worker at once`,
  requestsPerMinute: (limit) => `may make ${limit} requests per minute`,
  tokensPerMinute: (limit) => `may use ${limit} tokens per minute`,
}

const onTheWire: Record<RateLimitName, string> = {
  concurrent: 'concurrent',
  queued: 'queued',
  requestsPerMinute: 'requests_per_minute',
  tokensPerMinute: 'tokens_per_minute',
}

const limitOf = ({ scope, name, limit }: Bound) => ({ scope, name: onTheWire[name], value: limit })

const secondsOf = (ms: number): string => `${Math.max(1, Math.ceil(ms / 1_000))} s`
