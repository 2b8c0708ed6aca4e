import { newGrantId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { type Damages, account, grant, drained } from './damage.ts'

/** What a grant says of itself. */
export const grants = {
  'grant-is-opened-once': [
    [
      'the amount of a grant changes',
      (of) => sql`update ledger.credit_grant set amount = amount + 1 where id = ${grant(of)}`,
    ],
    [
      'what gave a grant says that it is a later refund',
      (of) => sql`update ledger.entry set kind = 'refund', created_at = created_at + interval '1 second'
        where grant_id = ${drained(of)} and kind = 'grant'`,
      'entry-has-its-action',
    ],
    [
      'a refund says that it gave the grant',
      (of) => sql`update ledger.entry set kind = 'grant' where grant_id = ${drained(of)} and kind = 'refund'`,
      'entry-has-its-action',
    ],
    [
      'a grant appears that nobody gave',
      (of) => sql`insert into ledger.credit_grant (id, account_id, kind, priority, amount, balance, created_at)
        values (${uuidOf(newGrantId())}, ${account(of)}, 'purchased', 1, 10, 10, ledger.clock())`,
      'balance-is-what-grants-hold',
      'grant-holds-what-entries-moved',
    ],
  ],
  'grant-is-within-its-amount': [
    [
      'the amount of a grant falls below what it holds',
      (of) => sql`update ledger.credit_grant set amount = balance - 1 where id = ${grant(of)}`,
      'grant-is-opened-once',
    ],
  ],
  'grant-is-closed-when-empty': [
    [
      'a grant is closed that holds credits',
      (of) => sql`update ledger.credit_grant set closed = true where id = ${grant(of)}`,
    ],
    [
      'a grant is open that holds nothing',
      (of) => sql`update ledger.credit_grant set closed = false where id = ${drained(of)}`,
    ],
  ],
} satisfies Damages
