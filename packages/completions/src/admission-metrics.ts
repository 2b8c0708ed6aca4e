import type { Admission, AdmissionVerdict, Forecast } from '@weir/queue'
import type { Metrics } from '@weir/runtime'
import { Counter, Gauge } from 'prom-client'

/** The same admission, telling whom it refuses and how the lane stands. What it tells of the lane is true for all replicas. */
export function withAdmissionMetrics(admission: Admission, metrics: Metrics): Admission {
  const registers = [metrics]
  const refusals = new Counter({
    name: 'weir_admission_refusals_total',
    help: 'Requests that were refused for want of room, by what was full',
    labelNames: ['reason', 'scope'],
    registers,
  })
  lookedAt('weir_queue_waiting_completions', 'Completions that wait for a worker', ({ waiting }) => waiting)
  lookedAt('weir_queue_worker_slots', 'Completions that all workers together run at once', ({ slots }) => slots)
  lookedAt(
    'weir_queue_estimated_wait_seconds',
    'How long the last that waits is likely to wait; NaN while nobody can tell',
    ({ waitMs }) => waitMs && waitMs / 1_000,
  )

  /** Read when it is scraped. */
  function lookedAt(name: string, help: string, valueOf: (forecast: Forecast) => number | undefined): void {
    const gauge = new Gauge({
      name,
      help,
      registers,
      async collect() {
        const forecast = await admission.forecast().catch(() => undefined)
        gauge.set((forecast && valueOf(forecast)) ?? NaN)
      },
    })
  }

  return {
    ...admission,
    async enter(entrant) {
      const verdict = await admission.enter(entrant)
      if (verdict.kind !== 'admitted') refusals.inc(labelsOf(verdict))
      return verdict
    },
  }
}

function labelsOf(verdict: Exclude<AdmissionVerdict, { kind: 'admitted' }>): { reason: string; scope: string } {
  switch (verdict.kind) {
    case 'limited':
      return { reason: snakeCase(verdict.bound.name), scope: verdict.bound.scope }
    case 'too_large':
      return { reason: 'too_large', scope: verdict.bound.scope }
    case 'lane_full':
    case 'too_late':
      return { reason: verdict.kind, scope: 'all' }
  }
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
