import type { Asked } from './journal.ts'
import type { ClientLanes } from './client-lanes.ts'

/**
 * Asks again for all that happened or may have happened, as whoever has lost an answer does, and gives what was told now.
 * A refusal is not asked for again, it could become a yes; nor is an extension, because the completion may have ended.
 */
export function askAgain(lanes: ClientLanes, asked: readonly Asked[]): Promise<Asked[]> {
  return Promise.all(
    asked.map(async (one): Promise<Asked> => {
      if (isRefused(one) || (one.told && 'operation' in one && one.operation.kind === 'extend')) return one
      if ('operation' in one) return { ...one, told: await lanes.submit(one.operation) }
      return { ...one, told: await lanes.amend(one.amendment) }
    }),
  )
}

function isRefused({ told }: Asked): boolean {
  return told !== undefined && !['reserved', 'closed', 'already_closed', 'done', 'repeated'].includes(told.kind)
}
