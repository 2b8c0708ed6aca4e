import type { Metrics } from '@weir/runtime'
import type { BatchWork } from '@weir/store'
import { Counter, Gauge } from 'prom-client'

/** What became of a line that a feeder had claimed. */
export type Feeding = 'fed' | 'failed' | 'refused' | 'unknown'

/** For the `onFed` of a feeder; how batches stand is true for all workers, and read when it is scraped. */
export function createBatchMetrics(metrics: Metrics, work: Pick<BatchWork, 'standing'>): (how: Feeding) => void {
  const registers = [metrics]
  const fed = new Counter({
    name: 'weir_batch_lines_claimed_total',
    help: 'Lines of batches that a feeder took up, by what became of that; refused are those that wait for credits',
    labelNames: ['end'],
    registers,
  })
  const lines = new Gauge({
    name: 'weir_batch_lines',
    help: 'Lines of batches that have not ended, by state; the same at every worker',
    labelNames: ['state'],
    registers,
    async collect() {
      const standing = await work.standing().catch(() => undefined)
      lines.set({ state: 'pending' }, standing?.pending ?? NaN)
      lines.set({ state: 'running' }, standing?.running ?? NaN)
      batches.set({ state: 'fed' }, standing?.fed ?? NaN)
      batches.set({ state: 'paused' }, standing?.paused ?? NaN)
      batches.set({ state: 'waiting' }, standing?.waiting ?? NaN)
    },
  })
  const batches = new Gauge({
    name: 'weir_batches',
    help: 'Batches that have not ended: fed, paused, or waiting to be validated or finalized; the same at every worker',
    labelNames: ['state'],
    registers,
  })
  return (end) => fed.inc({ end })
}
