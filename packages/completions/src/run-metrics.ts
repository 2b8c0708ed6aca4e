import type { AttemptEnd } from '@weir/contracts'
import type { Metrics } from '@weir/runtime'
import { Counter } from 'prom-client'

/** Why what was generated came to nothing: always our fault, never the client's. */
export type Waste = 'replaced' | 'killed' | 'unheard' | 'expired' | 'shutdown' | 'failed' | 'batch_cancelled'

/** What a worker tells about its attempts. */
export type RunMetrics = {
  attemptEnded(how: AttemptEnd): void
  /** Tokens that were generated and that nobody pays for. */
  wasted(tokens: number, why: Waste): void
}

export function createRunMetrics(metrics: Metrics): RunMetrics {
  const registers = [metrics]
  const attempts = new Counter({
    name: 'weir_attempts_total',
    help: 'Attempts at completions by how they ended',
    labelNames: ['end'],
    registers,
  })
  const wasted = new Counter({
    name: 'weir_wasted_tokens_total',
    help: 'Output tokens of attempts that nobody pays for, by our own count',
    labelNames: ['why'],
    registers,
  })
  return {
    attemptEnded: (end) => attempts.inc({ end }),
    wasted: (tokens, why) => wasted.inc({ why }, tokens),
  }
}
