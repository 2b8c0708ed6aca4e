import type { TargetMetrics } from '@weir/backends'
import type { Metrics } from '@weir/runtime'
import { Counter, Gauge, Histogram } from 'prom-client'

/** What a worker tells about the targets it calls, each named as `backend/model`. */
export function createTargetMetrics(metrics: Metrics): TargetMetrics {
  const registers = [metrics]
  const calls = new Counter({
    name: 'weir_target_requests_total',
    help: 'Calls to a target',
    labelNames: ['target'],
    registers,
  })
  const failures = new Counter({
    name: 'weir_target_failures_total',
    help: 'Calls to a target that failed through no fault of the request, by the code of the error',
    labelNames: ['target', 'code'],
    registers,
  })
  const firstToken = new Histogram({
    name: 'weir_target_first_token_seconds',
    help: 'From the call of a target to the first it said, waiting for a slot included',
    labelNames: ['target'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers,
  })
  const breaker = new Gauge({
    name: 'weir_target_breaker_state',
    help: 'The circuit breaker of a target in this process: 0 closed, 1 half open, 2 open',
    labelNames: ['target'],
    registers,
  })
  return {
    called: (target) => calls.inc({ target }),
    failed: (target, code) => failures.inc({ target, code }),
    answered: (target, afterMs) => firstToken.observe({ target }, afterMs / 1_000),
    breaker: (target, state) => breaker.set({ target }, states[state]),
  }
}

const states = { closed: 0, half_open: 1, open: 2 }
