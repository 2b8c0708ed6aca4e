import { type AccountId, EitherCompletionId, ServiceError } from '@weir/contracts'
import type { Ledger } from '@weir/ledger'
import type { CompletionRecords } from '@weir/store'
import { z } from 'zod'
import { limit, wholeNumber } from './inputs.ts'
import { listOf } from './listing.ts'
import { renderEntry } from './render-ledger.ts'

export type EntriesDeps = {
  ledger: Pick<Ledger, 'entriesOf'>
  completionRecords: CompletionRecords
}

export const EntriesQuery = z.strictObject({
  limit,
  after: wholeNumber(Number.MAX_SAFE_INTEGER).optional().describe('The last_id of the page before: a sequence'),
  completion_id: EitherCompletionId.optional().describe('Only what this completion was charged and given back'),
})

/** A page of the entries of an account, newest first. Another account's completion is as unknown as none. */
export async function entriesOf(deps: EntriesDeps, accountId: AccountId, query: z.infer<typeof EntriesQuery>) {
  const { limit, after, completion_id: completionId } = query
  if (completionId !== undefined && !(await deps.completionRecords.find(accountId, completionId)))
    throw new ServiceError('not_found', `The account has no completion ${completionId}.`, { param: 'completion_id' })
  return listOf(
    limit,
    (limit) => deps.ledger.entriesOf(accountId, { limit, before: after, completionId }),
    ({ sequence }) => String(sequence),
    renderEntry,
  )
}
