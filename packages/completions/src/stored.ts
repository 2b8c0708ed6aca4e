import { type AccountId, type CompletionId, type Outcome, ServiceError, decodeOutcome } from '@weir/contracts'
import type { CompletionRecords, KeptCompletions } from '@weir/store'

export type StoredDeps = {
  completionRecords: Pick<CompletionRecords, 'find'>
  keptCompletions: Pick<KeptCompletions, 'outcomeOf'>
}

/** What Postgres knows of the end of a completion: none yet; all of it; that it was, but not what it said; or no completion. */
export type StoredEnd =
  | { kind: 'open' }
  | { kind: 'stored'; outcome: Outcome }
  | { kind: 'forgotten' }
  | { kind: 'missing' }

/** How a completion that Redis does not know has ended. Costs are as the ledger charged them. */
export async function endOf(
  deps: StoredDeps,
  { id, accountId }: { id: CompletionId; accountId: AccountId },
): Promise<StoredEnd> {
  const record = await deps.completionRecords.find(accountId, id)
  if (!record || record.isDeleted) return { kind: 'missing' }
  if (!record.end) return { kind: 'open' }
  const text = await deps.keptCompletions.outcomeOf(accountId, id)
  if (text === undefined) return { kind: 'forgotten' }
  return { kind: 'stored', outcome: { ...decodeOutcome(text), cost: record.end.charged } }
}

/** For a reader alone: the completion itself may have ended well, or still be running. */
export const cutOff = () =>
  new ServiceError(
    'stream_expired',
    'This stream cannot be continued. Ask for the completion itself, or follow it again from its beginning.',
  )
