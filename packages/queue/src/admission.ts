import type { AccountId, CompletionId, KeyId, RateLimits } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { admissionScripts } from './admission-scripts.ts'
import { laneKeys } from './lane-keys.ts'
import { type Pace, createPaceReader, estimatedWaitMs } from './pace.ts'
import { type Bound, type Standing, boundsOf, standingOf, tooFew } from './standing.ts'

/** What is left of the rates is told where it is known. */
export type AdmissionVerdict = { standing?: Standing | undefined } & (
  | { kind: 'admitted' }
  /** A bound of the account or the key is reached, for about so long. */
  | { kind: 'limited'; bound: Bound; retryAfterMs: number }
  /** One request is more than the bound allows in a whole minute: waiting does not help. */
  | { kind: 'too_large'; bound: Bound }
  | { kind: 'lane_full'; waiting: number; retryAfterMs: number }
  /** Its time would be over before a worker begins it. */
  | { kind: 'too_late'; waitMs: number; retryAfterMs: number }
)

export type Entrant = {
  accountId: AccountId
  keyId: KeyId
  id: CompletionId
  /** Its place frees itself after so long, should nobody leave. */
  leaseMs: number
  /** Until its deadline. */
  timeLeftMs: number
  /** What it uses, as it is estimated; made right when it leaves. */
  tokens: number
  /** What was decided for this account and this key; the rest is as the settings say. */
  limits?: { account?: RateLimits | undefined; key?: RateLimits | undefined } | undefined
}

export type Forecast = Pace & { waiting: number; waitMs: number | undefined }

export type Admission = {
  /** Takes a place for a completion, and its share of the rates; all or nothing. Asking again for the same id takes nothing more. */
  enter(entrant: Entrant): Promise<AdmissionVerdict>
  /** Keeps its place for so long from now, where it had it for less; one that has lost its place does not get another. */
  hold(accountId: AccountId, id: CompletionId, leaseMs: number): Promise<void>
  /** A worker has begun it: it is not queued any more. */
  started(accountId: AccountId, id: CompletionId): Promise<void>
  /** Gives the place back, and the tokens that were not used; leaving twice is harmless. */
  leave(accountId: AccountId, id: CompletionId, usedTokens?: number): Promise<void>
  /** As if it had never entered: its request does not count either. */
  withdraw(accountId: AccountId, id: CompletionId): Promise<void>
  /** How the lane stands; who asks often is told what was true a second ago. */
  forecast(): Promise<Forecast>
}

export type AdmissionLimits = {
  /** Completions of one account, waiting or running. */
  maxLivePerAccount: number
  /** Of those, completions that no worker has begun. */
  maxQueuedPerAccount?: number | undefined
  requestsPerMinute?: number | undefined
  tokensPerMinute?: number | undefined
  /** Completions waiting for a worker, over all accounts. */
  maxWaiting: number
}

/** When workers do not know how long a completion takes. */
const USUAL_PAUSE_MS = 1_000
const FULL_PAUSE_MS = 5_000

export function createAdmission(redis: Redis, prefix: string, limits: AdmissionLimits): Admission {
  const lane = laneKeys(prefix, 'interactive')
  const scripts = admissionScripts(redis, prefix)
  const readPace = createPaceReader(redis, lane)
  const byDefault: RateLimits = {
    concurrent: limits.maxLivePerAccount,
    queued: limits.maxQueuedPerAccount,
    requestsPerMinute: limits.requestsPerMinute,
    tokensPerMinute: limits.tokensPerMinute,
  }

  async function withdraw(accountId: AccountId, id: CompletionId): Promise<void> {
    await scripts.leave(accountId, id, { requests: 0, tokens: 0 })
  }

  return {
    async enter({ accountId, keyId, id, leaseMs, timeLeftMs, tokens, limits: own = {} }) {
      const bounds = boundsOf({ ...byDefault, ...own.account }, own.key ?? {})
      const tooSmall = tooFew(bounds, tokens)
      if (tooSmall) return { kind: 'too_large', bound: tooSmall }

      // The lane lives in another cluster slot: commands of their own, in the same round trip.
      const [depth, pace, [which = 0, waitMs = 0, ...left]] = await Promise.all([
        redis.llen(lane.waiting),
        readPace(),
        scripts.enter(
          accountId,
          id,
          keyId,
          leaseMs,
          tokens,
          bounds.map(({ limit }) => limit),
        ),
      ])
      const standing = standingOf(bounds, left)
      const bound = bounds[which - 1]
      if (bound) return { kind: 'limited', bound, standing, retryAfterMs: pauseOf(bound, waitMs, pace) }

      const full = refusalOf({ depth, maxWaiting: limits.maxWaiting, pace, timeLeftMs })
      if (!full) return { kind: 'admitted', standing }
      await withdraw(accountId, id)
      return full
    },
    async hold(accountId, id, leaseMs) {
      await scripts.hold(accountId, id, leaseMs)
    },
    async started(accountId, id) {
      await scripts.started(accountId, id)
    },
    async leave(accountId, id, usedTokens = 0) {
      await scripts.leave(accountId, id, { requests: 1, tokens: usedTokens })
    },
    withdraw,
    async forecast() {
      const [depth, pace] = await Promise.all([redis.llen(lane.waiting), readPace()])
      return { ...pace, waiting: depth, waitMs: estimatedWaitMs(depth, pace) }
    },
  }
}

/** A rate knows when; of the completions that hold the places, one ends about so soon. */
function pauseOf({ limit, name }: Bound, waitMs: number, { meanMs }: Pace): number {
  const isRate = name === 'requestsPerMinute' || name === 'tokensPerMinute'
  return isRate ? waitMs : Math.max(USUAL_PAUSE_MS, Math.ceil((meanMs ?? 0) / limit))
}

function refusalOf(lane: {
  depth: number
  maxWaiting: number
  pace: Pace
  timeLeftMs: number
}): Extract<AdmissionVerdict, { kind: 'lane_full' | 'too_late' }> | undefined {
  const { depth, maxWaiting, pace, timeLeftMs } = lane
  const waitMs = estimatedWaitMs(depth, pace)
  if (waitMs !== undefined && waitMs > timeLeftMs)
    return { kind: 'too_late', waitMs, retryAfterMs: spread(waitMs - timeLeftMs) }
  if (depth < maxWaiting) return undefined
  const excessMs = estimatedWaitMs(depth - maxWaiting + 1, pace)
  return { kind: 'lane_full', waiting: depth, retryAfterMs: spread(excessMs ?? FULL_PAUSE_MS) }
}

/** A fifth more or less, so that those who were refused together do not come back together. */
const spread = (ms: number) => Math.ceil(Math.max(ms, USUAL_PAUSE_MS) * (0.8 + 0.4 * Math.random()))
