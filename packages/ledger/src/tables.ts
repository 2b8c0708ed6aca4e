import type { ColumnType } from 'kysely'

type ReadOnly<T> = ColumnType<T, never, never>

/** What the ledger's tables hold, for reading: only its functions write. */
export type LedgerTables = {
  'ledger.account': {
    id: ReadOnly<string>
    balance: ReadOnly<bigint>
    held: ReadOnly<bigint>
    sequence: ReadOnly<bigint>
  }
  'ledger.credit_grant': {
    id: ReadOnly<string>
    account_id: ReadOnly<string>
    kind: ReadOnly<GrantKind>
    amount: ReadOnly<bigint>
    balance: ReadOnly<bigint>
    reference: ReadOnly<string | null>
    created_at: ReadOnly<Date>
  }
  'ledger.entry': {
    account_id: ReadOnly<string>
    sequence: ReadOnly<bigint>
    kind: ReadOnly<EntryKind>
    ref: ReadOnly<string>
    grant_id: ReadOnly<string | null>
    amount: ReadOnly<bigint>
    balance_after: ReadOnly<bigint | null>
    created_at: ReadOnly<Date>
  }
}

export type GrantKind = 'promotional' | 'subscription' | 'purchased'
export type EntryKind = 'grant' | 'charge' | 'uncollected'
