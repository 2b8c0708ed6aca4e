import type { Ledger } from './ledger.ts'

const BATCH = 500

/**
 * Takes what is left of grants that have ended, and tells how many are done. A grant that a reservation from before its end
 * may still be paid from waits for the next time.
 */
export async function expireGrants(
  ledger: Pick<Ledger, 'endedGrants' | 'amend'>,
  signal?: AbortSignal,
): Promise<{ expired: number; waiting: number }> {
  const result = { expired: 0, waiting: 0 }
  for (;;) {
    const grants = await ledger.endedGrants(BATCH, result.waiting)
    const amendments = grants.map((grant) => ({ op: 'expire' as const, actor: 'maintenance', ...grant }))
    const verdicts = amendments.length > 0 ? await ledger.amend(amendments) : []
    // What waits stays at the head of the list; the next page begins behind it.
    const waiting = verdicts.filter(({ kind }) => kind === 'waiting').length
    result.waiting += waiting
    const expired = verdicts.filter(({ kind }) => kind === 'done').length
    result.expired += expired
    // Somebody else may be at it: then there is nothing left for us here.
    if (grants.length < BATCH || waiting + expired === 0 || signal?.aborted) return result
  }
}
