import type { Metrics } from '@weir/runtime'
import { Counter, Histogram } from 'prom-client'
import type { Answer } from './send.ts'
import type { Verdict } from './verdict.ts'

/** What a worker tells about the webhooks it sends. */
export type WebhookMetrics = {
  tried(answer: Answer, verdict: Verdict['kind'], durationMs: number): void
  /** From an event to the first try to tell of it. */
  begun(lagMs: number): void
}

export function createWebhookMetrics(metrics: Metrics): WebhookMetrics {
  const registers = [metrics]
  const attempts = new Counter({
    name: 'weir_webhook_attempts_total',
    help: 'Tries to deliver events by what came back: 2xx to 5xx, or why nothing did',
    labelNames: ['answer'],
    registers,
  })
  const deliveries = new Counter({
    name: 'weir_webhook_deliveries_total',
    help: 'Deliveries that have ended by how they did',
    labelNames: ['outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'weir_webhook_attempt_duration_seconds',
    help: 'How long tries to deliver events took',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30],
    registers,
  })
  const lag = new Histogram({
    name: 'weir_webhook_lag_seconds',
    help: 'From an event to the first try to tell of it',
    buckets: [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
    registers,
  })
  return {
    tried(answer, verdict, durationMs) {
      attempts.inc({ answer: answer.kind === 'answered' ? `${Math.floor(answer.status / 100)}xx` : answer.reason })
      duration.observe(durationMs / 1_000)
      if (verdict !== 'retry') deliveries.inc({ outcome: verdict === 'delivered' ? 'delivered' : 'failed' })
    },
    begun: (lagMs) => lag.observe(Math.max(lagMs, 0) / 1_000),
  }
}
