import {
  CircuitState,
  CountBreaker,
  ExponentialBackoff,
  circuitBreaker,
  halfJitterGenerator,
  handleType,
} from 'cockatiel'

export type BreakerState = 'closed' | 'open' | 'half_open'
/** `unknown`: it was called off before anybody could tell. */
export type CallEnd = 'well' | 'badly' | 'unknown'

export type BreakerOptions = {
  /** From its opening to the first probe; twice as long after each probe that fails. */
  firstProbeMs?: number
  longestProbeMs?: number
  onChange?: (state: BreakerState) => void
}

/**
 * Guards one target: after half of its last calls failed it is left alone for a while, then one call goes through as a
 * probe, whose end decides.
 */
export type Breaker = {
  state(): BreakerState
  /** Undefined where no call is to be made now; else how the call that is made has to be told to have gone, once. */
  begin(): ((end: CallEnd) => void) | undefined
}

const LAST_CALLS = 20
const FEWEST_CALLS = 5

class CalledBadly extends Error {}
class CalledOff extends Error {}

export function createBreaker({
  firstProbeMs = 5_000,
  longestProbeMs = 60_000,
  onChange,
}: BreakerOptions = {}): Breaker {
  const policy = circuitBreaker(handleType(CalledBadly), {
    halfOpenAfter: new ExponentialBackoff({
      generator: halfJitterGenerator,
      initialDelay: firstProbeMs,
      maxDelay: longestProbeMs,
    }),
    breaker: new CountBreaker({ threshold: 0.49, size: LAST_CALLS, minimumNumberOfCalls: FEWEST_CALLS }),
  })

  policy.onStateChange((state) => onChange?.(states[state]))

  return {
    state: () => states[policy.state],
    begin() {
      // The library would let others wait for the end of the probe; they have other targets to go to.
      if (policy.state === CircuitState.HalfOpen) return undefined
      const call = Promise.withResolvers<void>()
      let isLet = false
      const ending = policy.execute(() => {
        isLet = true
        return call.promise
      })
      // What it throws is what we tell it, or that it lets nothing through.
      ending.catch(() => {})
      if (!isLet) return undefined
      const isProbe = states[policy.state] === 'half_open'
      return (end) => {
        if (end === 'well') call.resolve()
        // A probe that was called off has proved nothing: the next one may.
        else call.reject(end === 'badly' || isProbe ? new CalledBadly() : new CalledOff())
      }
    },
  }
}

const states: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
}
