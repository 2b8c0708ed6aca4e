import { newCompletionId, uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { usedAccount } from './testing/used-account.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const uuid = () => uuidOf(newCompletionId())
const now = new Date()
const past = new Date(0)

type Values = Record<string, unknown>
const accountOf = (values: Values) => insertOf('ledger.account', { id: uuid(), ...values })
const grantOf = (values: Values) =>
  insertOf('ledger.credit_grant', {
    id: uuid(),
    account_id: uuid(),
    kind: 'purchased',
    priority: 100,
    amount: 10n,
    balance: 10n,
    created_at: now,
    ...values,
  })
const reservationOf = (values: Values) =>
  insertOf('ledger.reservation', {
    id: uuid(),
    account_id: uuid(),
    quote: 9n,
    amount: 9n,
    created_at: now,
    expires_at: now,
    ...values,
  })
const closed = { closed_at: now, captured: 3n, cost: 3n }
const entryOf = (values: Values) =>
  insertOf('ledger.entry', {
    account_id: uuid(),
    sequence: 1n,
    kind: 'charge',
    ref: uuid(),
    grant_id: uuid(),
    amount: -1n,
    balance_after: 0n,
    created_at: now,
    ...values,
  })
const actionOf = (values: Values) =>
  insertOf('ledger.action', {
    id: uuid(),
    account_id: uuid(),
    kind: 'grant',
    reference: uuid(),
    moved: 1n,
    actor: 'test',
    created_at: now,
    ...values,
  })
const limitOf = (values: Values) =>
  insertOf('ledger.key_limit', {
    account_id: uuid(),
    key_id: uuid(),
    period: 'day',
    amount: 1n,
    created_at: now,
    ...values,
  })
const spendOf = (values: Values) =>
  insertOf('ledger.key_spend', {
    account_id: uuid(),
    key_id: uuid(),
    period: 'day',
    starts_at: now,
    held: 0n,
    spent: 0n,
    ...values,
  })
const priceOf = (values: Values) =>
  insertOf('ledger.price_version', {
    id: uuid(),
    model: 'm',
    effective_at: now,
    price: '{"input":"1","cachedInput":"1","output":"1"}',
    source: 'admin',
    ...values,
  })

function insertOf(table: string, row: Values): RawBuilder<unknown> {
  const columns = sql.join(Object.keys(row).map((column) => sql.ref(column)))
  return sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`
}

test.each([
  ['account_never_overdrawn', accountOf({ balance: 10n, held: 11n })],
  ['account_never_overdrawn', accountOf({ balance: -1n })],
  ['account_holds_what_it_held', accountOf({ balance: 10n, held: 5n, held_before: 6n })],
  ['account_holds_what_it_held', accountOf({ balance: 10n, held: 5n, held_before: -1n })],
  ['account_shortage_known', accountOf({ shortage: 'lend' })],
  ['grant_kind_known', grantOf({ kind: 'borrowed' })],
  ['grant_gives_credits', grantOf({ amount: 0n, balance: 0n })],
  ['grant_never_overdrawn', grantOf({ balance: -1n })],
  ['grant_never_overdrawn', grantOf({ balance: 11n })],
  ['grant_closed_is_empty', grantOf({ closed: true })],
  ['grant_ends_after_it_was_given', grantOf({ expires_at: past })],
  ['grant_ends_after_it_was_given', grantOf({ revoked_at: past })],
  ['reservation_state_known', reservationOf({ state: 'lost', ...closed, captured: 0n, cost: 0n })],
  ['reservation_open_or_closed', reservationOf({ state: 'settled', cost: 0n })],
  ['reservation_open_or_closed', reservationOf({ closed_at: now })],
  ['reservation_not_negative', reservationOf({ quote: -1n })],
  ['reservation_not_negative', reservationOf({ amount: -1n })],
  ['reservation_captures_its_cost', reservationOf({ captured: 1n })],
  ['reservation_captures_its_cost', reservationOf({ cost: 1n })],
  ['reservation_captures_its_cost', reservationOf({ state: 'settled', ...closed, captured: 4n })],
  ['reservation_captures_its_cost', reservationOf({ state: 'settled', ...closed, captured: -1n })],
  ['reservation_captures_its_cost', reservationOf({ state: 'released', ...closed })],
  ['reservation_captures_its_cost', reservationOf({ state: 'expired', ...closed, captured: 0n })],
  ['entry_kind_fits_its_sign', entryOf({ kind: 'gift', amount: 1n })],
  ['entry_kind_fits_its_sign', entryOf({ amount: 0n })],
  ['entry_kind_fits_its_sign', entryOf({ amount: 1n })],
  ['entry_kind_fits_its_sign', entryOf({ kind: 'grant' })],
  ['entry_kind_fits_its_sign', entryOf({ kind: 'refund' })],
  ['entry_kind_fits_its_sign', entryOf({ kind: 'adjustment', amount: 0n })],
  ['entry_kind_fits_its_sign', entryOf({ kind: 'expiry', amount: 1n })],
  ['entry_kind_fits_its_sign', entryOf({ kind: 'revocation', amount: 1n })],
  ['entry_names_its_grant', entryOf({ grant_id: null, balance_after: null })],
  ['entry_names_its_grant', entryOf({ kind: 'uncollected' })],
  ['entry_balance_not_negative', entryOf({ balance_after: -1n })],
  ['entry_balance_not_negative', entryOf({ balance_after: null })],
  ['action_kind_known', actionOf({ kind: 'steal', reason: 'because' })],
  ['action_is_explained', actionOf({ kind: 'adjust' })],
  ['key_limit_period_known', limitOf({ period: 'century' })],
  ['key_limit_not_negative', limitOf({ amount: -1n })],
  ['key_spend_not_negative', spendOf({ held: -1n })],
  ['key_spend_not_negative', spendOf({ spent: -1n })],
  ['price_is_an_object', priceOf({ price: '7' })],
  ['price_is_whole_picocredits', priceOf({ price: '{"input":"1.5","cachedInput":"1","output":"1"}' })],
  ['price_is_whole_picocredits', priceOf({ price: '{"input":"1"}' })],
  ['price_source_known', priceOf({ source: 'rumour' })],
])('the books themselves refuse what breaks %s', async (constraint, statement) => {
  await expect(statement.execute(ledger.db)).rejects.toMatchObject({ constraint })
})

test('a reference is used once per account, even past the function that amends', async () => {
  const accountId = await usedAccount(ledger)
  const copy = actionOf({ account_id: uuidOf(accountId), reference: 'invoice 7' })

  await expect(copy.execute(ledger.db)).rejects.toMatchObject({ constraint: 'action_done_once' })
})

test.each(['grant', 'charge', 'refund', 'adjustment', 'revocation', 'uncollected'])(
  'an entry of kind %s is made once',
  async (kind) => {
    const accountId = await usedAccount(ledger)
    const copy = sql`
    insert into ledger.entry select account_id, sequence + 100, kind, ref, grant_id, amount, balance_after, created_at
    from ledger.entry where account_id = ${uuidOf(accountId)} and kind = ${kind}`

    // Every month has a key of its own.
    await expect(copy.execute(ledger.db)).rejects.toMatchObject({
      code: '23505',
      table: expect.stringContaining('entry_'),
    })
  },
)
