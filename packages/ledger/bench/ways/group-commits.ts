import type { Database } from '@weir/runtime'
import { isDependencyError } from '@weir/runtime'
import { createGroupCommit } from '../../src/group-commit.ts'
import type { Operation } from '../../src/operations.ts'
import { type Verdict, applyBatch } from '../apply-batch.ts'
import { type Way, askedWay } from '../way.ts'

/** Ours: the operations of a process share calls, one at a time, so one connection is all it takes. */
export function groupCommits(db: Database): Way {
  const commits = createGroupCommit<Operation, Verdict>({
    commit: (ops) => applyBatch(db, ops),
    keyOf: ({ completionId }) => completionId,
    orderOf: ({ accountId }) => accountId,
    isTransient: isDependencyError,
    maxBatch: 500,
    maxQueued: 10_000,
    timeoutMs: 60_000,
  })
  return askedWay('group commit', db, commits.submit)
}
