import { type ErrorCode, type ServiceError, type Target } from '@weir/contracts'
import { targetName } from './backend.ts'
import { type Breaker, type BreakerOptions, type BreakerState, createBreaker } from './breaker.ts'
import type { Quota } from './quota.ts'

/** One call to a target. Each is told of once; what comes after a call is over is not listened to. */
export type TargetCall = {
  /** It has begun to answer. */
  answering(): void
  /** It failed, before it began or after. */
  failed(error: ServiceError): void
  /** It ended, or was called off: then nothing is known of the target. */
  over(): void
}

/** How the targets of this process do. */
export type TargetHealth = {
  /** For how much longer its vendor wants to be left alone, in milliseconds; 0 when it may be called. */
  coolingMs(target: Target): number
  /** Undefined where its breaker is open: then it is called only `anyway`, because there is nobody else. */
  begin(target: Target): TargetCall | undefined
  beginAnyway(target: Target): TargetCall
  standings(): TargetStanding[]
}

export type TargetStanding = {
  target: string
  breaker: BreakerState
  /** Of the last five minutes, a hundred calls at most. */
  successes: number
  failures: number
  lastError?: { code: ErrorCode; at: number } | undefined
}

/** What is counted of calls to targets. */
export type TargetMetrics = {
  called(target: string): void
  failed(target: string, code: ErrorCode): void
  answered(target: string, afterMs: number): void
  breaker(target: string, state: BreakerState): void
}

const RECENT_MS = 300_000
const MOST_RECENT = 100
/** Where a vendor says that it is busy, but not for how long. */
const BUSY_MS = 5_000

type State = {
  breaker: Breaker
  recent: { at: number; well: boolean }[]
  lastError: TargetStanding['lastError']
}

export type TargetHealthDeps = {
  quota?: Pick<Quota, 'closedMs' | 'close'> | undefined
  metrics?: TargetMetrics | undefined
  breaker?: BreakerOptions | undefined
}

export function createTargetHealth({ quota, metrics, breaker: options }: TargetHealthDeps = {}): TargetHealth {
  const states = new Map<string, State>()

  function stateOf(name: string): State {
    const known = states.get(name)
    if (known) return known
    const onChange = (state: BreakerState) => metrics?.breaker(name, state)
    const state: State = { breaker: createBreaker({ ...options, onChange }), recent: [], lastError: undefined }
    onChange('closed')
    states.set(name, state)
    return state
  }

  function callOf(target: Target, first: ReturnType<Breaker['begin']>): TargetCall {
    const name = targetName(target)
    const state = stateOf(name)
    const beganAt = performance.now()
    let tell = first
    metrics?.called(name)

    const end = (how: 'well' | 'badly' | 'unknown') => {
      tell?.(how)
      tell = undefined
    }
    const note = (well: boolean) => {
      state.recent.push({ at: Date.now(), well })
      if (state.recent.length > MOST_RECENT) state.recent.shift()
    }
    let isAnswering = false
    return {
      answering() {
        isAnswering = true
        note(true)
        metrics?.answered(name, performance.now() - beganAt)
        // A long answer must not keep others waiting for what the probe has shown.
        end('well')
      },
      failed(error) {
        const { code, retryAfterMs = BUSY_MS } = error
        if (code === 'backend_overloaded') quota?.close(groupOf(target), retryAfterMs)
        if (!isFault(error)) return end(hasJudged(error) ? 'well' : 'unknown')
        if (isAnswering) tell = state.breaker.begin()
        note(false)
        state.lastError = { code, at: Date.now() }
        metrics?.failed(name, code)
        // Whoever says that it is busy is there.
        end(code === 'backend_overloaded' ? 'unknown' : 'badly')
      },
      over: () => end('unknown'),
    }
  }

  return {
    coolingMs: (target) => quota?.closedMs(groupOf(target)) ?? 0,
    begin(target) {
      const tell = stateOf(targetName(target)).breaker.begin()
      return tell && callOf(target, tell)
    },
    beginAnyway: (target) => callOf(target, undefined),
    standings: () => [...states].map(([target, state]) => standingOf(target, state)),
  }
}

const isFault = ({ code }: ServiceError): boolean => code === 'backend_error' || code === 'backend_overloaded'

/** Whoever finds fault with a request is there. */
const hasJudged = ({ code }: ServiceError): boolean => code === 'invalid_request' || code === 'context_length_exceeded'

const groupOf = ({ quotaGroup, backend }: Target): string => quotaGroup ?? backend

function standingOf(target: string, { breaker, recent, lastError }: State): TargetStanding {
  const since = Date.now() - RECENT_MS
  const counted = recent.filter(({ at }) => at >= since)
  const successes = counted.filter(({ well }) => well).length
  return { target, breaker: breaker.state(), successes, failures: counted.length - successes, lastError }
}
