import { newGrantId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { type Damages, account, grant, charge } from './damage.ts'

/** The chain of entries, of an account and of each of its grants. */
export const entries = {
  'entries-are-gapless': [
    [
      'an entry vanishes',
      (of) => sql`delete from ledger.entry where ${charge(of)}`,
      'balance-is-what-entries-moved',
      'grant-holds-what-entries-moved',
      'charges-are-what-was-captured',
    ],
    [
      'an entry has the number of another',
      (of) => sql`update ledger.entry set sequence = sequence - 1 where ${charge(of)}`,
    ],
    [
      'the newest entry is numbered ahead',
      (of) => sql`update ledger.entry e set sequence = e.sequence + 7 from ledger.account a
        where a.id = ${account(of)} and e.account_id = a.id and e.sequence = a.sequence`,
    ],
    [
      'an account has counted more entries than there are',
      (of) => sql`update ledger.account set sequence = sequence + 1 where id = ${account(of)}`,
    ],
  ],
  'grant-chain-is-unbroken': [
    [
      'what an entry left in its grant changes',
      (of) => sql`update ledger.entry set balance_after = balance_after + 1 where ${charge(of)}`,
    ],
  ],
  'grant-holds-what-its-last-entry-says': [
    [
      'what the last entry of a grant left in it changes',
      (of) => sql`update ledger.entry set balance_after = balance_after + 1 where grant_id = ${grant(of)}
        and sequence = (select max(sequence) from ledger.entry where grant_id = ${grant(of)})`,
      'grant-chain-is-unbroken',
    ],
  ],
  'entry-names-a-grant-of-its-account': [
    [
      'an entry names a grant that is not there',
      (of) => sql`update ledger.entry set grant_id = ${uuidOf(newGrantId())} where ${charge(of)}`,
      'grant-holds-what-entries-moved',
      'grant-chain-is-unbroken',
    ],
  ],
} satisfies Damages
