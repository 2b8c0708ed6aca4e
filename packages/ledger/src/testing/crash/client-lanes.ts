import { type Database, isDependencyError } from '@weir/runtime'
import type { AmendVerdict } from '../../amendments.ts'
import { createGroupCommit } from '../../group-commit.ts'
import { createLedger } from '../../ledger.ts'
import type { Operation } from '../../operations.ts'
import type { NamedAmendment } from './journal.ts'
import { PATIENCE_MS, type Verdict, createLane } from '../lanes.ts'

export type ClientLanes = AsyncDisposable & {
  submit(operation: Operation): Promise<Verdict>
  amend(amendment: NamedAmendment): Promise<AmendVerdict>
}

type Options = { operations: Database; amendments: Database; maxBatch: number; onFailure: (error: unknown) => void }

/** How one process reaches the ledger: group commits of operations, and others of amendments. */
export function createClientLanes({ operations, amendments, maxBatch, onFailure }: Options): ClientLanes {
  const ledger = createLedger(amendments)
  const lane = createLane(operations, { maxBatch, onFailure })
  const amending = createGroupCommit<NamedAmendment, AmendVerdict>({
    commit: (batch) =>
      ledger.amend(batch).catch((error: unknown) => {
        onFailure(error)
        throw error
      }),
    keyOf: ({ reference }) => reference,
    orderOf: ({ accountId }) => accountId,
    isTransient: isDependencyError,
    maxBatch,
    maxQueued: 100_000,
    timeoutMs: PATIENCE_MS,
  })
  return {
    submit: lane.submit,
    amend: amending.submit,
    async [Symbol.asyncDispose]() {
      await lane[Symbol.asyncDispose]()
      await amending[Symbol.asyncDispose]()
    },
  }
}
