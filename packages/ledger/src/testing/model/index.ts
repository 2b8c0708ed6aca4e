import type { AccountId } from '@weir/contracts'
import type { Amendment, AmendVerdict } from '../../amendments.ts'
import type { Operation } from '../../operations.ts'
import type { Verdict } from '../lanes.ts'
import type { AccountRows } from '../rows.ts'
import { type AmendOptions, type Named, amendIn } from './amendments.ts'
import { type Books, type Micros, type ModelLimit, accountIn, balanceOf, heldBeforeOf, heldOf } from './books.ts'
import { applyBatchTo } from './completions.ts'
import { periods, spendsOf } from './key-limits.ts'

export type Model = ReturnType<typeof createModel>

/** The books as one would keep them in memory, one operation after another: what the ledger is compared with. */
export function createModel(options: AmendOptions = { maxOpenGrants: 100 }) {
  const books: Books = { accounts: new Map(), reservations: new Map() }
  return {
    books,
    apply: (ops: readonly Operation[], clock: Micros): Verdict[] => applyBatchTo(books, ops, clock),
    amend: (amendments: readonly Amendment[], names: readonly (Named | undefined)[], clock: Micros): AmendVerdict[] =>
      amendIn(books, amendments, names, clock, options),
    setShortage(accountId: AccountId, shortage: 'refuse' | 'clamp') {
      accountIn(books, accountId).shortage = shortage
    },
    setKeyLimit(accountId: AccountId, limit: Omit<ModelLimit, 'amount'> & { amount: bigint | null }) {
      const account = accountIn(books, accountId)
      const { keyId, period, amount } = limit
      account.limits = account.limits.filter((other) => other.keyId !== keyId || other.period !== period)
      if (amount !== null) account.limits.push({ keyId, period, amount })
    },
    rowsOf: (accountId: AccountId): AccountRows => rowsIn(books, accountId),
  }
}

const by = (key: string) => (a: object, b: object) => {
  const [left, right] = [a, b].map((row) => (row as Record<string, string>)[key]!)
  return left! < right! ? -1 : 1
}
const bits: Record<string, number> = { day: 1, month: 2, total: 4 }

function rowsIn(books: Books, accountId: AccountId): AccountRows {
  const account = books.accounts.get(accountId)
  const { grants = [], entries = [], actions = [] } = account ?? {}
  const reservations = [...books.reservations.values()].filter((held) => held.accountId === accountId)
  return {
    account: account && {
      balance: balanceOf(account),
      held: heldOf(books, accountId),
      heldBefore: heldBeforeOf(books, account),
      beforeAt: account.beforeAt,
      sequence: BigInt(entries.length),
      version: account.version,
      frozen: account.frozen,
      shortage: account.shortage,
      lastAt: account.lastAt,
    },
    grants: grants.map((grant) => ({ ...grant, closed: grant.balance === 0n })).sort(by('id')),
    reservations: reservations
      .map(({ accountId: _, counted, ...reservation }) => {
        return { ...reservation, counted: counted.reduce((all, period) => all + bits[period]!, 0) }
      })
      .sort(by('id')),
    entries: entries.map((entry, i) => ({ ...entry, sequence: BigInt(i + 1) })),
    actions: actions.map(({ content: _, ...action }) => action),
    spends: spendsOf(books, accountId).sort(
      (a, b) =>
        (a.keyId < b.keyId ? -1 : a.keyId > b.keyId ? 1 : 0) ||
        periods.indexOf(a.period) - periods.indexOf(b.period) ||
        Number((a.startsAt ?? 0n) - (b.startsAt ?? 0n)),
    ),
  }
}
