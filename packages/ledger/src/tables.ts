import type { ColumnType } from 'kysely'

type ReadOnly<T> = ColumnType<T, never, never>
type Rows<Row> = { [Column in keyof Row]: ReadOnly<Row[Column]> }

/** What the ledger's tables hold, for reading: only its functions write. */
export type LedgerTables = {
  'ledger.account': Rows<{
    id: string
    balance: bigint
    held: bigint
    sequence: bigint
    frozen: boolean
    shortage: Shortage
  }>
  'ledger.credit_grant': Rows<{
    id: string
    account_id: string
    kind: GrantKind
    priority: number
    expires_at: Date | null
    amount: bigint
    balance: bigint
    revoked_at: Date | null
    closed: boolean
    created_at: Date
  }>
  'ledger.action': Rows<{
    id: string
    account_id: string
    kind: ActionKind
    reference: string
    amount: bigint | null
    grant_id: string | null
    completion_id: string | null
    moved: bigint
    actor: string
    reason: string | null
    created_at: Date
  }>
  'ledger.price_version': Rows<{
    id: string
    model: string
    effective_at: Date
    price: unknown
    source: PriceSource
    created_at: Date
  }>
  'ledger.key_limit': Rows<{ account_id: string; key_id: string; period: LimitPeriod; amount: bigint }>
  'ledger.key_spend': Rows<{
    account_id: string
    key_id: string
    period: LimitPeriod
    starts_at: Date | number
    held: bigint
    spent: bigint
  }>
  'ledger.reservation': Rows<{
    id: string
    account_id: string
    key_id: string | null
    quote: bigint
    amount: bigint
    price_id: string | null
    state: ReservationState
    cost: bigint | null
    captured: bigint
    created_at: Date
    expires_at: Date
    closed_at: Date | null
  }>
  'ledger.entry': Rows<{
    account_id: string
    sequence: bigint
    kind: EntryKind
    ref: string
    grant_id: string | null
    amount: bigint
    balance_after: bigint | null
    created_at: Date
  }>
}

export type GrantKind = 'promotional' | 'subscription' | 'purchased'
export type EntryKind = 'grant' | 'charge' | 'refund' | 'adjustment' | 'expiry' | 'revocation' | 'uncollected'
export type ActionKind = 'grant' | 'revoke' | 'expire' | 'adjust' | 'refund' | 'freeze' | 'unfreeze'
export type ReservationState = 'open' | 'settled' | 'released' | 'expired'
/** What an account gets that asks for more than it has: a refusal, or an answer clamped to what is affordable. */
export type Shortage = 'refuse' | 'clamp'
export type LimitPeriod = 'day' | 'month' | 'total'
export type PriceSource = 'catalogue' | 'admin'
