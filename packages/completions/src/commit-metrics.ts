import type { Microcredits } from '@weir/contracts'
import type { Committed } from '@weir/ledger'
import type { Metrics } from '@weir/runtime'
import { Counter, Histogram } from 'prom-client'

/** What the group commits of a process tell about themselves. */
export type CommitMetrics = {
  /** For the `onCommitted` of one kind of group commit. */
  commits(kind: 'admission' | 'ending'): (batch: Committed<{ kind: string }>) => void
  /** A completion cost more than its account could pay. */
  uncollected(amount: Microcredits): void
}

export function createCommitMetrics(metrics: Metrics): CommitMetrics {
  const registers = [metrics]
  const operations = new Histogram({
    name: 'weir_ledger_batch_operations',
    help: 'Operations in one group commit',
    labelNames: ['kind'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  })
  const seconds = new Histogram({
    name: 'weir_ledger_commit_duration_seconds',
    help: 'From sending a group commit to its verdicts',
    labelNames: ['kind'],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  })
  const verdicts = new Counter({
    name: 'weir_ledger_verdicts_total',
    help: 'Verdicts of the ledger on single operations',
    labelNames: ['kind', 'verdict'],
    registers,
  })
  const uncollected = new Counter({
    name: 'weir_ledger_uncollected_completions_total',
    help: 'Completions that cost more than their account could pay',
    registers,
  })
  const uncollectedMicrocredits = new Counter({
    name: 'weir_ledger_uncollected_microcredits_total',
    help: 'Microcredits that were written off because an account could not pay them',
    registers,
  })

  return {
    commits: (kind) => (batch) => {
      operations.observe({ kind }, batch.verdicts.length)
      seconds.observe({ kind }, batch.ms / 1_000)
      const counts = new Map<string, number>()
      for (const verdict of batch.verdicts) counts.set(verdict.kind, (counts.get(verdict.kind) ?? 0) + 1)
      for (const [verdict, count] of counts) verdicts.inc({ kind, verdict }, count)
    },
    uncollected(amount) {
      uncollected.inc()
      uncollectedMicrocredits.inc(Number(amount))
    },
  }
}
