import { uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { type Damages, settled } from './damage.ts'

/** How reservations end, and what is charged for them. */
export const reservations = {
  'reservation-ends-once': [
    [
      'a reservation has ended at no time',
      (of) => sql`update ledger.reservation set closed_at = null where id = ${settled(of)}`,
    ],
    [
      'what was settled says that it was released',
      (of) => sql`update ledger.reservation set state = 'released' where id = ${settled(of)}`,
      'charges-are-what-was-captured',
    ],
    [
      'what was settled is open again',
      (of) => sql`update ledger.reservation set state = 'open' where id = ${settled(of)}`,
      'charges-are-what-was-captured',
      'held-is-what-is-reserved',
      'held-before-is-what-is-reserved',
      'key-spend-is-what-its-reservations-count',
    ],
  ],
  'charges-are-what-was-captured': [
    [
      'a settled reservation vanishes',
      (of) => sql`delete from ledger.reservation where id = ${settled(of)}`,
      'key-spend-is-what-its-reservations-count',
    ],
    [
      'a completion is charged that was released',
      (of) => sql`update ledger.entry set ref = ${uuidOf(of.released)} where ref = ${settled(of)}`,
    ],
    [
      'a reservation captured less than was charged',
      (of) => sql`update ledger.reservation set captured = captured - 1, cost = cost - 1 where id = ${settled(of)}`,
      'key-spend-is-what-its-reservations-count',
    ],
  ],
  'uncollected-is-what-was-not-paid': [
    [
      'an entry says wrong what could not be collected',
      (of) =>
        sql`update ledger.entry set amount = amount + 1 where ref = ${uuidOf(of.uncollected)} and kind = 'uncollected'`,
    ],
    [
      'a completion cost more than was charged and no entry says so',
      (of) => sql`update ledger.reservation set cost = cost + 1 where id = ${settled(of)}`,
    ],
  ],
  'reservation-ends-with-its-lease': [
    [
      'a reservation is forgotten',
      (of) => sql`update ledger.reservation set expires_at = ledger.clock() - interval '61 minutes'
        where id = ${uuidOf(of.open)}`,
    ],
  ],
} satisfies Damages
