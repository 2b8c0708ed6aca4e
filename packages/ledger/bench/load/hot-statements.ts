import { type AccountId, newCompletionId, newKeyId, newPriceId } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { createLedger } from '../../src/ledger.ts'
import type { Reserve } from '../../src/operations.ts'
import { applyBatch } from '../apply-batch.ts'
import { type Cast, anyOf } from './cast.ts'

/** Whoever measures says what is done with the work of a statement. */
export type Timed = <T>(statement: string, work: () => Promise<T>) => Promise<T>

/** Some statements that belong together, each timed under its name. */
export type Round = (timed: Timed) => Promise<void>

const QUOTE = 2_000n
const COST = 700n
const TOO_MUCH = 1_000_000_000_000_000_000n
/** The page of a client, and that of a statement of account. */
const PAGE = 50
const STATEMENT_PAGE = 1_000

/** What the service asks all day. */
export function hotStatements(db: Database, { all, busy, entries, ofBusy, ofOthers }: Cast): Round[] {
  const ledger = createLedger(db)
  const pairs =
    (what: string, count: number, accounts: readonly AccountId[]): Round =>
    async (timed) => {
      const reserves = reservesOn(accounts, count)
      await timed(`${count} reserve${what}`, () => expecting('reserved', applyBatch(db, reserves)))
      const settles = reserves.map(({ accountId, completionId }) => {
        return { kind: 'settle' as const, accountId, completionId, cost: COST }
      })
      await timed(`${count} settle${what}`, () => expecting('closed', applyBatch(db, settles)))
    }
  const reading =
    (statement: string, read: () => Promise<unknown>): Round =>
    async (timed) =>
      void (await timed(statement, read))

  return [
    pairs('s, 1,000 accounts', 500, all),
    pairs('s, one account', 500, [busy]),
    pairs('', 1, all),
    async (timed) => {
      const refused = reservesOn(all, 500).map((op) => ({ ...op, quote: TOO_MUCH }))
      await timed('500 rejected reserves', () => expecting('insufficient_credits', applyBatch(db, refused)))
    },
    reading('balanceOf', () => ledger.balanceOf(anyOf(all))),
    reading('spendableGrantsOf', () => ledger.spendableGrantsOf(anyOf(all))),
    reading('entriesOf, newest', () => ledger.entriesOf(anyOf(all), { limit: PAGE })),
    reading('entriesOf, newest, busy account', () => ledger.entriesOf(busy, { limit: PAGE })),
    reading('entriesOf, deep, busy account', () => ledger.entriesOf(busy, { limit: PAGE, before: depth(entries) })),
    reading('a page of a statement', () => ledger.entriesOf(busy, { limit: STATEMENT_PAGE, before: depth(entries) })),
    reading('entries of a completion', () => {
      const { accountId, completionId } = anyOf(ofOthers)
      return ledger.entriesOf(accountId, { limit: PAGE, completionId })
    }),
    reading('the same, busy account', () => ledger.entriesOf(busy, { limit: PAGE, completionId: anyOf(ofBusy) })),
    reading('reservationOf', () => ledger.reservationOf(anyOf(ofBusy))),
    reading('endedGrants', () => ledger.endedGrants(500)),
  ]
}

const depth = (entries: number): number => Math.ceil(entries * (0.1 + 0.8 * Math.random()))

/** Sorted by account, as ledger.apply wants them. */
const reservesOn = (accounts: readonly AccountId[], count: number): Reserve[] =>
  Array.from({ length: count }, (): Reserve => {
    const ids = {
      accountId: anyOf(accounts),
      completionId: newCompletionId(),
      keyId: newKeyId(),
      priceId: newPriceId(),
    }
    return { kind: 'reserve', ...ids, quote: QUOTE }
  }).toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1))

async function expecting(kind: string, answers: ReturnType<typeof applyBatch>): Promise<void> {
  const other = (await answers).find((answer) => answer.kind !== kind)
  if (other) throw new Error(`An operation was answered ${other.kind}.`)
}
