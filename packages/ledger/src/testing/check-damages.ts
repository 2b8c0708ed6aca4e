import { newActionId, newCompletionId, newGrantId, uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'
import type { UsedAccount } from './check-fixture.ts'
import type { InvariantName } from '../check/check.ts'

/** What happens to a used account, past all that would refuse it, and which other invariants break with it. */
export type Damage = [what: string, damage: (of: UsedAccount) => RawBuilder<unknown>, ...also: InvariantName[]]

const account = ({ accountId }: UsedAccount) => sql`${uuidOf(accountId)}::uuid`
const grant = (of: UsedAccount) => sql`${uuidOf(of.grant)}::uuid`
const drained = (of: UsedAccount) => sql`${uuidOf(of.drained)}::uuid`
const settled = (of: UsedAccount) => sql`${uuidOf(of.settled)}::uuid`
const refund = (of: UsedAccount) =>
  sql`(select id from ledger.action where account_id = ${account(of)} and kind = 'refund' order by id limit 1)`
/** A charge in the middle of the chain of a grant. */
const charge = (of: UsedAccount) =>
  sql`kind = 'charge' and ref = ${uuidOf(of.uncollected)} and grant_id = ${drained(of)}`

export const damages: Record<Exclude<InvariantName, 'months-are-made-ahead'>, Damage[]> = {
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
  'entry-names-a-grant-of-its-account': [
    [
      'an entry names a grant that is not there',
      (of) => sql`update ledger.entry set grant_id = ${uuidOf(newGrantId())} where ${charge(of)}`,
      'grant-holds-what-entries-moved',
      'grant-chain-is-unbroken',
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
  'rows-lie-in-their-month': [
    [
      'a completion has an id of the far future',
      (of) => sql`update ledger.reservation set id = ${newFarId()}::uuid where id = ${uuidOf(of.released)}`,
    ],
  ],
}

const newFarId = (): string => `ffff${uuidOf(newCompletionId()).slice(4)}`
