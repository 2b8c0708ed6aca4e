import type { Metrics } from '@weir/runtime'
import { Counter } from 'prom-client'
import { type Mended, mended } from './reconcile.ts'

/** For the `onFound` of a reconciler: in a healthy service all of it stays 0. */
export function createReconcileMetrics(metrics: Metrics): (found: Mended) => void {
  const counter = new Counter({
    name: 'weir_reconciled_total',
    help: 'Completions that the reconciler had to mend, by what it did; 0 while all is well',
    labelNames: ['found'],
    registers: [metrics],
  })
  for (const found of mended) counter.inc({ found }, 0)
  return (found) => counter.inc({ found })
}
