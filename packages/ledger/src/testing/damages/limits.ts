import { sql } from 'kysely'
import { type Damages, account, settled } from './damage.ts'

/** What a key has spent of its limits. */
export const limits = {
  'key-spend-is-what-its-reservations-count': [
    [
      'what a key has spent this month is forgotten',
      (of) => sql`update ledger.key_spend set spent = 0 where account_id = ${account(of)} and period = 'month'`,
    ],
    [
      'what a key has spent altogether vanishes',
      (of) => sql`delete from ledger.key_spend where account_id = ${account(of)} and period = 'total'`,
    ],
    [
      'a key holds what none of its completions has reserved',
      (of) => sql`update ledger.key_spend set held = held + 1 where account_id = ${account(of)} and period = 'day'`,
    ],
    [
      'a completion says that it counts against no limit',
      (of) => sql`update ledger.reservation set counted = 0 where id = ${settled(of)}`,
    ],
  ],
} satisfies Damages
