import { setTimeout as pause } from 'node:timers/promises'
import { type AccountId, newCompletionId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { isDependencyError } from '@weir/runtime'
import { createGroupCommit } from '../../src/group-commit.ts'
import type { Operation } from '../../src/operations.ts'
import { type Verdict, applyBatch } from '../apply-batch.ts'
import { percentile } from '../statistics.ts'
import { anyOf } from './cast.ts'

export type Waits = { operations: number; p99Ms: number; longestMs: number }

const CALLERS = 8
const QUIET_MS = 3_000

/**
 * Does some work while a small service goes on: a few callers who reserve and settle. Tells how long their operations
 * took before it began and while it was done.
 */
export async function waitsDuring<T>(db: Database, accounts: readonly AccountId[], work: () => Promise<T>) {
  const commits = createGroupCommit<Operation, Verdict>({
    commit: (ops) => applyBatch(db, ops),
    keyOf: ({ completionId }) => completionId,
    orderOf: ({ accountId }) => accountId,
    isTransient: isDependencyError,
    maxBatch: 500,
    maxQueued: 10_000,
    timeoutMs: 60_000,
  })
  const took = { before: [] as number[], during: [] as number[] }
  let phase: keyof typeof took | 'over' = 'before'

  async function timed(op: Operation) {
    const asked = performance.now()
    const { kind } = await commits.submit(op)
    if (kind !== 'reserved' && kind !== 'closed') throw new Error(`A ${op.kind} was answered ${kind}.`)
    // One that begins before the work and ends during it has waited for it.
    if (phase !== 'over') took[phase].push(performance.now() - asked)
  }
  async function caller() {
    while (phase !== 'over') {
      const of = { accountId: anyOf(accounts), completionId: newCompletionId() }
      await timed({ kind: 'reserve', ...of, quote: 2_000n })
      await timed({ kind: 'settle', ...of, cost: 700n })
    }
  }
  const stopped = Promise.all(Array.from({ length: CALLERS }, caller))
  try {
    await Promise.race([pause(QUIET_MS), stopped])
    phase = 'during'
    const result = await work()
    return { result, before: waitsOf(took.before), during: waitsOf(took.during) }
  } finally {
    phase = 'over'
    await stopped
  }
}

const waitsOf = (ms: readonly number[]): Waits => {
  return { operations: ms.length, p99Ms: percentile(ms, 0.99), longestMs: Math.max(0, ...ms) }
}
