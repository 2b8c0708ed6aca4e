import {
  type AccountId,
  type CompletionId,
  type GrantId,
  type Microcredits,
  completionIdOf,
  newAccountId,
  newCompletionId,
  uuidOf,
} from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import type { Change, NewGrant } from '../amendments.ts'
import { createLedger } from '../ledger.ts'
import type { CloseVerdict, ExtendVerdict, Operation, Reserve, ReserveVerdict } from '../operations.ts'
import type { GrantKind } from '../tables.ts'
import { faultsOf } from './faults.ts'
import { PATIENCE_MS, applyBatch } from './lanes.ts'

export type LedgerFixture = Awaited<ReturnType<typeof openLedgerFixture>>

/** The books in a database of their own. */
export async function openLedgerFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const connect = (max = 1) => openDatabase(url, { max, timeoutMs: PATIENCE_MS, onError: () => {} })
  const db = resources.use(connect(8))
  const ledger = createLedger(db)
  const apply = (...ops: Operation[]) => applyBatch(db, ops)
  const one = async (op: Operation) => (await apply(op))[0]!

  /** One amendment by an operator of the test. */
  const change = async (accountId: AccountId, what: Change & { reference?: string; reason?: string }) =>
    (await ledger.amend([{ actor: 'test', reason: 'because', ...what, accountId }]))[0]!
  const give = async (accountId: AccountId, amount: Microcredits, more: Partial<NewGrant> = {}): Promise<GrantId> => {
    const verdict = await change(accountId, { op: 'grant', kind: 'purchased', amount, ...more })
    if (verdict.kind !== 'done') throw new Error(`the grant was answered ${verdict.kind}`)
    return (await ledger.grantOfAction(verdict.actionId))!.id
  }

  const opened = resources.move()
  return {
    url,
    db,
    connect,
    apply,
    ...ledger,
    reserve: (
      accountId: AccountId,
      quote: Microcredits,
      completionId = newCompletionId(),
      more: Pick<Reserve, 'least' | 'keyId' | 'priceId'> = {},
    ) => one({ kind: 'reserve', accountId, completionId, quote, ...more }) as Promise<ReserveVerdict>,
    extend: (accountId: AccountId, completionId: CompletionId, amount?: Microcredits) =>
      one({ kind: 'extend', accountId, completionId, amount }) as Promise<ExtendVerdict>,
    settle: (accountId: AccountId, completionId: CompletionId, cost: Microcredits) =>
      one({ kind: 'settle', accountId, completionId, cost }) as Promise<CloseVerdict>,
    release: (accountId: AccountId, completionId: CompletionId) =>
      one({ kind: 'release', accountId, completionId }) as Promise<CloseVerdict>,
    expire: (accountId: AccountId, completionId: CompletionId) =>
      one({ kind: 'expire', accountId, completionId }) as Promise<CloseVerdict>,
    change,
    /** Gives credits, purchased ones if nothing else is said. */
    give,
    /** A new account with one grant of each amount, in this order. */
    async accountWith(...grants: (Microcredits | [GrantKind, Microcredits])[]): Promise<AccountId> {
      const accountId = newAccountId()
      for (const grant of grants) {
        const [kind, amount] = typeof grant === 'bigint' ? (['purchased', grant] as const) : grant
        await give(accountId, amount, { kind })
      }
      return accountId
    },
    /** A new completion with so much reserved. */
    async reserved(accountId: AccountId, amount: Microcredits): Promise<CompletionId> {
      const completionId = newCompletionId()
      const verdict = await one({ kind: 'reserve', accountId, completionId, quote: amount })
      if (verdict.kind !== 'reserved') throw new Error(`the reservation was answered ${verdict.kind}`)
      return completionId
    },
    async available(accountId: AccountId): Promise<Microcredits> {
      return (await ledger.balanceOf(accountId)).available
    },
    /** All entries, oldest first. */
    async entries(accountId: AccountId) {
      return (await ledger.entriesOf(accountId, { limit: 1_000 })).reverse()
    },
    /** All reservations of an account, oldest first. */
    async reservations(accountId: AccountId) {
      const { rows } = await sql<{ id: string; amount: bigint; captured: bigint; state: string }>`
        select id, amount, captured, state from ledger.reservation
        where account_id = ${uuidOf(accountId)} order by id`.execute(db)
      return rows.map((row) => ({ ...row, id: completionIdOf(row.id) }))
    },
    faults: (...accountIds: AccountId[]) => faultsOf(db, accountIds),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
