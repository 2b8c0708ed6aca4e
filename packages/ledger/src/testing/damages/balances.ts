import { uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { type Damages, account, grant, drained, charge } from './damage.ts'

/** The sums of an account: its balance, and what is held of it. */
export const balances = {
  'balance-is-what-grants-hold': [
    [
      'a balance is raised',
      (of) => sql`update ledger.account set balance = balance + 1 where id = ${account(of)}`,
      'balance-is-what-entries-moved',
    ],
    [
      'an account vanishes',
      (of) => sql`delete from ledger.account where id = ${account(of)}`,
      'balance-is-what-entries-moved',
      'entries-are-gapless',
      'held-is-what-is-reserved',
    ],
    [
      'a grant vanishes',
      (of) => sql`delete from ledger.credit_grant where id = ${grant(of)}`,
      'grant-holds-what-entries-moved',
      'entry-names-a-grant-of-its-account',
    ],
  ],
  'balance-is-what-entries-moved': [
    [
      'the amount of an entry changes',
      (of) => sql`update ledger.entry set amount = amount - 1 where ${charge(of)}`,
      'grant-holds-what-entries-moved',
      'grant-chain-is-unbroken',
      'charges-are-what-was-captured',
    ],
  ],
  'grant-holds-what-entries-moved': [
    [
      'credits pass from one grant to another without an entry',
      (of) => sql`
        update ledger.credit_grant set balance = balance + case id when ${grant(of)} then -1 else 1 end, closed = false
        where id in (${grant(of)}, ${drained(of)})`,
      'grant-holds-what-its-last-entry-says',
    ],
  ],
  'held-is-what-is-reserved': [
    [
      'an open reservation vanishes',
      (of) => sql`delete from ledger.reservation where id = ${uuidOf(of.open)}`,
      'held-before-is-what-is-reserved',
      'key-spend-is-what-its-reservations-count',
    ],
    [
      'credits stay reserved for nothing',
      (of) => sql`update ledger.account set held = held + 1 where id = ${account(of)}`,
    ],
  ],
  'held-before-is-what-is-reserved': [
    [
      'credits stay reserved from before a grant ended',
      (of) => sql`update ledger.account set held_before = held_before + 1 where id = ${account(of)}`,
    ],
  ],
  'held-is-within-balance': [
    [
      'more is reserved than there is',
      (of) => sql`update ledger.account set held = balance + 1 where id = ${account(of)}`,
      'held-is-what-is-reserved',
    ],
  ],
} satisfies Damages
