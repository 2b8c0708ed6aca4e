import { newActionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { type Damages, account, refund } from './damage.ts'

/** What was done by hand, and what it moved. */
export const actions = {
  'entry-has-its-action': [
    ['nobody did what stands in the books', (of) => sql`delete from ledger.action where id = ${refund(of)}`],
    [
      'what was refunded says that it was given',
      (of) => sql`update ledger.action set kind = 'grant' where id = ${refund(of)}`,
    ],
  ],
  'action-moved-what-its-entries-say': [
    [
      'an action says that it moved more than it did',
      (of) => sql`update ledger.action set moved = moved + 1 where account_id = ${account(of)} and kind = 'adjust'`,
    ],
    [
      'an action moved credits and no entry says so',
      (of) => sql`insert into ledger.action (id, account_id, kind, reference, amount, moved, actor, created_at)
        values (${uuidOf(newActionId())}, ${account(of)}, 'grant', 'gift', 5, 5, 'nobody', ledger.clock())`,
    ],
  ],
  'refunds-are-within-the-charge': [
    [
      'more is refunded than was charged',
      (of) => sql`update ledger.action set moved = moved + 1 where id = ${refund(of)}`,
      'action-moved-what-its-entries-say',
    ],
  ],
} satisfies Damages
